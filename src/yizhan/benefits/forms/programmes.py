"""Forms of programme managers: rules, offers with their split, budgets, lotteries, exclusions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from yizhan.benefits.clock import SHANGHAI
from yizhan.benefits.models import Allotment, BenefitOffer, PartyKind, Programme, ProgrammeKind, Span, clock
from yizhan.benefits.services.offers import parts_of
from yizhan.benefits.services.programmes import PeriodFacts, ProgrammeFacts
from yizhan.benefits.split import Part
from yizhan.places.models import Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Membership, Occupation, Union
from yizhan.unions.queries.tree import union_called

_PERIOD = re.compile(r"^(?P<name>.+?)\s+(?P<from>\d{1,2}[:：]\d{2})\s*[-–—~至到]\s*(?P<to>\d{1,2}[:：]\d{2})$")
_WEEKDAYS = [
    ("1", gettext_lazy("Monday")),
    ("2", gettext_lazy("Tuesday")),
    ("3", gettext_lazy("Wednesday")),
    ("4", gettext_lazy("Thursday")),
    ("5", gettext_lazy("Friday")),
    ("6", gettext_lazy("Saturday")),
    ("7", gettext_lazy("Sunday")),
]
_DATE = {"type": "date"}


class YuanField(forms.DecimalField):
    """An amount that people write in yuan and programs keep in fen."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 12)
        super().__init__(decimal_places=2, **options)

    def fen(self, value: Decimal | None) -> int | None:
        """What was entered, in fen."""
        return None if value is None else int(value * 100)


def yuan_of(fen: int | None) -> Decimal | None:
    """Fen as a field shows them."""
    return None if fen is None else Decimal(fen) / 100


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.replace("、", "\n").splitlines() if line.strip()]


class ProgrammeForm(forms.Form):
    """A programme's rules."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    union = forms.CharField(
        label=gettext_lazy("Union"),
        max_length=120,
        help_text=gettext_lazy("Whole name or division code; yours or one below it. It pays the merchants."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=ProgrammeKind.choices)
    summary = forms.CharField(
        label=gettext_lazy("In one sentence"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("What workers read first, such as “You pay 9 yuan, the union pays the rest”."),
    )
    starts_on = forms.DateField(label=gettext_lazy("First day"), widget=forms.DateInput(_DATE, format="%Y-%m-%d"))
    ends_on = forms.DateField(
        label=gettext_lazy("Last day"), required=False, widget=forms.DateInput(_DATE, format="%Y-%m-%d")
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days of the week"), choices=_WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    periods = forms.CharField(
        label=gettext_lazy("Periods"),
        required=False,
        widget=forms.Textarea({"rows": 3, "placeholder": "午餐 10:30-14:30"}),
        help_text=gettext_lazy(
            "One a line: name, from, until. Past midnight is well, such as 21:00-02:00: it counts for the day on which "
            "it began. Empty: all day."
        ),
    )
    quota_period = forms.IntegerField(
        label=gettext_lazy("Most a worker a period"), required=False, min_value=1, max_value=1000
    )
    quota_day = forms.IntegerField(
        label=gettext_lazy("Most a worker a day"), required=False, min_value=1, max_value=1000
    )
    quota_month = forms.IntegerField(
        label=gettext_lazy("Most a worker a month"), required=False, min_value=1, max_value=30000
    )
    place_quota_day = forms.IntegerField(
        label=gettext_lazy("Most a merchant a day"), required=False, min_value=1, max_value=30000
    )
    occupations = forms.MultipleChoiceField(
        label=gettext_lazy("Occupations"),
        choices=Occupation.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: all of them."),
    )
    memberships = forms.MultipleChoiceField(
        label=gettext_lazy("Union membership"),
        choices=Membership.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: members and others alike."),
    )
    companies = forms.CharField(
        label=gettext_lazy("Platform companies"),
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("One a line, written as in the workers' profiles. Empty: all of them."),
    )
    unions = forms.CharField(
        label=gettext_lazy("Only workers of these unions"),
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("One a line, whole name or division code; those below are meant, too. Empty: all."),
    )
    allotment = forms.ChoiceField(label=gettext_lazy("Who comes in"), choices=Allotment.choices)
    takes_paper = forms.BooleanField(label=gettext_lazy("Takes paper vouchers"), required=False)
    void_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes in which the counter may take a redemption back"), min_value=0, max_value=1440
    )
    refund_days = forms.IntegerField(label=gettext_lazy("Days in which staff may refund"), min_value=0, max_value=365)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    @classmethod
    def showing(cls, programme: Programme, data: Any = None) -> Self:
        """The form as it shows a programme; its union stays."""
        facts = ProgrammeFacts.of(programme)
        plain = {name: getattr(facts, name) for name in cls.base_fields if hasattr(facts, name)}
        form = cls(
            data,
            initial={
                **plain,
                "union": programme.union.name,
                "periods": "\n".join(
                    f"{each.name} {clock(each.starts_minute)}-{clock(each.ends_minute)}" for each in facts.periods
                ),
                "companies": "\n".join(facts.companies),
                "unions": "\n".join(union.division_code or union.name for union in facts.unions),
                "weekdays": [str(day) for day in facts.weekdays],
                "revision": programme.revision,
            },
        )
        form.fields["union"].disabled = True
        return form

    def clean_periods(self) -> list[PeriodFacts]:
        """Each line a period."""
        return [self._period(line) for line in _lines(self.cleaned_data["periods"])]

    def _period(self, line: str) -> PeriodFacts:
        found = _PERIOD.match(line)
        if found is None:
            raise forms.ValidationError(_("“%(line)s” is no period; “午餐 10:30-14:30” is one.") % {"line": line})
        starts, ends = (
            int(hour) * 60 + int(minute) for hour, minute in (re.split("[:：]", found[at]) for at in ("from", "to"))
        )
        return PeriodFacts(found["name"], starts, ends if ends > starts else ends + 1440)

    def clean_companies(self) -> list[str]:
        """Each line a company."""
        return _lines(self.cleaned_data["companies"])

    def clean_unions(self) -> list[Union]:
        """Each line a union."""
        try:
            return [union_called(line, field="unions") for line in _lines(self.cleaned_data["unions"])]
        except RuleBroken as broken:
            raise forms.ValidationError(str(broken.problems[0].message)) from None

    @property
    def facts(self) -> ProgrammeFacts:
        """What was entered."""
        own = {"union", "revision"}
        return ProgrammeFacts(**{name: value for name, value in self.cleaned_data.items() if name not in own})


class OfferForm(forms.Form):
    """An offer; its split stands in a `PartFormSet` beside it."""

    place = forms.ModelChoiceField(label=gettext_lazy("Merchant"), queryset=Place.published.none())
    name = forms.CharField(label=gettext_lazy("What is offered"), max_length=60)
    list_price = YuanField(label=gettext_lazy("List price (yuan)"), min_value=Decimal("0.01"))

    def __init__(self, *args: Any, programme: Programme, places: Any, offer: BenefitOffer | None, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]
        if offer is not None:
            self.fields["place"].disabled = True
            self.initial = {
                **self.initial,
                "place": offer.place_id,
                "name": offer.name,
                "list_price": yuan_of(offer.list_price_fen),
            }

    @property
    def list_price_fen(self) -> int:
        """In fen."""
        return int(self.cleaned_data["list_price"] * 100)


class PartForm(forms.Form):
    """One party of a split."""

    party = forms.ChoiceField(label=gettext_lazy("Who pays"), choices=[("", "–"), *PartyKind.choices], required=False)
    name = forms.CharField(label=gettext_lazy("Which union, platform or sponsor"), max_length=120, required=False)
    yuan = YuanField(label=gettext_lazy("Share (yuan)"), required=False, min_value=Decimal(0))

    def part(self) -> Part | None:
        """What was entered; None: an empty line.

        Raises:
            RuleBroken: a union is called otherwise.
        """
        given = self.cleaned_data
        if not given.get("party"):
            return None
        party = PartyKind(given["party"])
        fen = None if given.get("yuan") is None else int(given["yuan"] * 100)
        name = " ".join((given.get("name") or "").split())
        if party == PartyKind.UNION:
            return Part(party, fen, union=union_called(name, field="name") if name else None)
        return Part(party, fen, name=name if party in {PartyKind.PLATFORM, PartyKind.SPONSOR} else "")


PartFormSet = forms.formset_factory(PartForm, extra=0, min_num=6, max_num=12)


def parts_shown(programme: Programme, offer: BenefitOffer | None) -> list[dict[str, Any]]:
    """What the lines of the split show at first."""
    if offer is None:
        union = programme.union.division_code or programme.union.name
        return [{"party": "worker"}, {"party": "merchant", "yuan": 0}, {"party": "union", "name": union, "yuan": 0}]
    return [
        {
            "party": str(part.party),
            "name": (part.union.division_code or part.union.name) if part.union else part.name,
            "yuan": yuan_of(part.fen),
        }
        for part in parts_of(offer)
    ]


def parts_of_formset(formset: Iterable[PartForm]) -> list[Part]:
    """All lines that say something."""
    return [part for form in formset if (part := form.part()) is not None]


class BudgetForm(forms.Form):
    """A cap on what one party gives."""

    account = forms.ChoiceField(label=gettext_lazy("Whose money"))
    span = forms.ChoiceField(label=gettext_lazy("Renewed"), choices=Span.choices)
    cap = YuanField(
        label=gettext_lazy("Cap (yuan)"),
        min_value=Decimal(0),
        help_text=gettext_lazy("Never passed by a fen. It can be changed at any time, but not below what is spent."),
    )

    def __init__(self, *args: Any, accounts: Iterable[Any], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.fields["account"].choices = [  # type: ignore[attr-defined]
            (str(account.public_id), f"{account} · {account.get_kind_display()}") for account in accounts
        ]


class LotteryForm(forms.Form):
    """A draw to open."""

    places = forms.IntegerField(label=pgettext_lazy("lottery", "Places"), min_value=1, max_value=1_000_000)
    closes_on = forms.DateField(
        label=gettext_lazy("Entries until the end of"), widget=forms.DateInput(_DATE, format="%Y-%m-%d")
    )
    valid_from = forms.DateField(
        label=gettext_lazy("Winners redeem from"), widget=forms.DateInput(_DATE, format="%Y-%m-%d")
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Until, that day included"), widget=forms.DateInput(_DATE, format="%Y-%m-%d")
    )

    @property
    def closes_at(self) -> datetime:
        """Midnight after the last day, in Shanghai."""
        return datetime.combine(self.cleaned_data["closes_on"] + timedelta(days=1), time(), SHANGHAI)


class StepForm(forms.Form):
    """Why a programme is paused or ended."""

    reason = forms.CharField(label=gettext_lazy("Reason; workers read it"), max_length=200, required=False)


class ExclusionForm(forms.Form):
    """Whom to keep from what, and why."""

    worker = forms.CharField(
        label=pgettext_lazy("programme", "Worker"),
        max_length=40,
        help_text=gettext_lazy("Whole phone number, whole identity number, or the identifier in a redemption."),
    )
    programme: forms.ModelChoiceField[Programme] = forms.ModelChoiceField(
        label=gettext_lazy("Programme"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("All programmes of my union and below"),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("The worker reads it and may appeal.")
    )
    until = forms.DateField(
        label=gettext_lazy("Until the end of"),
        required=False,
        widget=forms.DateInput(_DATE, format="%Y-%m-%d"),
        help_text=gettext_lazy("Empty: until it is lifted."),
    )

    def __init__(self, *args: Any, programmes: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.fields["programme"].queryset = programmes  # type: ignore[attr-defined]

    def clean_until(self) -> datetime | None:
        """Midnight after that day, in Shanghai."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        if day < timezone.localdate():
            raise forms.ValidationError(_("It would end before it begins."))
        return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


class AnswerForm(forms.Form):
    """What to answer to an appeal."""

    answer = forms.CharField(label=gettext_lazy("Answer; the worker reads it"), max_length=300)
