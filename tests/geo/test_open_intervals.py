"""Open intervals: half-open, joined, looked up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yizhan.geo import FOREVER_S, OpenIntervals

interval = st.tuples(st.integers(-50, 50), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(st.lists(interval, max_size=5), max_size=5), st.integers(-60, 80))
def test_a_place_is_open_while_any_of_its_intervals_holds(places: list[list[tuple[int, int]]], now: int) -> None:
    hours = OpenIntervals.of(places)
    expected = [any(start <= now < end for start, end in intervals) for intervals in places]
    assert hours.is_open_at(now).tolist() == expected
    for until, opening, intervals in zip(hours.open_until(now), hours.next_opening(now), places, strict=True):
        seconds = {s for start, end in intervals for s in range(start, end)}
        if now in seconds:
            assert until == next(s for s in range(now, 200) if s not in seconds)
        else:
            assert until == -FOREVER_S
        later = [s for s in seconds if s > now and s - 1 not in seconds]
        assert opening == min(later, default=FOREVER_S)


def test_an_interval_starts_at_its_start_and_ends_before_its_end() -> None:
    hours = OpenIntervals.of([[(100, 200)]])
    assert [bool(hours.is_open_at(t)[0]) for t in (99, 100, 199, 200)] == [False, True, True, False]


def test_intervals_that_touch_are_one() -> None:
    assert OpenIntervals.of([[(100, 200), (200, 300), (50, 120)]]).open_until(60).tolist() == [300]


def test_always_is_always_and_never_is_never() -> None:
    assert OpenIntervals.always(2).is_open_at(0).all()
    assert OpenIntervals.always(2).open_until(0).tolist() == [FOREVER_S] * 2
    assert not OpenIntervals.never(2).is_open_at(0).any()
    assert OpenIntervals.never(2).next_opening(0).tolist() == [FOREVER_S] * 2
    assert len(OpenIntervals.of([])) == 0


def test_chosen_places_keep_their_hours_in_the_order_chosen() -> None:
    hours = OpenIntervals.of([[(0, 10)], [], [(5, 15), (20, 30)]])
    taken = hours.take([2, 1, 0, 2])
    assert taken.is_open_at(12).tolist() == [True, False, False, True]
    assert taken.is_open_at(25).tolist() == [True, False, False, True]
    assert taken.open_until(7).tolist() == [15, -FOREVER_S, 10, 15]
    assert len(hours.take([])) == 0


@pytest.mark.parametrize(
    ("starts", "ends", "offsets", "message"),
    [
        ([0], [1, 2], [0, 1], "starts_s has 1 intervals, ends_s has 2"),
        ([0], [1], [0], "offsets must ascend"),
        ([0], [1], [1, 1], "offsets must ascend"),
        ([0, 5], [1, 6], [0, 2, 1, 2], "offsets must ascend"),
        ([5], [5], [0, 1], "place 0: interval"),
        ([0, 3], [5, 9], [0, 0, 2], "place 1: interval"),
        ([3, 0], [5, 2], [0, 2], "place 0: interval"),
    ],
)
def test_arrays_that_are_no_intervals_are_refused(
    starts: list[int], ends: list[int], offsets: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        OpenIntervals(np.array(starts), np.array(ends), np.array(offsets))
