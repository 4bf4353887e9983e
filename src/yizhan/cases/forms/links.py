"""Linking, handing over, targets, and what workers see of their contact."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.links import queries
from yizhan.cases.models import GroupApp, Link, LinkKind
from yizhan.cases.services.links import LONGEST_MESSAGE
from yizhan.unions.models import Staff


class PostField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """One of the posts that may be a contact, by its public id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Staff.objects.with_scopes_disabled().none(), to_field_name="public_id", **options)

    def label_from_instance(self, obj: Staff) -> str:
        """Name, union and role."""
        return f"{obj.user} · {obj.union.name} · {obj.get_role_display()}"


class NewLinkForm(forms.Form):
    """With whom a post is linked."""

    kind = forms.ChoiceField(label=_("With whom?"), choices=LinkKind, widget=forms.RadioSelect)
    post = PostField(
        label=pgettext_lazy("person", "Contact"), help_text=_("You, or a colleague for whom you administer.")
    )
    union = forms.CharField(
        label=_("Lower union"),
        required=False,
        max_length=120,
        help_text=_("Whole name or division code; only for a lower union."),
    )
    worker = forms.CharField(
        label=pgettext_lazy("link", "Worker"),
        required=False,
        max_length=60,
        help_text=_("Name, or whole phone or identity number; only for a worker."),
    )
    group_name = forms.CharField(label=_("Name of the group"), required=False, max_length=80)
    group_app = forms.ChoiceField(label=_("App"), required=False, choices=[("", "–"), *GroupApp.choices])
    group_size = forms.IntegerField(label=_("Members of the group"), required=False)

    def __init__(self, *args: Any, staff: Staff, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["post"]
        assert isinstance(field, PostField)  # noqa: S101 - what the class says
        field.queryset = queries.posts_that_may_hold(for_staff=staff)
        field.initial = str(staff.public_id)


class CountForm(forms.Form):
    """How many members a group has now."""

    size = forms.IntegerField(label=_("Members of the group"))


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


class AnswerForm(forms.Form):
    """Why it is refused."""

    answer = forms.CharField(label=_("Reason"), max_length=300, required=False)


class MessageForm(forms.Form):
    """A message to a worker or to a contact; the page makes the id, so that a second tap sends nothing."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    text = forms.CharField(
        label=pgettext_lazy("talk", "Message"),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
    )


class CardForm(forms.Form):
    """What the workers of a post see."""

    phone = forms.CharField(
        label=_("Phone"), required=False, max_length=30, help_text=_("Stored encrypted; leave empty to remove it.")
    )
    shows_phone = forms.BooleanField(label=_("My workers may see this number"), required=False)
    hours = forms.CharField(
        label=_("When to reach me"), required=False, max_length=80, help_text=_("Such as: working days 9:00-17:00.")
    )


class TargetForm(forms.Form):
    """How many links each post shall have; all empty: as the union above says."""

    units = forms.IntegerField(label=_("Lower unions"), required=False, min_value=0, max_value=200)
    workers = forms.IntegerField(label=pgettext_lazy("link", "Workers"), required=False, min_value=0, max_value=500)
    groups = forms.IntegerField(label=_("Chat groups"), required=False, min_value=0, max_value=100)


class LinkChoice(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Several links of one post."""

    def label_from_instance(self, obj: Link) -> str:
        """Kind and name."""
        return f"{obj.get_kind_display()} · {obj.name}"


class HandOverForm(forms.Form):
    """Which links go to whom, and why."""

    to_post = PostField(label=_("To whom"))
    reason = forms.CharField(label=_("Reason"), max_length=300)
    links = LinkChoice(
        label=_("Which links"),
        queryset=Link.objects.with_scopes_disabled().none(),
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing moves until your colleague accepts."),
    )

    def __init__(self, *args: Any, staff: Staff, from_post: Staff, **options: Any) -> None:
        super().__init__(*args, **options)
        to_post, links = self.fields["to_post"], self.fields["links"]
        assert isinstance(to_post, PostField)  # noqa: S101 - what the class says
        assert isinstance(links, LinkChoice)  # noqa: S101 - what the class says
        to_post.queryset = queries.posts_that_may_hold(for_staff=staff).exclude(pk=from_post.pk)
        standing = queries.standing(queries.links(for_staff=staff)).filter(post=from_post)
        links.queryset = standing.exclude(hand_overs__is_open=True)
        links.initial = [link.public_id for link in links.queryset]
