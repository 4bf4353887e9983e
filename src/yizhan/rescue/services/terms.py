"""Setting up what a union pays for a rescue: a programme of kind rescue, its budgets, and an offer at each point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.benefits.models import AccountKind, BenefitOffer, PartyKind, ProgrammeKind, ProgrammeState, Span
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.benefits.services.budgets import set_budget
from yizhan.benefits.services.ledger import account_of
from yizhan.benefits.services.offers import parts_of, set_offer
from yizhan.benefits.services.programmes import ProgrammeFacts, create_programme, locked, step_programme
from yizhan.benefits.split import Part
from yizhan.places.models import Place, PlaceKind, PlaceStatus
from yizhan.rescue.actions import SUBSIDY_TERMS_SET
from yizhan.rescue.models import PROOF_RADIUS_M, Problem, SubsidyTerms
from yizhan.unions import errors
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

MOST_FEN = 10_000_00


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsFacts:
    """What a rescue is paid. No problems: all are."""

    amount_fen: int
    problems: Sequence[str] = ()
    proof_radius_m: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsidyFacts:
    """A whole new subsidy: its programme and its caps, in fen; None: no cap of that kind."""

    name: str
    terms: TermsFacts
    starts_on: date
    ends_on: date | None = None
    quota_day: int | None = None
    quota_month: int | None = None
    place_quota_day: int | None = None
    cap_fen: int | None = None
    cap_month_fen: int | None = None
    cap_day_fen: int | None = None


@transaction.atomic
def create_subsidy(facts: SubsidyFacts, *, union: Union, actor: Staff | Operator) -> SubsidyTerms:
    """Make a subsidy: the programme, an offer at every repair point of the union and below, and the caps told.

    With a cap it is open at once; without one it stays a draft until someone who may set budgets opens it.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union, or tells a cap and may not set budgets.
        RuleBroken: with every broken rule; or there is no repair point.
    """
    policy.require(actor, MANAGE_PROGRAMMES, union)
    _check(facts.terms)
    points = _points(union)
    if not points:
        raise RuleBroken.at(
            "union", union.name, _("There is no published repair point here that could be paid."), "nobody_to_pay"
        )
    programme = create_programme(
        ProgrammeFacts(
            name=facts.name,
            kind=ProgrammeKind.RESCUE,
            summary=_("Paid to the repair point for each rescue that is proven."),
            starts_on=facts.starts_on,
            ends_on=facts.ends_on,
            quota_day=facts.quota_day,
            quota_month=facts.quota_month,
            place_quota_day=facts.place_quota_day,
        ),
        union=union,
        actor=actor,
    )
    terms: SubsidyTerms = SubsidyTerms.objects.with_scopes_disabled().create(
        programme=programme,
        amount_fen=facts.terms.amount_fen,
        problems=sorted(set(facts.terms.problems)),
        proof_radius_m=facts.terms.proof_radius_m,
    )
    for place in points:
        set_offer(
            programme,
            place=place,
            name=_("Rescue subsidy"),
            list_price_fen=terms.amount_fen,
            parts=[Part(PartyKind.UNION, None, union=union)],
            actor=actor,
        )
    caps = {Span.TOTAL: facts.cap_fen, Span.MONTH: facts.cap_month_fen, Span.DAY: facts.cap_day_fen}
    told = {span: cap for span, cap in caps.items() if cap is not None}
    for span, cap in told.items():
        account = account_of(AccountKind.UNION, union=union)
        set_budget(account=account, programme=programme, span=span, cap_fen=cap, actor=actor, shards=1)
    if told:
        step_programme(programme, ProgrammeState.OPEN, actor=actor)
    _tell(actor, terms)
    return terms


@transaction.atomic
def change_terms(terms: SubsidyTerms, facts: TermsFacts, *, actor: Staff | Operator) -> SubsidyTerms:
    """Another amount, other problems, another radius: from the next rescue that is paid on.

    The amount is set at every repair point; who else pays a part there goes on paying it.

    Raises:
        NotAllowed: `actor` may not manage programmes of the programme's union.
        RuleBroken: with every broken rule; the parts of others pass the new amount; the programme has ended.
    """
    programme = locked(terms.programme)
    policy.require(actor, MANAGE_PROGRAMMES, programme.union)
    _check(facts)
    current: SubsidyTerms = SubsidyTerms.objects.with_scopes_disabled().select_for_update().get(pk=terms.pk)
    if current.amount_fen != facts.amount_fen:
        offers = BenefitOffer.objects.with_scopes_disabled().filter(programme=programme)
        for offer in offers.select_related("place__union", "programme__union").order_by("pk"):
            set_offer(
                programme,
                place=offer.place,
                name=offer.name,
                list_price_fen=facts.amount_fen,
                parts=parts_of(offer),
                actor=actor,
                offer=offer,
                is_active=offer.is_active,
            )
    current.amount_fen, current.proof_radius_m = facts.amount_fen, facts.proof_radius_m
    current.problems = sorted(set(facts.problems))
    current.save()
    _tell(actor, current)
    return current


def _points(union: Union) -> list[Place]:
    found = Place.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, kind=PlaceKind.REPAIR_POINT, status=PlaceStatus.PUBLISHED
    )
    return list(found.select_related("union").order_by("pk"))


def _check(facts: TermsFacts) -> None:
    problems = []
    if not 1 <= facts.amount_fen <= MOST_FEN:
        rule = _("More than nothing and at most %(yuan)d yuan.") % {"yuan": MOST_FEN // 100}
        problems.append(errors.Problem("amount", facts.amount_fen, rule, "out_of_range"))
    if unknown := [each for each in facts.problems if each not in Problem.values]:
        rule = _("Choose one of: %(problems)s.") % {"problems": ", ".join(Problem.values)}
        problems.append(errors.Problem("problems", ", ".join(unknown)[:60], rule, "unknown"))
    least, most = PROOF_RADIUS_M
    if not least <= facts.proof_radius_m <= most:
        rule = _("A number from %(least)d to %(most)d.") % {"least": least, "most": most}
        problems.append(errors.Problem("proof_radius_m", facts.proof_radius_m, rule, "out_of_range"))
    if problems:
        raise RuleBroken(problems)


def _tell(actor: Staff | Operator, terms: SubsidyTerms) -> None:
    record(
        actor, SUBSIDY_TERMS_SET, union=terms.programme.union, target=terms.programme,
        details={"price_yuan": f"{terms.amount_fen / 100:.2f}"},
    )  # fmt: skip
