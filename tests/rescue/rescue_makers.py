"""Calls and rescuers to test with, made through the services as every page does."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

from PIL import Image

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.rescue.facts import CallFacts
from yizhan.rescue.models import Offer, OfferState, RescueCall, Rescuer
from yizhan.rescue.services.calls import submit_call
from yizhan.rescue.services.duty import go_on_duty
from yizhan.rescue.services.rescuers import RescuerFacts, create_rescuer
from yizhan.unions.models import Union, Worker

HERE = (113.6253, 34.7466)  # in Zhengzhou's Erqi district, whose union is the city's
ALL_SKILLS = ["flat_tyre", "battery", "chain", "brakes", "accident", "other"]


def photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (200, 160), "red").save(content, "JPEG")
    return content.getvalue()


class Street:
    """A city with calls and rescuers: `street.call()`, `street.rescuer(metres=400)`."""

    def __init__(self, tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
        self.tree = tree
        self.boss = post(tree.zhengzhou)
        self._post = post
        self._worker = worker

    def call(
        self, worker: Worker | None = None, *, east: float = 0.0, photo: bytes | None = None, **facts: Any
    ) -> RescueCall:
        """A call, so many metres east of `HERE`."""
        told = {"problem": "flat_tyre", "lon": HERE[0] + east / 91_400, "lat": HERE[1], **facts}
        return submit_call(
            CallFacts(**told), request_id=uuid4(), worker=worker or self._worker(self.tree.zhengzhou), photo=photo
        )

    def rescuer(
        self, *, metres: float = 500.0, union: Union | None = None, on_duty: bool = True, **facts: Any
    ) -> Rescuer:
        """A mobile rescuer, so many metres east of `HERE`."""
        union = union or self.tree.zhengzhou
        person = self._worker(union)
        lon, lat = HERE[0] + metres / 91_400, HERE[1]
        told = {"name": f"师傅{person.pk}", "skills": ALL_SKILLS, "spare_batteries": 2, "lon": lon, "lat": lat, **facts}
        rescuer = create_rescuer(RescuerFacts(**told), union=union, actor=self.boss, user=person.user)
        if on_duty:
            go_on_duty(rescuer, position=(lon, lat))
        return rescuer


def fresh(call: RescueCall) -> RescueCall:
    """The call as it is stored now."""
    found: RescueCall = RescueCall.objects.with_scopes_disabled().select_related("union", "rescuer").get(pk=call.pk)
    return found


def open_offers(call: RescueCall) -> list[Offer]:
    """What waits for an answer, the earliest first."""
    found = Offer.objects.with_scopes_disabled().filter(call=call, state=OfferState.OPEN)
    return list(found.select_related("rescuer", "call").order_by("pk"))


def kinds(call: RescueCall) -> list[str]:
    """The steps of a call, by kind."""
    return list(call.events(manager="objects").with_scopes_disabled().order_by("number").values_list("kind", flat=True))
