"""Counters, phones, tickets and vouchers to knock with. Places and meals are public; who works or eats there is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from tests.benefits.counter_people import WorkersPhone
from tests.site.door import Door, World
from yizhan.benefits.models import Allotment, BenefitOffer, PartyKind, ProgrammeState
from yizhan.benefits.services.counters import join_counter
from yizhan.benefits.services.exclusions import exclude
from yizhan.benefits.services.lotteries import open_lottery
from yizhan.benefits.services.offers import set_offer
from yizhan.benefits.services.programmes import ProgrammeFacts, create_programme, step_programme
from yizhan.benefits.services.redeeming import redeem
from yizhan.benefits.services.vouchers import make_vouchers
from yizhan.benefits.split import Part
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.unions.rights import OPERATOR, Role


def _offer(world: World) -> BenefitOffer:
    told = PlaceFacts(name=f"面馆{uuid4().hex[:8]}", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place = publish_place(create_place(told, union=world.owner.union, actor=world.owner), actor=world.owner)
    facts = ProgrammeFacts(name=f"九元餐{uuid4().hex[:8]}", starts_on=date(2026, 11, 1), takes_paper=True)
    programme = create_programme(facts, union=world.owner.union, actor=OPERATOR)
    parts = [Part(PartyKind.WORKER, None), Part(PartyKind.UNION, 400, union=world.owner.union)]
    made = set_offer(programme, place=place, name="九元套餐", list_price_fen=1500, parts=parts, actor=OPERATOR)
    step_programme(programme, ProgrammeState.OPEN, actor=OPERATOR)
    return BenefitOffer.objects.with_scopes_disabled().select_related("place__union", "programme").get(pk=made.pk)


def _merchant(world: World) -> dict[str, Any]:
    offer = _offer(world)
    post, _password = join_counter(
        actor=OPERATOR, place=offer.place, role=Role.CASHIER, username=f"c{uuid4().hex[:10]}", name=world.secret
    )
    return {"public_id": offer.place.public_id, "post_id": post.public_id}


def _counter(world: World) -> dict[str, Any]:
    offer = _offer(world)
    worker = world.worker(world.owner.union, name=world.secret)
    receipt = redeem(offer=offer, worker=worker, request_id=uuid4(), device="doors", actor=OPERATOR)
    return {"place_id": offer.place.public_id, "redemption_id": receipt.public_id, "public_id": receipt.public_id}


def _phone(world: World) -> dict[str, Any]:
    phone = WorkersPhone.of(world.worker(world.owner.union, name=world.secret), timezone.now())
    return {"public_id": phone.row.public_id}


def _exclusion(world: World) -> dict[str, Any]:
    offer = _offer(world)
    worker = world.worker(world.owner.union, name=world.secret)
    made = exclude(
        worker=worker, programme=offer.programme, union=world.owner.union, reason=world.secret, actor=OPERATOR
    )
    return {"public_id": made.public_id}


def _batch(world: World) -> dict[str, Any]:
    batch, _codes = make_vouchers(
        _offer(world).programme,
        count=1,
        purpose=world.secret,
        valid_until=timezone.localdate() + timedelta(days=1),
        actor=world.owner,
    )
    return {"public_id": batch.public_id}


def _meal(world: World) -> dict[str, Any]:
    offer = _offer(world)
    return {"public_id": offer.place.public_id, "offer_id": offer.public_id}


def _draw(world: World) -> dict[str, Any]:
    facts = ProgrammeFacts(name=f"抽签餐{uuid4().hex[:8]}", starts_on=date(2026, 11, 1), allotment=Allotment.LOTTERY)
    programme = create_programme(facts, union=world.owner.union, actor=OPERATOR)
    made = open_lottery(
        programme,
        places=1,
        closes_at=timezone.now() + timedelta(days=1),
        valid_from=timezone.localdate() + timedelta(days=2),
        valid_until=timezone.localdate() + timedelta(days=3),
        actor=OPERATOR,
    )
    return {"public_id": made.public_id}


# Enough for every door of a counter's interface.
_SCAN = {"request_id": str(uuid4()), "offer": str(uuid4()), "text": "0", "scanned_at": "2026-11-20T12:00:00+08:00"}
_SAID = {**_SCAN, "device": "door-of-tests", "reason": "试", "items": [_SCAN]}
doors = {
    "meals/at/<uuid:public_id>/": Door(_meal, public=True),
    # For every worker, and for no staff: they have no meal to confirm.
    "meals/at/<uuid:public_id>/<uuid:offer_id>/": Door(_meal, public=True, closed_to_all=True),
    "meals/mine/phones/": Door(_phone, closed_to_all=True),  # the worker's own; staff have their own page
    "meals/mine/appeals/": Door(_exclusion, closed_to_all=True),
    "meals/tickets/<uuid:public_id>/": Door(_counter, closed_to_all=True),
    "desk/merchant/<uuid:public_id>/": Door(_merchant),
    "desk/phones/<uuid:public_id>/": Door(_phone),
    "desk/vouchers/<uuid:public_id>/": Door(_batch),
    "meals/draws/<uuid:public_id>/": Door(_draw, public=True, closed_to_all=True),  # for workers, not for staff
    "api/benefits/counter/": Door(_counter, body=_SAID),
}
