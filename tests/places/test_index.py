"""The index in memory against a slow reading of the same snapshot."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.places.conftest import shanghai
from yizhan.geo import haversine_m
from yizhan.places.hours import Openness, state_at
from yizhan.places.index import PlaceIndex, as_utc
from yizhan.places.snapshot import DEFAULT_RADIUS_M, LOOK_AHEAD, Snapshot, intervals_of

NOON = shanghai(2026, 11, 24, 12)
HOURS = ["24/7", "08:00-22:00", "Mo-Fr 09:00-17:00; PH off", "22:00-06:00", "", "Sa-Su 10:00-16:00"]
KINDS = ["station", "restaurant", "repair_point"]
CODES = ["meal", "rest", "water"]


def snapshot_of(rows: list[tuple[float, float, str, str, frozenset[str]]], at: datetime = NOON) -> Snapshot:
    """A snapshot of rows (lon, lat, hours, kind, offers)."""
    lon, lat, hours, kinds, offers = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Snapshot(
        ids=np.arange(len(rows)),
        public_ids=[uuid4() for _row in rows],
        names=[f"{number}号驿站" for number in range(len(rows))],
        kinds=kinds,
        addresses=[""] * len(rows),
        hours=hours,
        union_ids=[1] * len(rows),
        union_paths=["0001"] * len(rows),
        lon=np.array(lon, np.float64),
        lat=np.array(lat, np.float64),
        radius_m=np.full(len(rows), DEFAULT_RADIUS_M),
        open=intervals_of(hours, Openness.YES, at),
        unknown=intervals_of(hours, Openness.UNKNOWN, at),
        offer_codes=CODES,
        offers=np.array([[code in offered for offered in offers] for code in CODES], np.bool_).reshape(3, len(rows)),
        taken_at=at.astimezone(UTC),
        valid_until=at.astimezone(UTC) + LOOK_AHEAD,
    )


ROWS = st.lists(
    st.tuples(
        st.floats(113.4, 113.9),
        st.floats(34.5, 34.9),
        st.sampled_from(HOURS),
        st.sampled_from(KINDS),
        st.frozensets(st.sampled_from(CODES)),
    ),
    max_size=30,
)
MINUTES = st.integers(0, 7 * 24 * 60)


@given(
    ROWS,
    MINUTES,
    st.booleans(),
    st.sets(st.sampled_from(KINDS), max_size=2),
    st.sets(st.sampled_from(CODES), max_size=2),
    st.integers(0, 12),
)
def test_the_nearest_are_those_a_slow_search_finds(
    rows: list[tuple[float, float, str, str, frozenset[str]]],
    minutes: int,
    open_now: bool,
    kinds: set[str],
    offers: set[str],
    count: int,
) -> None:
    at = NOON + timedelta(minutes=minutes)
    found = PlaceIndex(snapshot_of(rows)).nearest(
        113.62,
        34.75,
        at_s=int(at.timestamp()),
        count=count,
        open_now=open_now,
        kinds=tuple(sorted(kinds)),
        offers=tuple(sorted(offers)),
    )
    slow = sorted(
        haversine_m(113.62, 34.75, lon, lat)
        for lon, lat, hours, kind, offered in rows
        if (not open_now or state_at(hours, at).state is Openness.YES)
        and (not kinds or kind in kinds)
        and offers <= offered
    )[:count]
    np.testing.assert_allclose(found.metres, slow, atol=1e-3)


@given(ROWS, st.lists(MINUTES, min_size=2, max_size=8))
def test_states_and_their_changes_hold_at_any_time_in_any_order(
    rows: list[tuple[float, float, str, str, frozenset[str]]], minutes: list[int]
) -> None:
    index = PlaceIndex(snapshot_of(rows))
    for minute in minutes:
        at = NOON + timedelta(minutes=minute)
        moment = index.moment(int(at.timestamp()))
        for number, (_lon, _lat, hours, _kind, _offers) in enumerate(rows):
            expected = state_at(hours, at)
            assert moment.state(number) is expected.state
            if expected.changes_at is None or expected.changes_at < NOON + LOOK_AHEAD:
                assert as_utc(int(moment.changes_s[number])) == expected.changes_at


def test_a_moment_lasts_until_the_first_door_opens_or_closes() -> None:
    index = PlaceIndex(snapshot_of([(113.6, 34.7, hours, "station", frozenset()) for hours in HOURS]))
    edges = []
    at_s = int(NOON.timestamp())
    for _step in range(4):
        at_s = index.moment(at_s).until_s
        edges.append(as_utc(at_s))
    expected = [
        shanghai(2026, 11, 24, 17), shanghai(2026, 11, 24, 22), shanghai(2026, 11, 25, 6), shanghai(2026, 11, 25, 8)
    ]  # fmt: skip
    assert edges == expected
    assert all(left != right for left, right in pairwise(edges))


def test_an_empty_directory_answers_with_nothing() -> None:
    index = PlaceIndex(snapshot_of([]))
    assert len(index.nearest(113.6, 34.7, at_s=int(NOON.timestamp())).places) == 0
    assert len(index.within_box(73, 3, 136, 54)) == 0


def test_an_offer_that_nobody_knows_finds_nothing() -> None:
    index = PlaceIndex(snapshot_of([(113.6, 34.7, "24/7", "station", frozenset({"water"}))]))
    assert len(index.nearest(113.6, 34.7, at_s=int(NOON.timestamp()), offers=("sauna",)).places) == 0
