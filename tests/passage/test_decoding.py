"""Whatever is sent as a batch, reading it ends in columns, in named rows, or in a clear refusal; never in a crash."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from yizhan.passage.runtime.decoding import (
    EAST,
    LATE_MS,
    NORTH,
    REASONS,
    SOUTH,
    WEST,
    Batch,
    BatchRefused,
    _read_row,
    read_batch,
)

NOW = 1_764_216_000_000

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)
vehicle = st.text(min_size=1, max_size=64) | st.integers(-(2**62), 2**62)
moment = st.integers(NOW - LATE_MS, NOW)
good_row = st.tuples(
    vehicle,
    moment,
    st.floats(WEST, EAST),
    st.floats(SOUTH, NORTH),
    st.none() | st.floats(0, 1e6),
).map(list)
odd_value = st.sampled_from([None, True, "", "x", [], {}, -1, 0, 1e300, float("nan"), float("inf"), 2**70, "9" * 70])


@st.composite
def spoiled_row(draw: st.DrawFn) -> list[Any]:
    row = draw(good_row)
    row[draw(st.integers(0, 4))] = draw(odd_value)
    return row


def read_or_refuse(body: bytes) -> Batch | BatchRefused:
    try:
        return read_batch(body, now_ms=NOW)
    except BatchRefused as refused:
        return refused


def read(document: Any) -> Batch:
    return read_batch(json.dumps(document).encode(), now_ms=NOW)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    outcome = read_or_refuse(body)

    assert isinstance(outcome, Batch) or (outcome.detail and outcome.status in (400, 413))


@given(anything, anything)
def test_any_json_is_read_or_refused(datum: Any, pings: Any) -> None:
    for document in (pings, {"datum": datum, "pings": pings}, {"datum": "WGS-84", "pings": pings}):
        outcome = read_or_refuse(json.dumps(document).encode())
        assert outcome.detail if isinstance(outcome, BatchRefused) else len(outcome.names) == len(outcome.pings)


@given(st.lists(good_row | spoiled_row() | anything, max_size=12))
def test_every_row_is_either_taken_or_named_with_its_reason(rows: list[Any]) -> None:
    batch = read({"datum": "WGS-84", "pings": rows})

    named = [each.index for each in batch.rejected]
    assert len(batch.pings) + len(named) == len(rows)
    assert named == sorted(set(named))
    assert all(each.reason for each in batch.rejected)
    pings = batch.pings
    assert np.all((pings.longitude >= WEST) & (pings.longitude <= EAST))
    assert np.all((pings.latitude >= SOUTH) & (pings.latitude <= NORTH))
    assert np.all((pings.time_ms >= NOW - LATE_MS) & (pings.time_ms <= NOW + 300_000))
    assert np.all(np.isnan(pings.accuracy_m) | (pings.accuracy_m >= 0))


@given(st.lists(good_row, max_size=12))
def test_good_rows_are_all_taken_in_their_order(rows: list[Any]) -> None:
    batch = read({"datum": "WGS-84", "pings": rows})

    assert batch.rejected == []
    assert list(batch.names) == [str(row[0]) for row in rows]
    assert batch.pings.time_ms.tolist() == [row[1] for row in rows]
    assert batch.pings.longitude.tolist() == [row[2] for row in rows]


@given(st.lists(good_row | spoiled_row(), min_size=1, max_size=12))
def test_one_row_of_another_form_does_not_change_how_the_others_are_read(rows: list[Any]) -> None:
    alone = read({"datum": "GCJ-02", "pings": rows})
    beside = read({"datum": "GCJ-02", "pings": [*rows, "no row at all"]})

    assert [(each.index, each.code) for each in beside.rejected] == [
        *((each.index, each.code) for each in alone.rejected),
        (len(rows), "row_form"),
    ]
    assert beside.names == alone.names
    assert beside.pings.longitude.tolist() == alone.pings.longitude.tolist()
    assert beside.pings.latitude.tolist() == alone.pings.latitude.tolist()


@given(anything)
def test_a_row_of_any_form_gets_a_known_reason(row: Any) -> None:
    read_row = _read_row(row)

    assert not isinstance(read_row, str) or read_row in REASONS


def test_half_a_letter_is_no_name() -> None:
    body = f'{{"datum": "WGS-84", "pings": [["\\ud800", {NOW}, 113, 34], ["{"9" * 65}", {NOW}, 113, 34]]}}'

    assert [each.code for each in read_batch(body.encode(), now_ms=NOW).rejected] == ["vehicle", "vehicle"]


def test_neither_a_batch_nor_pings_print_positions() -> None:
    batch = read({"datum": "WGS-84", "pings": [["a", NOW, 113.625, 34.751, 5]]})

    assert "113" not in repr(batch) + repr(batch.pings)
    assert "34.7" not in repr(batch) + repr(batch.pings)
