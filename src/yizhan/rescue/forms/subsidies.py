"""What a union fills in to pay for rescues."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.benefits.forms.programmes import YuanField, yuan_of
from yizhan.rescue.models import PROOF_RADIUS_M, Problem, SubsidyTerms
from yizhan.rescue.services.terms import SubsidyFacts, TermsFacts
from yizhan.unions.models import Union

_DATE = {"type": "date"}


class TermsForm(forms.Form):
    """What one rescue is paid, for what, and how near the rescuer must have been."""

    amount = YuanField(label=_("For one rescue (yuan)"), min_value=Decimal("0.01"))
    problems = forms.MultipleChoiceField(
        label=_("For what"),
        choices=Problem.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: for all of it."),
    )
    proof_radius_m = forms.IntegerField(
        label=_("The rescuer was at most so far from the rider's mark (metres)"),
        min_value=PROOF_RADIUS_M[0],
        max_value=PROOF_RADIUS_M[1],
        initial=500,
    )

    def terms(self) -> TermsFacts:
        """What was told."""
        told = self.cleaned_data
        return TermsFacts(
            amount_fen=int(told["amount"] * 100), problems=told["problems"], proof_radius_m=told["proof_radius_m"]
        )

    @staticmethod
    def initial_of(terms: SubsidyTerms) -> dict[str, Any]:
        """What stands now."""
        return {
            "amount": yuan_of(terms.amount_fen),
            "problems": terms.problems,
            "proof_radius_m": terms.proof_radius_m,
        }


class SubsidyForm(TermsForm):
    """A new subsidy: its programme, its terms and its caps."""

    union: Any = forms.ModelChoiceField(
        label=_("Who pays"), queryset=Union.objects.none(), to_field_name="public_id",
        help_text=_("Rescues in this union and all below it; every repair point there is paid."),
    )  # fmt: skip
    name = forms.CharField(label=_("Name of the programme"), min_length=2, max_length=80)
    starts_on = forms.DateField(label=_("First day"), widget=forms.DateInput(_DATE, format="%Y-%m-%d"))
    ends_on = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput(_DATE, format="%Y-%m-%d"))
    quota_day = forms.IntegerField(label=_("Most a rider a day"), required=False, min_value=1, max_value=100)
    quota_month = forms.IntegerField(label=_("Most a rider a month"), required=False, min_value=1, max_value=1000)
    place_quota_day = forms.IntegerField(
        label=_("Most a repair point a day"), required=False, min_value=1, max_value=1000
    )
    cap = YuanField(label=_("Budget in all (yuan)"), required=False, min_value=Decimal(0))
    cap_month = YuanField(label=_("Budget a month (yuan)"), required=False, min_value=Decimal(0))
    cap_day = YuanField(label=_("Budget a day (yuan)"), required=False, min_value=Decimal(0))

    field_order = ("union", "name", "amount", "problems", "proof_radius_m")

    def __init__(self, *args: Any, unions: Any, may_budget: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["union"].queryset = unions  # type: ignore[attr-defined]
        self.fields["starts_on"].initial = timezone.localdate
        if not may_budget:
            for name in ("cap", "cap_month", "cap_day"):
                del self.fields[name]

    def facts(self) -> SubsidyFacts:
        """What was told."""
        told: dict[str, Any] = {**self.cleaned_data}
        for name in ("cap", "cap_month", "cap_day"):
            yuan = told.get(name)
            told[f"{name}_fen"] = None if yuan is None else int(yuan * 100)
        names = [name for name in SubsidyFacts.__dataclass_fields__ if name != "terms"]
        return SubsidyFacts(terms=self.terms(), **{name: told[name] for name in names})
