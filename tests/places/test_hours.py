"""Hours against China's calendar of 2026, as the State Council published it."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import OpeningHours, State

from tests.places.conftest import SHANGHAI, shanghai
from yizhan.places.hours import HoursNotUnderstood, Openness, Weekly, open_intervals, spans, state_at, validate
from yizhan.places.hours.calendar import DayClass, day_class

YES, NO, UNKNOWN = Openness.YES, Openness.NO, Openness.UNKNOWN
OFFICE = "Mo-Fr 09:00-17:00; PH off"


def state(hours: str, *moment: int) -> Openness:
    return state_at(hours, shanghai(*moment)).state


def test_the_calendar_of_2026_has_long_holidays_and_make_up_workdays() -> None:
    national_day = [date(2026, 10, day) for day in range(1, 8)]
    assert {day_class(day) for day in national_day} == {DayClass.HOLIDAY}
    make_up = [
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ]
    assert {day_class(day) for day in make_up} == {DayClass.MAKE_UP_WORKDAY}
    assert day_class(date(2026, 11, 24)) is DayClass.ORDINARY
    assert day_class(date(2031, 11, 24)) is DayClass.UNPUBLISHED


@pytest.mark.parametrize("day", range(1, 8))
def test_an_office_is_closed_on_all_seven_days_of_the_national_holiday(day: int) -> None:
    assert state(OFFICE, 2026, 10, day, 10) is NO


@pytest.mark.parametrize("hours", [OFFICE, "Mo-Fr 09:00-17:00", "Mo-Fr 09:00-17:00; Sa-Su off"])
def test_a_make_up_saturday_and_a_make_up_sunday_count_as_workdays(hours: str) -> None:
    assert state(hours, 2026, 10, 10, 10) is YES
    assert state(hours, 2026, 9, 20, 10) is YES
    assert state(hours, 2026, 9, 20, 18) is NO
    assert state(hours, 2026, 9, 19, 10) is NO


def test_what_is_open_at_weekends_is_not_on_a_make_up_saturday() -> None:
    assert state("Sa-Su 10:00-16:00", 2026, 10, 10, 12) is NO
    assert state("Sa-Su 10:00-16:00", 2026, 10, 17, 12) is YES


def test_without_a_word_on_holidays_a_holiday_is_like_a_sunday() -> None:
    assert state("Mo-Fr 09:00-17:00", 2026, 10, 1, 10) is NO
    assert state("Mo-Fr 09:00-17:00; Sa-Su 10:00-16:00", 2026, 10, 1, 15) is YES
    assert state("Mo-Fr 09:00-17:00; Sa-Su 10:00-16:00", 2026, 10, 1, 16, 30) is NO
    assert state("Mo-Su 09:00-17:00", 2026, 10, 1, 10) is YES
    assert state("09:00-17:00", 2026, 10, 1, 10) is YES


def test_holiday_hours_of_their_own_hold_on_every_day_of_the_holiday() -> None:
    hours = "Mo-Fr 09:00-17:00; PH 10:00-12:00"
    assert state(hours, 2026, 10, 2, 11) is YES
    assert state(hours, 2026, 10, 2, 14) is NO
    assert state("Su,PH 10:00-12:00", 2026, 10, 6, 11) is YES
    assert state("Su,PH 10:00-12:00", 2026, 10, 10, 11) is NO


def test_a_make_up_day_whose_weekday_matters_is_open_only_when_every_working_day_is() -> None:
    hours = "Mo 09:00-12:00; Tu-Fr 09:00-17:00"
    assert state(hours, 2026, 10, 10, 10) is YES
    assert state(hours, 2026, 10, 10, 15) is UNKNOWN
    assert state(hours, 2026, 10, 10, 18) is NO


def test_a_night_runs_on_into_a_holiday_and_out_of_it() -> None:
    hours = "Mo-Fr 22:00-02:00; PH off"
    assert state(hours, 2026, 9, 30, 23) is YES
    assert state("Sa 22:00-02:00", 2026, 10, 18, 1) is YES
    assert state("Sa 22:00-02:00", 2026, 10, 11, 1) is NO  # the 10th was worked
    assert state("Mo-Fr 22:00-02:00", 2026, 10, 11, 1) is YES


def test_in_a_year_without_published_holidays_what_depends_on_them_is_unknown() -> None:
    assert state(OFFICE, 2031, 3, 3, 10) is UNKNOWN
    assert state(OFFICE, 2031, 3, 1, 10) is UNKNOWN  # a Saturday might be worked
    assert state(OFFICE, 2031, 3, 3, 3) is NO  # at night it is closed however the day is read
    assert state("08:00-22:00", 2031, 3, 3, 10) is YES
    assert state("24/7", 2031, 10, 1, 10) is YES


def test_no_hours_are_unknown_and_never_change() -> None:
    answer = state_at("", shanghai(2026, 11, 24, 12))
    assert (answer.state, answer.changes_at) == (UNKNOWN, None)
    assert open_intervals("", shanghai(2026, 11, 24), shanghai(2026, 11, 25)) == []


def test_the_answer_says_when_it_changes_across_a_long_holiday() -> None:
    assert state_at(OFFICE, shanghai(2026, 11, 24, 12)).changes_at == shanghai(2026, 11, 24, 17)
    assert state_at(OFFICE, shanghai(2026, 9, 30, 18)).changes_at == shanghai(2026, 10, 8, 9)
    assert state_at("24/7", shanghai(2026, 11, 24, 12)).changes_at is None


def test_open_intervals_are_utc_and_clipped() -> None:
    start, end = shanghai(2026, 11, 24, 9), shanghai(2026, 11, 25, 9)
    intervals = open_intervals("08:00-12:00,14:00-18:00", start, end)
    assert intervals == [
        (shanghai(2026, 11, 24, 9), shanghai(2026, 11, 24, 12)),
        (shanghai(2026, 11, 24, 14), shanghai(2026, 11, 24, 18)),
        (shanghai(2026, 11, 25, 8), shanghai(2026, 11, 25, 9)),
    ]
    assert all(moment.tzinfo is UTC for interval in intervals for moment in interval)


@pytest.mark.parametrize(
    "text", ["x", "Mo-Fr 9-17", "25:00-26:00", "Mo-Fr 09:00–17:00", "PH -1 day 10:00-12:00", "a" * 501]
)
def test_broken_hours_are_refused(text: str) -> None:
    with pytest.raises(HoursNotUnderstood):
        validate(text)


def test_the_accepted_spelling_is_canonical() -> None:
    assert validate(" Mo-Fr 9:00-17:00; PH off ") == "Mo-Fr 09:00-17:00; PH closed"
    assert validate("") == ""


MINUTES = st.integers(0, 24 * 60 - 1)
DAY_TIMES = st.lists(MINUTES, min_size=0, max_size=4, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
WEEKS = st.builds(
    lambda days, holidays: Weekly.of(dict(enumerate(days)), holidays),
    st.lists(DAY_TIMES, min_size=7, max_size=7),
    st.none() | DAY_TIMES,
)
MOMENTS = st.datetimes(shanghai(2025, 12, 20).replace(tzinfo=None), shanghai(2027, 1, 10).replace(tzinfo=None)).map(
    lambda moment: moment.replace(tzinfo=SHANGHAI)
)


@given(WEEKS)
def test_a_week_survives_being_written_and_read(week: Weekly) -> None:
    syntax = week.syntax()
    if syntax:
        again = Weekly.parse(syntax)
        assert again is not None
        assert again.days == week.days
        assert again.holidays == week.holidays


def slow_openness(week: Weekly, moment: datetime) -> Openness:
    """The obvious reading of a week within days, one moment at a time."""
    minute = moment.hour * 60 + moment.minute
    holidays = week.holidays if week.holidays is not None else week.days[6]
    day = week.days[moment.weekday()]
    workdays = week.days[:5]
    readings = {
        DayClass.ORDINARY: [day],
        DayClass.HOLIDAY: [holidays],
        DayClass.MAKE_UP_WORKDAY: list(workdays),
        DayClass.UNPUBLISHED: [day, holidays, *(workdays if moment.weekday() >= 5 else ())],
    }[day_class(moment.date())]
    answers = {any(start <= minute < end for start, end in times) for times in readings}
    if len(answers) > 1:
        return UNKNOWN
    return YES if answers.pop() else NO


@given(WEEKS, MOMENTS)
def test_evaluation_agrees_with_the_obvious_reading(week: Weekly, moment: datetime) -> None:
    syntax = week.syntax()
    if syntax and any(week.days):
        assert state_at(syntax, moment).state is slow_openness(week, moment)


@given(WEEKS, MOMENTS, st.integers(1, 20 * 24 * 60))
def test_spans_cover_the_time_without_gap_and_each_differs_from_the_next(
    week: Weekly, start: datetime, minutes: int
) -> None:
    end = start + timedelta(minutes=minutes)
    found = spans(week.syntax(), start, end)
    assert (found[0].start, found[-1].end) == (start, end)
    for left, right in pairwise(found):
        assert left.end == right.start
        assert left.state is not right.state


@given(WEEKS, st.datetimes(shanghai(2026, 6, 1).replace(tzinfo=None), shanghai(2026, 6, 18).replace(tzinfo=None)))
def test_on_ordinary_days_the_library_alone_says_the_same(week: Weekly, moment: datetime) -> None:
    syntax = week.syntax()
    if syntax:
        alone = OpeningHours(syntax).state(moment)[0]
        expected = {State.OPEN: YES, State.CLOSED: NO, State.UNKNOWN: UNKNOWN}[alone]
        assert state_at(syntax, moment.replace(tzinfo=SHANGHAI)).state is expected
