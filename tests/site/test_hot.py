"""The hot application as it is assembled from the rooms."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from yizhan.site.hot import application, assemble


def ask(app: Any, path: str, method: str = "GET") -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hot") as client:
            return await client.request(method, path)

    return asyncio.run(asked())


async def fails(_request: Request) -> Response:
    raise RuntimeError("113.62, 34.75")


async def greets(_request: Request) -> Response:
    return PlainTextResponse("hello")


def room(name: str, **parts: Any) -> SimpleNamespace:
    return SimpleNamespace(__name__=f"yizhan.{name}.hot", routes=[], **parts)


def test_it_answers_for_every_room_that_has_something_hot() -> None:
    paths = {getattr(route, "path", "") for route in application.routes}

    assert {"/api/pings", "/api/live/events", "/api/places/nearest", "/hot/readyz", "/hot/metrics"} <= paths


def test_it_is_ready_when_every_room_is() -> None:
    states = {"one": True, "two": False}
    app = assemble([room("one", ready=lambda: states["one"]), room("two", ready=lambda: states["two"]), room("three")])

    assert ask(app, "/hot/healthz").text == "ok\n"
    waiting = ask(app, "/hot/readyz")
    assert (waiting.status_code, waiting.json()) == (503, {"ready": False, "checks": states})
    states["two"] = True
    assert ask(app, "/hot/readyz").status_code == 200


def test_rooms_start_in_order_and_stop_in_reverse() -> None:
    told: list[str] = []

    def teller(text: str) -> Any:
        async def tell() -> None:
            told.append(text)

        return tell

    rooms = [room(name, startup=teller(f"{name} starts"), shutdown=teller(f"{name} stops")) for name in ("one", "two")]

    async def live() -> None:
        async with assemble(rooms).router.lifespan_context(assemble(rooms)):
            told.append("serving")

    asyncio.run(live())
    assert told == ["one starts", "two starts", "serving", "two stops", "one stops"]


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/nowhere", "GET", 404), ("/greets", "POST", 405), ("/fails", "GET", 500)]
)
def test_errors_are_problem_documents_that_tell_nothing_from_inside(path: str, method: str, status: int) -> None:
    app = assemble([SimpleNamespace(__name__="x", routes=[Route("/fails", fails), Route("/greets", greets)])])

    answer = ask(app, path, method)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": answer.json()["title"],
        "status": status,
        "instance": path,
    }


def test_what_goes_past_routing_is_answered_and_its_failure_told_as_a_problem() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("inside")

    async def routed(request: Request) -> Response:
        return PlainTextResponse("routed")

    room = SimpleNamespace(routes=[Route("/often", routed, methods=["POST"])])
    room.direct = {"/often": PlainTextResponse("direct"), "/broken": fails}
    hot = assemble([room])
    assert ask(hot, "/often").text == "direct"
    assert ask(hot, "/often", "POST").text == "routed"
    broken = ask(hot, "/broken")
    assert (broken.status_code, broken.headers["content-type"]) == (500, "application/problem+json")
    assert "inside" not in broken.text
