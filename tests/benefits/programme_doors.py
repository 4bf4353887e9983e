"""Programmes, offers, budgets, lotteries and exclusions to knock with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from tests.site.door import Door, World
from yizhan.benefits.models import AccountKind, BenefitOffer, PartyKind, ProgrammeState, Span
from yizhan.benefits.services.budgets import set_budget
from yizhan.benefits.services.exclusions import appeal, exclude
from yizhan.benefits.services.ledger import account_of
from yizhan.benefits.services.lotteries import open_lottery
from yizhan.benefits.services.offers import set_offer
from yizhan.benefits.services.programmes import ProgrammeFacts, create_programme, step_programme
from yizhan.benefits.services.redeeming import redeem
from yizhan.benefits.split import Part
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.unions.rights import OPERATOR


def _offer(world: World, *, opened: bool = False, **facts: Any) -> BenefitOffer:
    # Places are public, and so are programmes that are open, with what they offer.
    name = "九元餐" if opened else world.secret
    told = PlaceFacts(name=f"面馆{uuid4().hex[:8]}", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place = publish_place(create_place(told, union=world.owner.union, actor=world.owner), actor=world.owner)
    programme = create_programme(
        ProgrammeFacts(name=f"{name}{uuid4().hex[:8]}", starts_on=date(2026, 11, 1), **facts),
        union=world.owner.union,
        actor=OPERATOR,
    )
    parts = [Part(PartyKind.WORKER, None), Part(PartyKind.UNION, 400, union=world.owner.union)]
    made = set_offer(programme, place=place, name=name, list_price_fen=1500, parts=parts, actor=OPERATOR)
    if opened:
        step_programme(programme, ProgrammeState.OPEN, actor=OPERATOR)
    return made


def _programme(world: World, **more: Any) -> dict[str, Any]:
    return {"public_id": _offer(world).programme.public_id, **more}


def _offer_of_programme(world: World) -> dict[str, Any]:
    offer = _offer(world)
    return {"public_id": offer.programme.public_id, "offer_id": offer.public_id}


def _budget(world: World) -> dict[str, Any]:
    programme = _offer(world).programme
    account = account_of(AccountKind.UNION, union=world.owner.union)
    made = set_budget(account=account, programme=programme, span=Span.DAY, cap_fen=100, actor=OPERATOR)
    return {"public_id": programme.public_id, "budget_id": made.public_id}


def _lottery(world: World) -> dict[str, Any]:
    programme = _offer(world, allotment="lottery").programme
    made = open_lottery(
        programme,
        places=1,
        closes_at=timezone.now() + timedelta(days=1),
        valid_from=date(2026, 12, 1),
        valid_until=date(2026, 12, 2),
        actor=OPERATOR,
    )
    return {"public_id": programme.public_id, "lottery_id": made.public_id}


def _exclusion(world: World) -> dict[str, Any]:
    rider = world.worker(world.owner.union)
    made = exclude(union=world.owner.union, programme=None, worker=rider, reason=world.secret, actor=OPERATOR)
    appeal(made, worker=rider, words=f"{world.secret}不是我")
    return {"public_id": made.public_id}


def _redemption(world: World) -> dict[str, Any]:
    offer, rider = _offer(world, opened=True), world.worker(world.owner.union, name=world.secret)
    eaten = redeem(offer=offer, worker=rider, request_id=uuid4(), device="door", actor=OPERATOR)
    return {"redemption_id": eaten.public_id}


doors = {
    "desk/programmes/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
    "desk/programmes/<uuid:public_id>/": Door(_programme),
    "desk/programmes/<uuid:public_id>/step/<str:state>/": Door(lambda world: _programme(world, state="ended")),
    "desk/programmes/<uuid:public_id>/offers/<uuid:offer_id>/": Door(_offer_of_programme),
    "desk/programmes/<uuid:public_id>/budgets/<uuid:budget_id>/": Door(_budget),
    "desk/programmes/<uuid:public_id>/lotteries/<uuid:lottery_id>/": Door(_lottery),
    "desk/exclusions/<uuid:public_id>/": Door(_exclusion),
    "api/benefits/offers/<uuidstr:offer_id>/": Door(
        lambda world: {"offer_id": _offer(world, opened=True).public_id}, public=True, closed_to_all=True
    ),  # workers ask for themselves
    "api/benefits/redemptions/<uuidstr:redemption_id>/": Door(_redemption, body={"reason": "试"}),
}
