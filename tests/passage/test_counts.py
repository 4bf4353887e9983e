"""Counts by square and hour: only where the union wants them, never of the few, never a position."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk
from yizhan.passage.models import HourCount
from yizhan.passage.services.counts import Counted, keep_counts, record_counts
from yizhan.passage.services.sources import NewKey, create_source
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed, Role


@pytest.fixture
def admin(tree: UnionTree, post: PostMaker) -> Staff:
    return post(tree.henan)


@pytest.fixture
def counting(desk: Desk, source: NewKey, admin: Staff) -> Desk:
    """A stream whose source is counted."""
    keep_counts(staff=admin, source=source.source, kept=True)
    desk.stream.read_keys()
    return desk


def drive(
    desk: Desk, source: NewKey, vehicles: int, *, lon: float = 113.656, lat: float = 34.701, times: int = 2
) -> None:
    for _ in range(times):
        desk.clock.now += 5
        rows = [[f"车{k}", desk.clock.ms, lon, lat, 5] for k in range(vehicles)]
        assert desk.post(source.key, rows).json()["accepted"] == vehicles


def next_hour(clock: Clock) -> None:
    clock.now += 3600 + 11 * 60


def test_vehicles_are_counted_once_an_hour_and_square_and_the_few_are_left_out(counting: Desk, source: NewKey) -> None:
    drive(counting, source, 7)
    drive(counting, source, 4, lon=113.676)

    assert counting.stream.tallies.finished(counting.clock.ms) == []
    next_hour(counting.clock)
    (counted,) = counting.stream.tallies.finished(counting.clock.ms)
    record_counts([counted])

    row = HourCount.every.get()
    assert (row.vehicles, row.west, row.south) == (7, 113.65, 34.70)
    assert counting.stream.tallies.finished(counting.clock.ms) == []


def test_a_source_that_nobody_asked_to_count_leaves_nothing(desk: Desk, source: NewKey) -> None:
    drive(desk, source, 9)
    next_hour(desk.clock)

    assert desk.stream.tallies.finished(desk.clock.ms) == []


def test_what_comes_after_the_hour_was_written_is_not_counted(counting: Desk, source: NewKey) -> None:
    late = counting.clock.ms
    next_hour(counting.clock)
    counting.post(source.key, [[f"车{k}", late, 113.656, 34.701, 5] for k in range(9)])

    assert counting.stream.tallies.finished(counting.clock.ms + 10**9) == []


def test_workers_counts_of_one_square_add_up_and_the_database_refuses_the_few(source: NewKey, counting: Desk) -> None:
    drive(counting, source, 5)
    next_hour(counting.clock)
    (one,) = counting.stream.tallies.finished(counting.clock.ms)
    record_counts([one])
    record_counts([one])
    assert HourCount.every.get().vehicles == 10

    few = Counted(source.source.pk, one.hour + timedelta(hours=1), 1, 1, 4)
    with pytest.raises(IntegrityError), transaction.atomic():
        record_counts([few])


def test_no_table_of_the_room_has_a_column_for_a_position(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_name LIKE 'passage_%'"
        )
        columns = {name for (name,) in cursor.fetchall()}
    assert not [
        name for name in columns if name.rpartition(".")[2] in {"lon", "lat", "longitude", "latitude", "position"}
    ]


def test_the_switch_is_on_the_sources_page_for_those_who_manage_sources(
    client: Client, source: NewKey, admin: Staff, post: PostMaker, tree: UnionTree
) -> None:
    client.force_login(admin.user)
    address = reverse("passage:keep_counts", args=[source.source.public_id])

    assert client.post(address, {"kept": "yes"}).status_code == 302
    source.source.refresh_from_db()
    assert source.source.counts_kept
    assert client.post(address, {"kept": "no"}).status_code == 302
    source.source.refresh_from_db()
    assert not source.source.counts_kept
    with pytest.raises(NotAllowed):
        keep_counts(staff=post(tree.henan, Role.CADRE), source=source.source, kept=True)


def test_the_list_shows_exports_and_hides_what_belongs_to_others(
    client: Client, counting: Desk, source: NewKey, admin: Staff, post: PostMaker, tree: UnionTree
) -> None:
    other = create_source(staff=post(tree.guangdong), union=tree.guangdong, name="别家")
    drive(counting, source, 6)
    next_hour(counting.clock)
    (own,) = counting.stream.tallies.finished(counting.clock.ms)
    record_counts([own, Counted(other.source.pk, own.hour, 11405, 2254, 8)])
    client.force_login(admin.user)

    page = client.get(reverse("passage:counts"))
    assert page.status_code == 200
    assert "113.65, 34.70" in page.content.decode()
    assert "别家" not in page.content.decode()
    assert "113.65" not in client.get(reverse("passage:counts"), {"least": 7}).content.decode()
    squares = json.loads(client.get(reverse("passage:export_counts", args=["geojson"])).content)
    (feature,) = squares["features"]
    assert feature["properties"]["vehicles"] == 6
    assert feature["geometry"]["coordinates"][0][0] == [113.65, 34.7]
    csv = client.get(reverse("passage:export_counts", args=["csv"])).content.decode("utf-8-sig")
    assert len(csv.strip().splitlines()) == 2
