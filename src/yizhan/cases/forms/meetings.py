"""Consultations on the desk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.cases.models import AgendaItem, Case, ItemOutcome, Meeting, PartySide
from yizhan.cases.queries.meetings import cases_for_agenda
from yizhan.unions.models import Staff, Union

from .links import PostField

_AREA = forms.Textarea(attrs={"rows": 2})
_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _posts(union: Union) -> Any:
    posts = Staff.objects.filter(union__path__startswith=union.path, is_active=True, user__is_active=True)
    return posts.select_related("user", "union").order_by("union__path", "user__name")


class MeetingForm(forms.Form):
    """What, when, where, under whom."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(label=_("Title"), max_length=120)
    starts_at = forms.DateTimeField(
        label=_("Begins"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    where = forms.CharField(label=_("Where"), max_length=120)
    chair = PostField(label=_("Chaired by"), required=False)

    def __init__(self, *args: Any, union: Union, meeting: Meeting | None = None, **options: Any) -> None:
        if meeting is not None:
            options["initial"] = {
                "seen": meeting.revision,
                "title": meeting.title,
                "starts_at": timezone.localtime(meeting.starts_at),
                "where": meeting.where,
                "chair": meeting.chair.public_id if meeting.chair else None,
            }
        super().__init__(*args, **options)
        field = self.fields["chair"]
        assert isinstance(field, PostField)  # noqa: S101 - what the class says
        field.queryset = _posts(union)


class PartyForm(forms.Form):
    """Someone at the table."""

    side = forms.ChoiceField(label=_("Side"), choices=PartySide)
    body = forms.CharField(label=_("Union, company or office"), max_length=80)
    person = forms.CharField(label=_("Who"), max_length=60, required=False)


class CaseField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A case, by its public id."""

    def label_from_instance(self, obj: Case) -> str:
        """Number and title."""
        return f"{obj.number} {obj.title}"


class ItemForm(forms.Form):
    """A matter from a case, or in words."""

    case = CaseField(
        label=_("From a case"),
        required=False,
        to_field_name="public_id",
        queryset=Case.objects.with_scopes_disabled().none(),
    )
    title = forms.CharField(
        label=_("Matter"), max_length=120, required=False, help_text=_("Empty: the title of the case.")
    )
    proposal = forms.CharField(label=_("What is proposed"), max_length=1000, required=False, widget=_AREA)

    def __init__(self, *args: Any, staff: Staff, meeting: Meeting, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["case"]
        assert isinstance(field, CaseField)  # noqa: S101 - what the class says
        field.queryset = cases_for_agenda(meeting, for_staff=staff)


class DecideForm(forms.Form):
    """What came of an item."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=ItemOutcome)
    proposal = forms.CharField(label=_("What is proposed"), max_length=1000, required=False, widget=_AREA)
    reply = forms.CharField(label=_("The other side"), max_length=1000, required=False, widget=_AREA)
    result = forms.CharField(label=_("What was agreed"), max_length=1000, required=False, widget=_AREA)

    def __init__(self, *args: Any, item: AgendaItem, **options: Any) -> None:
        names = ("outcome", "proposal", "reply", "result")
        options["initial"] = {name: getattr(item, name) for name in names}
        super().__init__(*args, **{"auto_id": f"i{item.pk}_%s", **options})


class AgreementForm(forms.Form):
    """The agreement, word by word."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    agreed_on = forms.DateField(label=_("Agreed on"), widget=_DATE)
    text = forms.CharField(
        label=_("Agreement, word by word"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 8})
    )

    def __init__(self, *args: Any, meeting: Meeting, **options: Any) -> None:
        options["initial"] = {
            "seen": meeting.revision,
            "text": meeting.agreement,
            "agreed_on": meeting.agreed_on or timezone.localdate(),
        }
        super().__init__(*args, **options)


class FollowForm(forms.Form):
    """A task that follows."""

    title = forms.CharField(label=_("What is to be done"), max_length=300)
    responsible = PostField(label=_("Responsible person"), required=False)
    deadline = forms.DateField(label=_("Deadline"), required=False, widget=_DATE)

    def __init__(self, *args: Any, union: Union, item: AgendaItem, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": f"f{item.pk}_%s", **options})
        field = self.fields["responsible"]
        assert isinstance(field, PostField)  # noqa: S101 - what the class says
        field.queryset = _posts(union).filter(union=union)
