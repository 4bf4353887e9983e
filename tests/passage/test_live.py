"""Live events: who sees what, and what becomes of a reader who is slow or comes back."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Desk, bearer, run
from tests.passage.test_pings_door import passing
from tests.places.conftest import PlaceMaker
from yizhan.passage.live_tokens import LIFETIME_S, TokenRefused, Watcher, make_token, read_token
from yizhan.passage.runtime.live import MOST_WAITING, Event, Hub, Subscriber, event
from yizhan.passage.services.log import Passed, record_reminders
from yizhan.passage.services.sources import NewKey, create_source
from yizhan.places.models import Place
from yizhan.unions.identity import new_public_id


def frames(subscriber: Subscriber) -> list[tuple[str, Any]]:
    """Name and data of what waits."""
    read = []
    for each in subscriber.waiting:
        lines = each.frame.decode().splitlines()
        name = next(line for line in lines if line.startswith("event: ")).removeprefix("event: ")
        data = next(line for line in lines if line.startswith("data: ")).removeprefix("data: ")
        read.append((name, json.loads(data)))
    return read


def named(subscriber: Subscriber, name: str) -> list[Any]:
    return [data for each, data in frames(subscriber) if each == name]


def test_a_reminder_is_shown_to_the_places_union_and_those_above_and_to_no_neighbour(
    desk: Desk, source: NewKey, place: Place, tree: UnionTree
) -> None:
    watchers = {
        name: desk.stream.watch(getattr(tree, name).path)
        for name in ("henan", "zhengzhou", "zhongyuan", "shifo", "jinshui", "guangdong", "shenzhen")
    }

    desk.post(source.key, passing(desk.clock))

    seen = {name for name, watcher in watchers.items() if named(watcher, "reminder")}
    assert seen == {"henan", "zhengzhou", "zhongyuan"}
    (shown,) = named(watchers["zhongyuan"], "reminder")
    assert shown["place"] == str(place.public_id)
    assert (shown["lon"], shown["lat"]) == (113.62, 34.75)  # of the place, not of the vehicle
    assert shown["simulated"] is False
    assert "甲-17" not in str(shown)


def test_positions_are_shown_of_simulated_vehicles_only(
    desk: Desk, source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    made_up = create_source(staff=post(tree.zhengzhou), union=tree.zhengzhou, name="模拟骑手", is_simulated=True)
    desk.stream.read_keys()
    desk.post(source.key, passing(desk.clock, "real"))
    assert desk.stream.simulated.changes(desk.clock()) == []

    desk.post(made_up.key, passing(desk.clock, "made up"))
    watchers = [desk.stream.watch(union.path) for union in (tree.henan, tree.zhengzhou, tree.shifo, tree.shenzhen)]

    assert [len(named(watcher, "vehicles")) for watcher in watchers] == [1, 1, 1, 0]
    (vehicles,) = named(watchers[0], "vehicles")
    assert [each[1:] for each in vehicles["vehicles"]] == [[113.626, 34.751]]
    assert [named(watcher, "hello")[0]["running"] for watcher in watchers] == [True, True, True, False]


def test_vehicles_that_fall_silent_are_gone(desk: Desk, post: PostMaker, tree: UnionTree) -> None:
    made_up = create_source(staff=post(tree.henan), union=tree.henan, name="模拟骑手", is_simulated=True)
    desk.stream.read_keys()
    desk.post(made_up.key, passing(desk.clock))
    watcher = desk.stream.watch(tree.henan.path)

    ((_, first),) = desk.stream.simulated.changes(desk.clock())
    desk.clock.now += 60
    ((path, last),) = desk.stream.simulated.changes(desk.clock())
    desk.stream.hub.publish_simulation(path, [*first, *last])

    assert len(named(watcher, "vehicles")[-1]["gone"]) == 1
    assert named(watcher, "hello")[-1]["running"] is False
    assert named(watcher, "figures")[0]["pings"] == 2
    assert desk.stream.simulated.changes(desk.clock()) == []


def test_who_comes_back_gets_the_reminders_that_they_missed(
    desk: Desk, source: NewKey, place: Place, tree: UnionTree
) -> None:
    ids = []
    for number in range(3):
        body = desk.post(source.key, passing(desk.clock, f"vehicle {number}")).json()
        ids.append(body["reminders"][0]["id"])

    back = desk.stream.watch(tree.zhongyuan.path, last_event_id=ids[0])
    new = desk.stream.watch(tree.zhongyuan.path)
    neighbour = desk.stream.watch(tree.shenzhen.path, last_event_id=ids[0])

    assert [each["id"] for each in named(back, "reminder")] == ids[1:]
    assert named(new, "reminder") == named(neighbour, "reminder") == []


def test_a_slow_reader_misses_vehicles_before_reminders_and_holds_up_nobody() -> None:
    hub = Hub()
    slow = hub.open("0001")
    hub.publish_reminder("1", "0001", {"id": 1})
    for number in range(MOST_WAITING * 2):
        hub.publish_simulation("0001", [event("vehicles", {"number": number})])

    assert len(slow.waiting) == MOST_WAITING
    assert slow.missed == MOST_WAITING + 1
    assert named(slow, "reminder") == [{"id": 1}]
    assert named(slow, "vehicles")[-1]["number"] == MOST_WAITING * 2 - 1


def test_the_queue_stays_bounded_even_if_only_reminders_come() -> None:
    subscriber = Subscriber("0001")
    for _ in range(MOST_WAITING * 2):
        subscriber.give(Event(b"", may_be_left_out=False))
    subscriber.give(Event(b"", may_be_left_out=True))

    assert len(subscriber.waiting) == MOST_WAITING


def test_a_stream_is_forgotten_when_its_reader_leaves() -> None:
    hub = Hub()

    async def read() -> list[bytes]:
        subscriber = hub.open("0001")
        reading = hub.frames(subscriber)
        first = await anext(reading)
        hub.publish_reminder("1", "00010001", {"id": 1})
        second = await asyncio.wait_for(anext(reading), 5)
        await reading.aclose()  # type: ignore[attr-defined]
        return [first, second]

    first, second = run(read())
    assert first.startswith(b"retry: ")
    assert second.startswith(b"id: 1\nevent: reminder\ndata: {")
    assert len(hub) == 0


def test_a_token_is_for_one_union_and_runs_out(settings: Any) -> None:
    token = make_token(Watcher("00010002"))
    assert read_token(token) == Watcher("00010002")

    for forged in ("", "0001", token.replace("00010002", "0001"), token + "x"):
        with pytest.raises(TokenRefused):
            read_token(forged)
    with time_machine.travel(LIFETIME_S + 5 + time.time()), pytest.raises(TokenRefused) as refused:
        read_token(token)
    assert refused.value.code == "token_expired"


def test_when_unions_move_in_the_tree_every_watcher_must_prove_their_right_anew(
    desk: Desk, source: NewKey, place: Place, tree: UnionTree
) -> None:
    desk.clock.now = time.time()
    token = make_token(Watcher(tree.zhongyuan.path))
    watcher = desk.stream.watch(tree.zhongyuan.path)

    desk.clock.now += 1
    desk.stream.tree_changed()

    desk.post(source.key, passing(desk.clock))
    assert named(watcher, "reminder") == []

    async def rest() -> list[bytes]:
        return [each async for each in desk.stream.hub.frames(watcher)]

    assert run(rest()) == [b"retry: 3000\n\n"]
    assert desk.ask("GET", f"/api/live/events?token={token}").json()["code"] == "token_expired"
    with time_machine.travel(desk.clock.now + 1):
        assert read_token(make_token(Watcher("0001")), made_after=desk.stream.tokens_made_after) == Watcher("0001")


@pytest.mark.parametrize("path", ["/api/live/events", "/api/live/roads.geojson"])
def test_without_a_valid_token_nothing_is_shown(desk: Desk, path: str) -> None:
    for query in ("", "?token=0001", "?token=" + make_token(Watcher("0001")).replace("0001", "")):
        answer = desk.ask("GET", path + query)
        assert answer.status_code == 401
        assert answer.json()["code"] == "token_invalid"


def test_only_a_simulated_source_tells_its_roads_and_only_its_branch_sees_them(
    desk: Desk, source: NewKey, post: PostMaker, tree: UnionTree, make_place: PlaceMaker
) -> None:
    made_up = create_source(staff=post(tree.zhengzhou), union=tree.zhengzhou, name="模拟骑手", is_simulated=True)
    desk.stream.read_keys()
    roads = {"type": "FeatureCollection", "features": []}

    def put(key: str, content: bytes) -> int:
        return desk.ask("PUT", "/api/live/roads.geojson", content=content, headers=bearer(key)).status_code

    assert put(source.key, json.dumps(roads).encode()) == 403
    assert put("yzp_wrong", json.dumps(roads).encode()) == 401
    assert put(made_up.key, b"[]") == 400
    assert put(made_up.key, b"{}") == 400
    assert put(made_up.key, b" " * 3_000_000) == 413
    assert put(made_up.key, json.dumps(roads).encode()) == 204

    def get(path: str) -> int:
        return desk.ask("GET", f"/api/live/roads.geojson?token={make_token(Watcher(path))}").status_code

    assert [get(union.path) for union in (tree.henan, tree.shifo, tree.shenzhen)] == [200, 200, 404]


@pytest.mark.django_db(transaction=True)  # read in another thread
def test_who_comes_back_after_a_restart_gets_what_they_missed_from_the_log(
    desk: Desk, source: NewKey, place: Place, make_place: PlaceMaker, tree: UnionTree
) -> None:
    there = make_place(tree.shenzhen, name="深圳驿站", lon=114.05, lat=22.54, hours="24/7")
    numbers = [new_public_id() for _ in range(4)]
    rows = zip(numbers, [place, place, there, place], strict=True)
    record_reminders(
        [
            Passed(
                number, k, of.pk, of.union_id, source.source.pk, datetime.fromtimestamp(desk.clock(), UTC), 90.0, False
            )
            for k, (number, of) in enumerate(rows)
        ]
    )
    desk.clock.now = time.time()  # the log notes when it was written

    async def back(last: str) -> Subscriber:
        return await desk.stream.watch_on(tree.zhengzhou.path, last_event_id=last)

    missed = run(back(str(numbers[0])))

    assert [each["id"] for each in named(missed, "reminder")] == [str(numbers[1]), str(numbers[3])]
    assert named(run(back(str(numbers[3]))), "reminder") == []
    assert named(run(back("no id")), "reminder") == []


@pytest.mark.django_db(transaction=True)  # read in another thread
def test_what_another_worker_wrote_is_shown_once(desk: Desk, source: NewKey, place: Place, tree: UnionTree) -> None:
    desk.clock.now = time.time()
    watcher = desk.stream.watch(tree.zhengzhou.path)
    number = new_public_id()
    record_reminders([Passed(number, 7, place.pk, place.union_id, source.source.pk, datetime.now(UTC), 90.0, False)])

    async def told_twice() -> None:
        await desk.stream.watch_on(tree.henan.path, last_event_id="")  # so that the stream knows its loop
        for _ in range(2):
            await asyncio.to_thread(desk.stream.show_others)
            await asyncio.sleep(0)

    run(told_twice())

    assert [each["id"] for each in named(watcher, "reminder")] == [str(number)]
