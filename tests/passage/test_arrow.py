"""Pings as an Arrow IPC stream: the same rules as for JSON, and nothing that bytes from outside can break."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.passage.conftest import NOON, Clock, Desk
from tests.passage.test_pings_door import passing
from yizhan.passage.runtime import arrow
from yizhan.passage.runtime.arrow import read_arrow
from yizhan.passage.runtime.decoding import BatchRefused
from yizhan.passage.services.sources import NewKey

NOW = round(NOON * 1000)


def stream_of(
    columns: dict[str, Any], *, datum: str | None = "WGS-84", options: pa.ipc.IpcWriteOptions | None = None
) -> bytes:
    table = pa.table(columns)
    if datum:
        table = table.replace_schema_metadata({"datum": datum})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def columns_of(rows: list[list[Any]]) -> dict[str, Any]:
    vehicle, time, lon, lat, accuracy = zip(*rows, strict=True)
    return {
        "vehicle": pa.array(vehicle, pa.string()),
        "time": pa.array(time, pa.int64()),
        "lon": pa.array(lon, pa.float64()),
        "lat": pa.array(lat, pa.float64()),
        "accuracy_m": pa.array(accuracy, pa.float64()),
    }


def post(desk: Desk, key: str, content: bytes, query: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": arrow.MEDIA_TYPE}
    return desk.ask("POST", f"/api/pings{query}", content=content, headers=headers)


def test_arrow_and_json_are_answered_alike(desk: Desk, source: NewKey, clock: Clock) -> None:
    rows = [*passing(clock), ["乙", clock.ms, 0.0, 0.0, None], ["丙", clock.ms, 113.62, 34.75, -1.0]]
    from_json = Desk(clock).read().post(source.key, rows).json()
    from_arrow = post(desk, source.key, stream_of(columns_of(rows))).json()

    assert from_arrow["reminders"]
    for body in (from_json, from_arrow):
        for reminder in body["reminders"]:
            del reminder["id"]
    assert from_arrow == from_json


@pytest.mark.parametrize(
    "vehicle",
    [
        pa.array(["17", "17"]),
        pa.array([17, 17], pa.uint64()),
        pa.array([17, 17], pa.int32()),
        pa.array(["17", "17"], pa.large_string()),
        pa.array(["17", "17"]).dictionary_encode(),
        pa.DictionaryArray.from_arrays([8, 8], [str(number) for number in range(9, 2000)]),
    ],
)
def test_a_vehicle_may_be_a_text_a_number_or_a_word_of_a_dictionary(
    desk: Desk, source: NewKey, clock: Clock, vehicle: Any
) -> None:
    columns = columns_of(passing(clock)) | {"vehicle": vehicle}

    (reminder,) = post(desk, source.key, stream_of(columns)).json()["reminders"]

    assert reminder["vehicle"] == "17"
    assert desk.post(source.key, passing(clock, "17")).json()["reminders"] == []  # the same vehicle


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_may_be_timestamps_of_any_unit_and_zone(unit: str) -> None:
    moments = pa.array([datetime.fromtimestamp(NOON, UTC)] * 2, pa.timestamp(unit, tz="Asia/Shanghai"))
    batch = read_arrow(stream_of(columns_of([["a", 0, 113.6, 34.7, 5.0]] * 2) | {"time": moments}), now_ms=NOW)

    assert batch.pings.time_ms.tolist() == [NOW, NOW]


def test_the_datum_may_come_with_the_address(desk: Desk, source: NewKey, clock: Clock) -> None:
    content = stream_of(columns_of(passing(clock)), datum=None)

    assert post(desk, source.key, content).json()["code"] == "datum_missing"
    assert post(desk, source.key, content, "?datum=Mars").json()["code"] == "datum_unknown"
    assert len(post(desk, source.key, content, "?datum=WGS-84").json()["reminders"]) == 1


def test_rows_that_are_wrong_are_named_and_the_others_taken() -> None:
    rows = [
        ["a", NOW, 113.6, 34.7, None],
        [None, NOW, 113.6, 34.7, 5.0],
        ["", NOW, 113.6, 34.7, 5.0],
        ["x" * 65, NOW, 113.6, 34.7, 5.0],
        ["a", None, 113.6, 34.7, 5.0],
        ["a", NOW, None, 34.7, 5.0],
        ["a", NOW, 113.6, float("nan"), 5.0],
        ["a", NOW // 1000, 113.6, 34.7, 5.0],
        ["a", NOW, 113.6, 34.7, float("nan")],
        ["b", NOW, 113.6, 34.7, 5.0],
    ]
    batch = read_arrow(stream_of(columns_of(rows)), now_ms=NOW)

    assert list(batch.names) == ["a", "b"]
    assert [(each.index, each.code) for each in batch.rejected] == [
        (1, "vehicle"),
        (2, "vehicle"),
        (3, "vehicle"),
        (4, "time"),
        (5, "position"),
        (6, "position"),
        (7, "time_late"),
        (8, "accuracy"),
    ]


def test_accuracy_may_be_left_out_and_reals_may_be_short() -> None:
    columns = columns_of([["a", NOW, 113.6, 34.7, None]])
    del columns["accuracy_m"]
    columns["lon"] = columns["lon"].cast(pa.float32())

    assert len(read_arrow(stream_of(columns), now_ms=NOW).pings) == 1
    assert len(read_arrow(stream_of({name: each[:0] for name, each in columns.items()}), now_ms=NOW).pings) == 0


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("vehicle", pa.array([1.5])),
        ("vehicle", pa.array([b"a"])),
        ("vehicle", pa.nulls(1)),
        ("time", pa.array([datetime.fromtimestamp(NOON, UTC)], pa.timestamp("ms"))),
        ("time", pa.array([2**62], pa.timestamp("s", tz="UTC"))),
        ("time", pa.array([1.0])),
        ("lon", pa.array([113])),
        ("lat", None),
    ],
)
def test_a_column_of_another_type_is_refused_and_named(name: str, column: Any) -> None:
    columns = columns_of([["a", NOW, 113.6, 34.7, 5.0]]) | {name: column}
    if column is None:
        del columns[name]

    with pytest.raises(BatchRefused, match=f"column {name} ") as refused:
        read_arrow(stream_of(columns), now_ms=NOW)
    assert refused.value.code == "column"


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("coded", [False, True])
def test_compressed_buffers_are_refused_for_they_may_unfold_to_any_size(compression: str, coded: bool) -> None:
    columns = columns_of([["a", NOW, 113.6, 34.7, 5.0]] * 500)
    if coded:
        columns["vehicle"] = columns["vehicle"].dictionary_encode()
    with pytest.raises(BatchRefused) as refused:
        read_arrow(stream_of(columns, options=pa.ipc.IpcWriteOptions(compression=compression)), now_ms=NOW)

    assert refused.value.code == "compressed"


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "MAX_ROWS", 3)

    with pytest.raises(BatchRefused) as refused:
        read_arrow(stream_of(columns_of([["a", NOW, 113.6, 34.7, 5.0]] * 4)), now_ms=NOW)
    assert (refused.value.status, refused.value.code) == (413, "too_many")


WHOLE = stream_of(
    columns_of([["甲", NOW, 113.6, 34.7, 5.0], [None, NOW, 113.6, 34.7, None]])
    | {"vehicle": pa.array(["甲", None]).dictionary_encode()}
)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_bytes_that_were_changed_on_the_way_break_nothing(changes: list[tuple[int, int]]) -> None:
    body = bytearray(WHOLE)
    for at, byte in changes:
        body[at] = byte
    try:
        batch = read_arrow(bytes(body), now_ms=NOW)
    except BatchRefused:
        return
    assert len(batch.names) == len(batch.pings)
    assert all(isinstance(name, str) and name for name in batch.names)


@given(st.one_of(st.binary(max_size=200), st.integers(0, len(WHOLE)).map(lambda end: WHOLE[:end])))
def test_anything_that_is_no_stream_is_refused_in_words(body: bytes) -> None:
    with contextlib.suppress(BatchRefused):
        assert len(read_arrow(body, now_ms=NOW).pings) <= 2
