"""Live streams of rescue: who hears what, what is made up for after a break, and positions that wait a second."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.passage.test_hot_process import Hot, until
from tests.rescue.rescue_makers import HERE, Street, fresh, open_offers
from yizhan.rescue.live_tokens import TokenRefused, Watch, events_address, make_token, read_token
from yizhan.rescue.models import By, Duty
from yizhan.rescue.queries.live import Followed
from yizhan.rescue.services.answers import accept_offer, give_back
from yizhan.rescue.services.calls import cancel_call, say
from yizhan.rescue.services.desk import assign_call
from yizhan.rescue.services.dispatching import run_round
from yizhan.rescue.services.duty import go_off_duty, go_on_duty
from yizhan.rescue.services.positions import Told, tell_positions
from yizhan.rescue.streams import Streams


def test_a_token_tells_what_may_be_followed_for_an_hour_and_cannot_be_made_by_others() -> None:
    token = make_token("call", 12)
    assert read_token(token) == Watch("call", "12")
    for forged in ("", "call.12", token.replace("call.12", "call.13"), token[:-1]):
        with pytest.raises(TokenRefused, match="made by this site"):
            read_token(forged)
    with pytest.raises(TokenRefused, match="made by this site"):
        read_token(token, kind="rescuer")
    with time_machine.travel(timezone.now() + timedelta(minutes=61)), pytest.raises(TokenRefused, match="too old"):
        read_token(token)


def _call(pk: int = 1, *, version: int = 3, rescuer: int | None = 7) -> Followed:
    return Followed(pk, version, "on_way" if rescuer else "submitted", "0001", rescuer, "e_bike", *HERE)


def test_positions_are_followed_only_while_the_call_is_in_those_hands() -> None:
    streams = Streams()
    rider = streams.open(Watch("call", "1"))
    streams.knows(_call())
    assert [call.pk for call in streams.coming({7, 8})] == [1]
    streams.knows(_call(version=4, rescuer=None))
    assert streams.coming({7}) == []
    streams.knows(_call(version=5, rescuer=8))
    streams.moves(1, 113.6, 34.7, 4)
    assert list(rider.waiting) == ["call", "position"]
    assert b'"version":5' in rider.waiting["call"].frame  # only the newest waits
    streams.close(rider)
    assert (len(streams), streams.coming({8}), streams.calls) == (0, [], set())
    streams.close(rider)
    assert len(streams) == 0


def test_a_desk_hears_of_unions_below_its_own_and_nothing_else() -> None:
    streams = Streams()
    city, other = streams.open(Watch("board", "00010001")), streams.open(Watch("board", "00010002"))
    streams.changes(["000100010003"])
    assert list(city.waiting) == ["changed"]
    assert not other.waiting


def test_a_stream_says_hello_then_what_is_new_then_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yizhan.rescue.streams.KEEP_S", 0.01)

    async def read() -> list[bytes]:
        streams = Streams()
        stream = streams.open(Watch("rescuer", "7"))
        streams.tells({7: None})
        frames = streams.frames(stream)
        told = [await anext(frames) for _turn in range(3)]
        await frames.aclose()
        assert len(streams) == 0
        return told

    hello, changed, keep = asyncio.run(read())
    assert b"event: hello" in hello
    assert changed == b'event: changed\ndata: {"offer":null}\n\n'
    assert keep.startswith(b"event: keep")


@pytest.mark.django_db
def test_many_positions_are_one_statement_and_none_is_kept_of_those_off_duty(
    street: Street, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    on, off = [street.rescuer() for _turn in range(3)], street.rescuer()
    go_off_duty(off)
    told = {rescuer.pk: Told(113.7, 34.8, 2.0) for rescuer in [*on, off]}
    with django_assert_num_queries(1):
        kept = tell_positions(told)
    assert kept == {rescuer.pk for rescuer in on}
    duty = Duty.objects.with_scopes_disabled().get(rescuer=off)
    assert (duty.lon, duty.lat, duty.position_at) == (None, None, None)
    duty = Duty.objects.with_scopes_disabled().get(rescuer=on[0])
    assert (duty.lon, duty.lat) == (113.7, 34.8)
    assert tell_positions({}) == set()


class RescueAlone(Hot):
    """The hot process with this room alone."""

    def start(self) -> None:
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"]
        command += ["tests.rescue.hot_room:application"]
        self.process = subprocess.Popen(command, env=self.environment(), start_new_session=True)
        try:
            until(lambda: self.get("/hot/healthz").status_code == 200, seconds=180)
        except BaseException:
            self.stop(signal.SIGKILL)  # nobody else would
            raise


class Page:
    """A page that listens."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def hears(self, name: str) -> dict[str, Any]:
        """What the next event of that name says."""
        for line in self._lines:
            if line == f"event: {name}":
                told: dict[str, Any] = json.loads(next(self._lines).removeprefix("data: "))
                return told
        pytest.fail("the stream ended")


@contextmanager
def listening(hot: Hot, kind: Any, what: object) -> Iterator[Page]:
    with httpx.stream("GET", hot.address + events_address(kind, what), timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        page = Page(answer.iter_lines())
        page.hears("hello")
        yield page


@pytest.fixture
def hot(street: Street) -> Iterator[Hot]:
    process = RescueAlone()
    yield process
    process.stop()


def _tells(hot: Hot, token: str, lon: float, lat: float) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    address = hot.address + "/api/live/rescue/position"
    return httpx.post(address, json={"lon": lon, "lat": lat}, headers=headers, timeout=10)


@pytest.mark.django_db(transaction=True)
def test_rider_rescuer_and_desk_hear_of_one_call_by_their_streams(hot: Hot, street: Street) -> None:
    rescuer, call = street.rescuer(), street.call()
    token = make_token("rescuer", rescuer.pk)
    with (
        listening(hot, "call", call.pk) as rider,
        listening(hot, "rescuer", rescuer.pk) as phone,
        listening(hot, "board", street.tree.zhengzhou.path) as desk,
    ):
        assert rider.hears("call") == {"version": 1, "state": "submitted"}
        assert phone.hears("changed") == {"offer": None}
        run_round()
        (offer,) = open_offers(call)
        told = phone.hears("changed")["offer"]
        assert (told["id"], told["problem"], told["travel_s"]) == (str(offer.public_id), "flat_tyre", offer.travel_s)
        assert desk.hears("changed") == {}
        accept_offer(offer)
        assert phone.hears("changed") == {"offer": None}
        while rider.hears("call")["state"] != "accepted":
            pass

        assert _tells(hot, token, HERE[0] + 0.003, HERE[1]).json() == {"on_duty": True}
        moved = rider.hears("position")
        assert (moved["lon"], moved["lat"]) == (round(HERE[0] + 0.003, 5), HERE[1])
        assert moved["minutes"] >= 1
        duty = Duty.objects.with_scopes_disabled().get(rescuer=rescuer)
        assert duty.lon == HERE[0] + 0.003

        version = fresh(call).version
        say(call, "我在桥下", request_id=call.public_id, by=By.RIDER)
        assert rider.hears("call")["version"] == version  # something else of it changed: the page looks

    # Killed and started anew, a stream that comes back says how things stand now.
    hot.stop(signal.SIGKILL)
    give_back(call, rescuer=rescuer)
    hot.start()
    with listening(hot, "call", call.pk) as rider:
        assert rider.hears("call") == {"version": fresh(call).version, "state": "submitted"}
        _tells(hot, token, *HERE)
        cancel_call(call)
        assert rider.hears("call")["state"] == "cancelled"  # and no position of whom it was given back by

    go_off_duty(rescuer)
    until(lambda: _tells(hot, token, *HERE).json() == {"on_duty": False})
    go_on_duty(rescuer, position=HERE)
    until(lambda: _tells(hot, token, *HERE).json() == {"on_duty": True})

    # What is no position, or no permission, is refused with its reason.
    for answer, status, code in (
        (_tells(hot, token, 2.35, 48.85), 422, "outside"),
        (_tells(hot, make_token("call", call.pk), *HERE), 401, "token_invalid"),
        (httpx.get(f"{hot.address}/api/live/rescue/events?token=x"), 401, "token_invalid"),
        (
            httpx.post(
                f"{hot.address}/api/live/rescue/position", content=b"{", headers={"Authorization": f"Bearer {token}"}
            ),
            400,
            "not_a_position",
        ),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.django_db(transaction=True)
def test_listeners_hold_no_connection_to_the_database(hot: Hot, street: Street) -> None:
    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    rescuer = street.rescuer()
    call = street.call()
    assign_call(call, rescuer, actor=street.boss)
    with listening(hot, "call", call.pk):
        before = connections()
    with ExitStack() as stack:
        for _turn in range(40):
            stack.enter_context(listening(hot, "call", call.pk))
        assert connections() <= before + 1  # the second of two threads may have begun
