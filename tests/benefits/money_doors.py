"""Statements, payouts, exceptions, differences and signals to knock with."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from tests.site.door import Door, World
from yizhan.benefits.models import (
    BenefitOffer,
    Difference,
    DifferenceKind,
    PartyKind,
    Payout,
    ProgrammeState,
    Redemption,
    Signal,
    SignalKind,
    Statement,
    StatementLine,
    Upload,
    UploadReason,
    UploadState,
)
from yizhan.benefits.services.offers import set_offer
from yizhan.benefits.services.payments import take
from yizhan.benefits.services.programmes import ProgrammeFacts, create_programme, step_programme
from yizhan.benefits.services.redeeming import redeem
from yizhan.benefits.services.settlement import cut_off
from yizhan.benefits.split import Part
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.unions.rights import OPERATOR

_NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone(timedelta(hours=8)))


def _offer(world: World) -> BenefitOffer:
    facts = PlaceFacts(name=f"面馆{uuid4().hex[:6]}", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place = publish_place(create_place(facts, union=world.owner.union, actor=world.owner), actor=world.owner)
    told = ProgrammeFacts(name=f"九元餐{uuid4().hex[:8]}", starts_on=date(2026, 11, 1), quota_day=1)
    programme = create_programme(told, union=world.owner.union, actor=OPERATOR)
    parts = [Part(PartyKind.WORKER, None), Part(PartyKind.UNION, 400, union=world.owner.union)]
    made = set_offer(programme, place=place, name="套餐", list_price_fen=1500, parts=parts, actor=OPERATOR)
    step_programme(programme, ProgrammeState.OPEN, actor=OPERATOR)
    return made


def _eaten(world: World, *, times: int = 1) -> Redemption:
    offer, rider = _offer(world), world.worker(world.owner.union, name=world.secret)
    for _meal in range(times):
        receipt = redeem(
            offer=offer,
            worker=rider,
            request_id=uuid4(),
            device="door",
            actor=OPERATOR,
            at=_NOON,
            offline=True,
        )
    return receipt.redemption()


def _statement(world: World) -> dict[str, Any]:
    meal = _eaten(world)
    cut_off(world.owner.union, actor=OPERATOR)
    statement = Statement.objects.with_scopes_disabled().get(place=meal.place)
    line = StatementLine.objects.with_scopes_disabled().filter(statement=statement).first()
    return {"public_id": statement.public_id, "line_id": line.public_id if line else None, "form": "xlsx"}


def _at_counter(world: World) -> dict[str, Any]:
    meal = _eaten(world)
    take(redemption=meal, channel="offline", request_id=uuid4(), actor=OPERATOR)
    return {"place_id": meal.place.public_id, "redemption_id": meal.public_id}


def _payout(world: World) -> dict[str, Any]:
    made = Payout.objects.create(
        union=world.owner.union, number=f"{world.secret}{uuid4().hex[:8]}", total_fen=1, made_at=_NOON
    )
    return {"public_id": made.public_id, "form": "csv"}


def _difference(world: World) -> dict[str, Any]:
    made = Difference.objects.create(
        union=world.owner.union,
        kind=DifferenceKind.NOT_BOOKED,
        redemption=_eaten(world),
        expected_fen=1,
        found_fen=0,
        first_seen_at=_NOON,
        last_seen_at=_NOON,
    )
    return {"public_id": made.public_id}


def _signal(world: World) -> dict[str, Any]:
    meal = _eaten(world)
    made = Signal.objects.create(
        union=world.owner.union,
        kind=SignalKind.FAR,
        key=uuid4().hex,
        place=meal.place,
        since=_NOON,
        until=_NOON,
        figure=9,
        limit=5,
        found_at=_NOON,
    )
    return {"public_id": made.public_id}


def _upload(world: World) -> dict[str, Any]:
    offer = _offer(world)
    made = Upload.objects.create(
        device="door",
        request_id=uuid4(),
        place=offer.place,
        offer=offer,
        cashier=world.owner,
        text=world.secret,
        scanned_at=_NOON,
        uploaded_at=_NOON,
        state=UploadState.EXCEPTION,
        reason=UploadReason.FORGED,
    )
    return {"public_id": made.public_id}


doors = {
    "desk/benefits/money/statements/<uuid:public_id>/": Door(_statement),
    "desk/benefits/money/payouts/<uuid:public_id>/": Door(_payout),
    "desk/benefits/money/merchants/<uuid:public_id>/": Door(lambda world: {"public_id": _offer(world).place.public_id}),
    "desk/benefits/money/exceptions/<uuid:public_id>/": Door(
        lambda world: {"public_id": _eaten(world, times=2).public_id}
    ),
    "desk/benefits/money/uploads/<uuid:public_id>/": Door(_upload),
    "desk/benefits/money/differences/<uuid:public_id>/": Door(_difference),
    "desk/benefits/money/signals/<uuid:public_id>/": Door(_signal),
    # Only their merchant answers for them.
    "desk/benefits/money/statements/<uuid:public_id>/confirm/": Door(_statement, closed_to_all=True),
    "desk/benefits/money/statements/<uuid:public_id>/lines/<uuid:line_id>/answer/": Door(
        _statement, closed_to_all=True
    ),
    "api/benefits/counter/<uuidstr:place_id>/redemptions/<uuidstr:redemption_id>/workers-share": Door(
        _at_counter, body={"request_id": str(uuid4())}
    ),
    "desk/benefits/money/funding.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/benefits/money/export/redemptions.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
}
