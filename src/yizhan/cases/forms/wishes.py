"""Wishes, sponsors and stock on the desk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.models import MOST_IN_STOCK, Sponsor, StockReason
from yizhan.cases.queries.wishes import sponsors_for
from yizhan.places.models import Place
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.queries import people

_AREA = forms.Textarea(attrs={"rows": 3})


class PublishWishForm(forms.Form):
    """A wish as everyone reads it."""

    title = forms.CharField(label=_("What is wished for"), max_length=60)
    words = forms.CharField(
        label=_("In words in which nobody can be recognised"), max_length=300, required=False, widget=_AREA
    )


class WordsForm(forms.Form):
    """A line of words."""

    words = forms.CharField(label=_("Words"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class ThanksForm(forms.Form):
    """A line of thanks."""

    words = forms.CharField(label=_("A line of thanks"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class SponsorField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A sponsor that may take on a wish, by its public id."""

    def label_from_instance(self, obj: Sponsor) -> str:
        """Name and union."""
        return f"{obj.name} · {obj.union.name}"


class ClaimForm(forms.Form):
    """On whose behalf a wish is claimed."""

    sponsor = SponsorField(label=_("Sponsor"), queryset=Sponsor.rules.none(), to_field_name="public_id")

    def __init__(self, *args: Any, union: Union, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen = [one.pk for one in sponsors_for(union)]
        field = self.fields["sponsor"]
        assert isinstance(field, SponsorField)  # noqa: S101 - what the class says
        field.queryset = Sponsor.rules.filter(pk__in=chosen).select_related("union").order_by("name")


class SponsorForm(forms.Form):
    """A sponsor; the telephone stays encrypted and masked."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Everyone reads it beside wishes that came true.")
    )
    contact_name = forms.CharField(label=_("Contact person"), max_length=60, required=False)
    contact_phone = forms.CharField(
        label=_("Phone"), max_length=20, required=False, help_text=_("Empty keeps the number that is known.")
    )
    note = forms.CharField(label=_("Remark"), max_length=200, required=False)
    is_active = forms.BooleanField(label=_("Takes part"), required=False, initial=True)


class PlaceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A station of the acting union or below, by its public id."""

    def __init__(self, *, union: Union | None = None, **options: Any) -> None:
        super().__init__(queryset=Place.objects.with_scopes_disabled().none(), to_field_name="public_id", **options)
        if union is not None:
            self.of(union)

    def of(self, union: Union) -> None:
        """Offer the stations of this union and below."""
        self.queryset = Place.objects.filter(union__path__startswith=union.path).order_by("name")

    def label_from_instance(self, obj: Place) -> str:
        """Its name."""
        return str(obj.name)


class StockItemForm(forms.Form):
    """A sort of thing."""

    name = forms.CharField(label=_("Thing"), max_length=60)
    unit = forms.CharField(label=_("Counted in"), max_length=10, initial="件")
    place = PlaceField(label=_("Station"), required=False, help_text=_("Empty: at the union itself."))
    quantity = forms.IntegerField(label=_("In stock now"), min_value=0, max_value=MOST_IN_STOCK, initial=0)
    is_lent = forms.BooleanField(label=_("It is lent and comes back"), required=False)
    lent_days = forms.IntegerField(label=_("Lent for days"), min_value=1, max_value=365, initial=7)

    def __init__(self, *args: Any, union: Union, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["place"]
        assert isinstance(field, PlaceField)  # noqa: S101 - what the class says
        field.of(union)


class ChangeStockForm(forms.Form):
    """What came in, or is no more."""

    reason = forms.ChoiceField(
        label=_("What happened"),
        choices=[(one.value, one.label) for one in (StockReason.BOUGHT, StockReason.SCRAPPED, StockReason.COUNTED)],
    )
    quantity = forms.IntegerField(
        label=_("How many"),
        min_value=0,
        max_value=MOST_IN_STOCK,
        help_text=_("When counted anew: how many lie there now."),
    )
    words = forms.CharField(label=_("Remark"), max_length=200, required=False)


class IssueForm(forms.Form):
    """Who gets how many."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    worker = forms.CharField(
        label=pgettext_lazy("link", "Worker"), max_length=60, help_text=_("Name, or whole phone or identity number.")
    )
    quantity = forms.IntegerField(label=_("How many"), min_value=1, max_value=10_000, initial=1)
    due_on = forms.DateField(
        label=_("Due back"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: after the days of the thing."),
    )

    def __init__(self, *args: Any, staff: Staff, is_lent: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.staff = staff
        if not is_lent:
            del self.fields["due_on"]

    def clean_worker(self) -> Worker:
        """Exactly one worker of the acting union or below."""
        found = list(people.matching(people.workers(for_staff=self.staff), self.cleaned_data["worker"])[:2])
        if len(found) != 1:
            raise forms.ValidationError(
                _("Nobody matches; write the whole name or phone number.")
                if not found
                else _("Several match; write the whole phone number.")
            )
        worker: Worker = found[0]
        return worker


class ReturnForm(forms.Form):
    """What came back, and what is lost."""

    returned = forms.IntegerField(label=_("Came back"), min_value=0, max_value=10_000, initial=1)
    lost = forms.IntegerField(label=_("Lost"), min_value=0, max_value=10_000, initial=0)
