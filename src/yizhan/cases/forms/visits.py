"""Visits and rounds on the desk; the phone's form has the same fields."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.models import MOST_COUNTED, Visit, VisitKind
from yizhan.cases.visits.facts import LONGEST_WORDS, NeedFacts, VisitFacts
from yizhan.places.pictures import ACCEPT
from yizhan.unions.models import Staff, Union, Worker

_MOMENT = "%Y-%m-%dT%H:%M"
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeopleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Workers by name."""

    def label_from_instance(self, obj: Worker) -> str:
        """Name and union."""
        return f"{obj} · {obj.union.name}" if obj.union else str(obj)


class VisitForm(forms.Form):
    """A visit: short, so that it is filled in while one still stands there."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    settles = forms.UUIDField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=VisitKind, widget=forms.RadioSelect)
    where = forms.CharField(label=_("Where"), max_length=120)
    at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT),
        input_formats=[_MOMENT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    minutes = forms.IntegerField(label=_("Minutes"), required=False, min_value=1, max_value=1_440)
    company = forms.CharField(label=_("Platform or company"), required=False, max_length=60)
    union: forms.ModelChoiceField[Union] = forms.ModelChoiceField(
        label=_("Lower union visited"), queryset=Union.objects.none(), required=False, to_field_name="public_id"
    )
    people = PeopleField(
        label=_("People met, by name"),
        queryset=Worker.objects.with_scopes_disabled().none(),
        required=False,
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those with whom you are linked."),
    )
    counted = forms.IntegerField(
        label=_("Further people met"),
        required=False,
        min_value=0,
        max_value=MOST_COUNTED,
        help_text=_("Only counted; nobody's name is taken down."),
    )
    words = forms.CharField(
        label=_("What was said"), required=False, max_length=LONGEST_WORDS, widget=forms.Textarea(attrs={"rows": 4})
    )
    needs = forms.CharField(
        label=_("Needs heard"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line: each becomes a case (诉求) at once."),
    )
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("Only the picture is kept: position, time and device are removed."),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )

    def __init__(self, *args: Any, workers: Any = None, unions: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        people, union = self.fields["people"], self.fields["union"]
        if workers is not None and isinstance(people, PeopleField):
            people.queryset = workers
        if unions is not None and isinstance(union, forms.ModelChoiceField):
            union.queryset = unions
        if workers is not None and not workers:
            del self.fields["people"]
        if unions is not None and not unions:
            del self.fields["union"]

    def facts(self, *, earlier: VisitFacts | None = None) -> VisitFacts:
        """The visit as told; what the form does not ask comes from what stood before."""
        told = self.cleaned_data
        union = told.get("union")
        return VisitFacts(
            kind=told["kind"],
            at=told["at"],
            where=told["where"],
            minutes=told["minutes"],
            company=told["company"],
            place=earlier.place if earlier else None,
            union=union.public_id if union else None,
            stop=earlier.stop if earlier else None,
            lon=earlier.lon if earlier else None,
            lat=earlier.lat if earlier else None,
            counted=told["counted"] or 0,
            people=[worker.public_id for worker in told.get("people", ())],
            words=told["words"],
        )

    def heard(self) -> list[NeedFacts]:
        """Each line as a need, under an id that a repeated save makes again."""
        request_id: UUID = self.cleaned_data["request_id"]
        people = list(self.cleaned_data.get("people", ()))
        lines = [line.strip() for line in self.cleaned_data["needs"].splitlines() if line.strip()]
        return [
            NeedFacts(
                client_id=uuid5(request_id, f"{number} {line}"),
                title=line,
                worker=people[0].public_id if len(people) == 1 else None,
            )
            for number, line in enumerate(lines)
        ]

    def photo_bytes(self) -> bytes | None:
        """What was uploaded; the service looks at it."""
        photo = self.cleaned_data.get("photo")
        return photo.read() if photo else None


def initial_of(visit: Visit, facts: VisitFacts) -> dict[str, Any]:
    """What the form begins with when a visit is changed."""
    return {
        "base": visit.revision,
        "kind": facts.kind,
        "where": facts.where,
        "at": timezone.localtime(facts.at),
        "minutes": facts.minutes,
        "company": facts.company,
        "union": facts.union,
        "people": list(facts.people),
        "counted": facts.counted,
        "words": facts.words,
    }


class PhotoForm(forms.Form):
    """One more picture."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    photo = forms.FileField(label=_("Photo"), widget=forms.FileInput(attrs={"accept": ACCEPT}))


class RoundForm(forms.Form):
    """A round of one day."""

    title = forms.CharField(label=_("Title"), max_length=80)
    day = forms.DateField(label=_("Day"), widget=_DAY)
    post = forms.ModelChoiceField(
        label=pgettext_lazy("visitor", "Who"),
        queryset=Staff.objects.with_scopes_disabled().none(),
        to_field_name="public_id",
    )

    def __init__(self, *args: Any, posts: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["post"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - what the class says
        field.queryset = posts


class StopForm(forms.Form):
    """One more stop: a station by its name, somebody one is linked with, or words."""

    kind = forms.ChoiceField(label=_("Kind"), choices=VisitKind, initial=VisitKind.STATION)
    name = forms.CharField(
        label=_("Where"),
        max_length=120,
        required=False,
        help_text=_("A station of your union by its name, or any words."),
        widget=forms.TextInput(attrs={"list": "stations"}),
    )
    worker = forms.ModelChoiceField(
        label=_("Or a worker you are linked with"),
        queryset=Worker.objects.with_scopes_disabled().none(),
        required=False,
        to_field_name="public_id",
    )
    union: forms.ModelChoiceField[Union] = forms.ModelChoiceField(
        label=_("Or a lower union"), queryset=Union.objects.none(), required=False, to_field_name="public_id"
    )
    note = forms.CharField(label=_("What for"), max_length=200, required=False)

    def __init__(self, *args: Any, workers: Any, unions: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, rows in (("worker", workers), ("union", unions)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - what the class says
            field.queryset = rows
