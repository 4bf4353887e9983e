"""Rosters, messages, appointments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.circle import may_sit
from yizhan.cases.models import Helper, HelperKind
from yizhan.cases.queries.counsel import Slot
from yizhan.unions.models import Staff, Union

from .links import PostField
from .wishes import PlaceField


class HelperForm(forms.Form):
    """Who is on duty when, and where people meet them."""

    post = PostField(label=_("Who"))
    kind = forms.ChoiceField(label=_("Kind"), choices=HelperKind)
    firm = forms.CharField(label=_("Law firm or office"), max_length=80, required=False)
    hours = forms.CharField(
        label=_("Hours of duty"),
        max_length=500,
        help_text=_("Such as Tu,Th 14:00-17:00; SH off keeps school holidays free."),
    )
    place = PlaceField(label=_("Station of appointments"), required=False)
    slot_minutes = forms.IntegerField(label=_("Minutes of one appointment"), min_value=10, max_value=240, initial=30)
    is_active = forms.BooleanField(label=_("On the roster"), required=False, initial=True)

    def __init__(self, *args: Any, union: Union, helper: Helper | None = None, **options: Any) -> None:
        if helper is not None:
            options["initial"] = {
                "kind": helper.kind,
                "firm": helper.firm,
                "hours": helper.hours,
                "place": helper.place.public_id if helper.place else None,
                "slot_minutes": helper.slot_minutes,
                "is_active": helper.is_active,
            }
        super().__init__(*args, **options)
        place = self.fields["place"]
        assert isinstance(place, PlaceField)  # noqa: S101 - what the class says
        place.of(union)
        if helper is not None:
            del self.fields["post"]
            return
        post = self.fields["post"]
        assert isinstance(post, PostField)  # noqa: S101 - what the class says
        posts = Staff.objects.filter(union__path__startswith=union.path, is_active=True, user__is_active=True)
        chosen = [one.pk for one in posts if may_sit(one)]
        post.queryset = (
            Staff.objects.filter(pk__in=chosen).select_related("user", "union").order_by("union__path", "user__name")
        )


class CaseMessageForm(forms.Form):
    """A message; the id is made with the page, so that sending it twice sends it once."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    text = forms.CharField(
        label=pgettext_lazy("talk", "Message"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class BookForm(forms.Form):
    """One of the free times of a helper."""

    slot = forms.ChoiceField(label=_("Free times"))
    words = forms.CharField(label=_("What to bring or to know"), max_length=300, required=False)

    def __init__(self, *args: Any, slots: list[Slot], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["slot"].choices = [  # type: ignore[attr-defined]
            (
                slot.starts_at.isoformat(),
                f"{timezone.localtime(slot.starts_at):%m-%d %H:%M}–{timezone.localtime(slot.ends_at):%H:%M}",
            )
            for slot in slots
        ]

    @property
    def starts_at(self) -> datetime:
        """The chosen moment."""
        return datetime.fromisoformat(self.cleaned_data["slot"])
