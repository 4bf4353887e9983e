"""Wishes, sponsors, stock, rosters, threads and consultations to knock with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from tests.cases.case_makers import make_case
from tests.site.door import Door, World
from yizhan.cases.models import Case, Helper, Sponsor, Wish
from yizhan.cases.queries.counsel import slots_of
from yizhan.cases.services import meetings, stock
from yizhan.cases.services.counsel import book_appointment, write_message
from yizhan.cases.services.roster import save_helper
from yizhan.cases.services.sponsors import link_of, save_sponsor
from yizhan.cases.services.wishes import publish_wish
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place, publish_place


def _wish_case(world: World) -> Case:
    someone = world.worker(world.owner.union, name=world.secret)
    return make_case(world.owner.union, kind="wish", title="雨衣", text=world.secret, worker=someone)


def _wish(world: World) -> Wish:
    return publish_wish(_wish_case(world), title="一件雨衣", actor=world.owner)


def _sponsor(world: World) -> Sponsor:
    name = f"{world.secret} {uuid4()}"
    return save_sponsor(union=world.owner.union, actor=world.owner, name=name, contact_name=world.secret)


def _link(world: World) -> dict[str, Any]:
    """Whoever holds the link may come in: that is what it is for."""
    found = save_sponsor(union=world.owner.union, actor=world.owner, name=f"超市 {uuid4()}", contact_name=world.secret)
    signature = link_of(found).split("/")[-2]
    wish = _wish(world)
    return {"public_id": found.public_id, "signature": signature, "wish_id": wish.public_id, "step": "claim"}


def _item(world: World) -> dict[str, Any]:
    item = stock.make_item(
        union=world.owner.union, actor=world.owner, name=f"{world.secret} {uuid4()}", is_lent=True, quantity=2
    )
    return {"public_id": item.public_id}


def _issue(world: World) -> dict[str, Any]:
    item = stock.make_item(union=world.owner.union, actor=world.owner, name=f"{uuid4()}", is_lent=True, quantity=2)
    someone = world.worker(world.owner.union, name=world.secret)
    return {"public_id": stock.issue_item(item, quantity=1, actor=world.owner, worker=someone).public_id}


def _helper(world: World) -> Helper:
    held = Helper.rules.filter(post=world.owner, kind="lawyer").first()
    if held is not None:
        return held  # type: ignore[no-any-return]
    facts = PlaceFacts(name=f"劳模驿站{uuid4()}", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place = publish_place(create_place(facts, union=world.owner.union, actor=world.owner), actor=world.owner)
    return save_helper(
        post=world.owner, kind="lawyer", hours="Mo-Su 09:00-17:00", firm=world.secret, place=place, actor=world.owner
    )


def _talk(world: World) -> dict[str, Any]:
    """The thread of a worker who belongs elsewhere, as no visitor does."""
    case = make_case(
        world.owner.union,
        kind="rights",
        title=world.secret,
        text=world.secret,
        worker=world.worker(world.tree.shenzhen),
    )
    write_message(case, text=world.secret, request_id=uuid4())
    helper = _helper(world)
    slot = slots_of(helper, since=timezone.now() + timedelta(hours=1))[-1]
    made = book_appointment(case, helper=helper, starts_at=slot.starts_at, words=world.secret)
    return {"public_id": case.public_id, "helper_id": helper.public_id, "appointment_id": made.public_id}


def _meeting(world: World) -> dict[str, Any]:
    owner = world.owner
    meeting = meetings.plan_meeting(
        union=owner.union, title=world.secret, starts_at=timezone.now(), where=world.secret, actor=owner
    )
    party = meetings.add_party(meeting, side="company", body=world.secret, actor=owner)
    item = meetings.add_item(meeting, title=world.secret, actor=owner)
    return {
        "public_id": meeting.public_id, "party_id": party.public_id, "item_id": item.public_id, "step": "close"
    }  # fmt: skip


def _thanks(world: World) -> dict[str, Any]:
    case = make_case(world.owner.union, kind="wish", title="雨衣", worker=world.worker(world.tree.shenzhen))
    publish_wish(case, title="一件雨衣", actor=world.owner)
    return {"public_id": case.public_id}


doors = {
    "wishes/<uuid:public_id>/": Door(lambda world: {"public_id": _wish(world).public_id}, public=True),
    "me/wishes/<uuid:public_id>/": Door(_thanks, closed_to_all=True),
    "sponsors/<uuid:public_id>/": Door(_link, public=True),
    "me/talk/<uuid:public_id>/": Door(_talk, closed_to_all=True),
    "desk/figures/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/wishes/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/wishes/publish/<uuid:public_id>/": Door(lambda world: {"public_id": _wish_case(world).public_id}),
    "desk/wishes/<uuid:public_id>/": Door(lambda world: {"public_id": _wish(world).public_id, "step": "withdraw"}),
    "desk/sponsors/<uuid:public_id>/": Door(lambda world: {"public_id": _sponsor(world).public_id}),
    "desk/stock/out/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/stock/issues/<uuid:public_id>/": Door(_issue),
    "desk/stock/<uuid:public_id>/": Door(_item),
    "desk/roster/<uuid:public_id>/": Door(lambda world: {"public_id": _helper(world).public_id}),
    "desk/talk/<uuid:public_id>/": Door(_talk),
    "desk/meetings/<uuid:public_id>/": Door(_meeting),
    "desk/meetings/<uuid:public_id>/items/": Door(lambda world: {**_meeting(world), "step": "decide"}),
}
