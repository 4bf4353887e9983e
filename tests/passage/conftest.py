"""Places that remind, fleets that ping, and a stream between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.passage.hot import routes_of
from yizhan.passage.runtime.stream import Stream
from yizhan.passage.services.log import Passed
from yizhan.passage.services.sources import NewKey, create_source
from yizhan.places.models import Place

NOON = 1_764_216_000.0  # Thursday, 27 November 2025, 12:00 in Shanghai


@pytest.fixture
def make_place(post: PostMaker) -> PlaceMaker:
    return PlaceMaker(post)


@pytest.fixture
def place(make_place: PlaceMaker, tree: UnionTree) -> Place:
    """A published place of Zhongyuan district that never closes."""
    return make_place(tree.zhongyuan, name="枫杨驿站", lon=113.62, lat=34.75, hours="24/7")


@pytest.fixture
def source(post: PostMaker, tree: UnionTree) -> NewKey:
    return create_source(staff=post(tree.henan), union=tree.henan, name="某外卖平台")


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    @property
    def ms(self) -> int:
        return round(self.now * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Kept:
    """A writer that only keeps."""

    passed: list[Passed] = field(default_factory=list)

    is_full: bool = False

    def put(self, passed: Sequence[Passed]) -> Future[set[UUID]]:
        self.passed.extend(passed)
        written: Future[set[UUID]] = Future()
        written.set_result({each.public_id for each in passed})
        return written

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Desk:
    """A stream with its doors, asked as a partner asks; without threads of its own, so that tests stay in step."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept = Kept()
        self.stream = Stream(writer=self.kept, clock=clock)  # type: ignore[arg-type]
        self.application = Starlette(routes=routes_of(self.stream))

    def read(self) -> Desk:
        self.stream.read_keys()
        self.stream.read_world()
        return self

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.application)
            async with httpx.AsyncClient(transport=transport, base_url="http://hot") as client:
                return await client.request(method, path, **options)

        return run(asked())

    def post(self, key: str, rows: Any, *, datum: Any = "WGS-84") -> httpx.Response:
        body = json.dumps({"datum": datum, "pings": rows}).encode()
        return self.ask("POST", "/api/pings", content=body, headers=bearer(key))


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


@pytest.fixture
def desk(clock: Clock, place: Place, source: NewKey) -> Desk:
    """A stream that knows one place and one source."""
    return Desk(clock).read()
