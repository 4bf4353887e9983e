"""Moments reach the database whatever offset they are written with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EARLY, LATE = (datetime(year, 1, 1, 8, tzinfo=UTC).replace(tzinfo=None) for year in (1900, 2200))
MOMENTS = st.datetimes(EARLY, LATE, timezones=OFFSETS)


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(moment=MOMENTS)
def test_a_moment_of_any_offset_is_the_same_moment_in_the_database(moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [moment])
        (found,) = cursor.fetchone()
    assert found == moment


@pytest.mark.django_db
def test_what_has_no_offset_stays_as_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamp", [EARLY])
        assert cursor.fetchone() == (EARLY,)


@pytest.mark.django_db
def test_a_far_offset_in_a_question_is_answered() -> None:
    asked = {"modified_after": "2061-09-18T03:37:49+21:03"}
    assert Client().get("/api/hsds/service_at_locations", asked).status_code == 200
