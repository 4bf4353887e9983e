"""Places to test with: a maker that goes through the service, as every page does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.test import Client

from tests.conftest import PostMaker
from yizhan.geo import Datum
from yizhan.places.models import Place
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.unions.models import Staff, Union

SHANGHAI = timezone(timedelta(hours=8))


def shanghai(*parts: int) -> datetime:
    """A moment by the clock on the wall."""
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type, misc]


class PlaceMaker:
    """`make_place(tree.zhongyuan, name="甲站", hours="24/7")` enters a place and publishes it."""

    def __init__(self, post: PostMaker) -> None:
        self.post = post
        self.made = 0

    def __call__(self, union: Union, *, publish: bool = True, **facts: Any) -> Place:
        self.made += 1
        actor = self.post(union)
        values: dict[str, Any] = {
            "name": f"{self.made}号驿站",
            "lon": 113.62 + self.made * 0.001,
            "lat": 34.75,
            "datum": Datum.WGS84,
            **facts,
        }
        place = create_place(PlaceFacts(**values), union=union, actor=actor)
        return publish_place(place, actor=actor) if publish else place


@pytest.fixture
def make_place(post: PostMaker) -> PlaceMaker:
    return PlaceMaker(post)


@pytest.fixture
def sign_in(client: Client) -> Any:
    """`sign_in(post(tree.zhengzhou))` gives a client in which that staff works at the desk."""

    def signed_in(staff: Staff) -> Client:
        client.force_login(staff.user)
        return client

    return signed_in
