"""Objects of the rescue room for `tests/site/test_every_door.py`."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

from django.utils import timezone
from PIL import Image

from tests.places.conftest import PlaceMaker
from tests.site.door import Door, World
from yizhan.rescue.facts import CallFacts
from yizhan.rescue.models import By, CallPhoto, RescueCall, Rescuer, SubsidyTerms
from yizhan.rescue.queries.subsidies import of_call
from yizhan.rescue.services.answers import arrive, finish
from yizhan.rescue.services.calls import add_photo, confirm_done, say, submit_call
from yizhan.rescue.services.desk import assign_call, broadcast
from yizhan.rescue.services.duty import go_on_duty
from yizhan.rescue.services.rescuers import RescuerFacts, create_rescuer
from yizhan.rescue.services.terms import SubsidyFacts, TermsFacts, create_subsidy
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


def _picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (200, 160), "red").save(content, "JPEG")
    return content.getvalue()


def _photo(call: RescueCall) -> CallPhoto:
    return add_photo(call, _picture(), request_id=uuid4(), by=By.RIDER)


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


def _terms(world: World) -> SubsidyTerms:
    """A programme of the owner's union, with a repair point of its own."""
    PlaceMaker(world.post)(world.owner.union, name=f"修车点{uuid4().hex[:6]}", kind="repair_point")
    facts = SubsidyFacts(
        name=f"救援补助{uuid4().hex[:6]}", terms=TermsFacts(amount_fen=100_00), starts_on=timezone.localdate(),
        cap_fen=1000_00,
    )  # fmt: skip
    return create_subsidy(facts, union=world.owner.union, actor=world.owner)


def _subsidy(world: World) -> dict[str, Any]:
    """Of a rescue in the owner's union, that waits for a repair point to be named."""
    _terms(world)
    call, rescuer = _call(world), _rescuer(world)
    go_on_duty(rescuer, position=ZHONGYUAN)
    assign_call(call, rescuer, actor=world.owner)
    arrive(call, rescuer=rescuer, position=ZHONGYUAN)
    finish(call, rescuer=rescuer, photo=_picture(), request_id=uuid4())
    confirm_done(call)
    (subsidy,) = of_call(call)
    return {"public_id": subsidy.public_id}


doors = {
    "desk/rescue/subsidies/terms/<uuid:public_id>/": Door(lambda world: {"public_id": _terms(world).public_id}),
    "desk/rescue/subsidies/<uuid:public_id>/again/": Door(_subsidy),
    "desk/rescue/subsidies/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/rescue/history/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "api/rescue/subsidies/<uuidstr:public_id>/retry": Door(_subsidy),
    "rescue/c/<slug:token>/": Door(_link, public=True),
    "rescue/duty/<slug:turn>/": Door(lambda world: {"turn": "on"}, closed_to_all=True),
    "rescue/offers/<uuid:public_id>/": Door(_offer, closed_to_all=True),
    "rescue/jobs/<uuid:public_id>/": Door(_job, closed_to_all=True),
    "desk/rescue/rescuers/<uuid:public_id>/": Door(lambda world: {"public_id": _rescuer(world).public_id}),
    "desk/rescue/<uuid:public_id>/": Door(_desk),
    "api/rescue/calls/<slug:token>": Door(_link, public=True),
    "api/rescue/offers/<uuidstr:public_id>": Door(_offer, closed_to_all=True, body={"answer": "accept"}),
}
