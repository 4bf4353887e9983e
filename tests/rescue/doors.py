"""Objects of the rescue room for `tests/site/test_every_door.py`."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

from PIL import Image

from tests.site.door import Door, World
from yizhan.rescue.facts import CallFacts
from yizhan.rescue.models import By, CallPhoto, RescueCall, Rescuer
from yizhan.rescue.services.calls import add_photo, say, submit_call
from yizhan.rescue.services.desk import broadcast
from yizhan.rescue.services.duty import go_on_duty
from yizhan.rescue.services.rescuers import RescuerFacts, create_rescuer
from yizhan.rescue.tokens import token_for

ZHONGYUAN = (113.6125, 34.7482)  # within the owner's district


def _call(world: World) -> RescueCall:
    """A call with private words, of a worker of another union, whom no visitor is."""
    facts = CallFacts(
        problem="chain", lon=ZHONGYUAN[0], lat=ZHONGYUAN[1], words=world.secret, contact_name=world.secret
    )
    call = submit_call(facts, request_id=uuid4(), worker=world.worker(world.tree.shenzhen))
    say(call, world.secret, request_id=uuid4(), by=By.RIDER)
    return call


def _photo(call: RescueCall) -> CallPhoto:
    content = io.BytesIO()
    Image.new("RGB", (200, 160), "red").save(content, "JPEG")
    return add_photo(call, content.getvalue(), request_id=uuid4(), by=By.RIDER)


def _rescuer(world: World) -> Rescuer:
    person = world.worker(world.tree.shenzhen)
    facts = RescuerFacts(name="王师傅", skills=["chain"], lon=ZHONGYUAN[0], lat=ZHONGYUAN[1])
    return create_rescuer(facts, union=world.owner.union, actor=world.owner, user=person.user)


def _desk(world: World) -> dict[str, Any]:
    call = _call(world)
    return {"public_id": call.public_id, "photo_id": _photo(call).public_id, "step": "say"}


def _link(world: World) -> dict[str, Any]:
    """Whoever holds the link may come in: that is what it is for."""
    facts = CallFacts(problem="chain", lon=ZHONGYUAN[0], lat=ZHONGYUAN[1])
    call = submit_call(facts, request_id=uuid4(), worker=world.worker(world.tree.shenzhen))
    token = token_for(call.request_id)
    return {"token": token, "public_id": _photo(call).public_id, "step": "unsafe"}


def _offer(world: World) -> dict[str, Any]:
    """An offer to someone whom no visitor is. Whoever dispatches in the city sees the names of those on duty."""
    rescuer = _rescuer(world)
    go_on_duty(rescuer, position=ZHONGYUAN)
    call = _call(world)
    assert broadcast(call, actor=world.owner) >= 1
    offer = call.offers(manager="objects").with_scopes_disabled().filter(rescuer=rescuer).get()
    return {"public_id": offer.public_id, "answer": "accept"}


def _job(world: World) -> dict[str, Any]:
    call = _call(world)
    return {"public_id": call.public_id, "photo_id": _photo(call).public_id, "step": "on-way"}


doors = {
    "rescue/c/<slug:token>/": Door(_link, public=True),
    "rescue/duty/<slug:turn>/": Door(lambda world: {"turn": "on"}, closed_to_all=True),
    "rescue/offers/<uuid:public_id>/": Door(_offer, closed_to_all=True),
    "rescue/jobs/<uuid:public_id>/": Door(_job, closed_to_all=True),
    "desk/rescue/rescuers/<uuid:public_id>/": Door(lambda world: {"public_id": _rescuer(world).public_id}),
    "desk/rescue/<uuid:public_id>/": Door(_desk),
    "api/rescue/calls/<slug:token>": Door(_link, public=True),
    "api/rescue/offers/<uuidstr:public_id>": Door(_offer, closed_to_all=True, body={"answer": "accept"}),
}
