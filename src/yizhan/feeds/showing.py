"""Rows of places as GeoJSON features, as entries of a list, and as lines of CSV; in any datum."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from yizhan.geo import Datum, convert
from yizhan.unions.exports import harmless

from .asking import Asked
from .facts import PlaceFacts, read_facts
from .queries.rows import Row

_encode = msgspec.json.Encoder().encode
_FEATURE = (
    '{"type":"Feature","id":"%s","geometry":{"type":"Point","coordinates":[%.6f,%.6f]},'
    '"properties":{"sequence":%d,"changed_at":"%s",%s}'
)
_ENTRY = '{"place_id":"%s","lon":%.6f,"lat":%.6f,"sequence":%d,"changed_at":"%s",%s'
_NO_OTHER_POINTS = '"entrance":null,"parking":null'


def positions(rows: Sequence[Row], datum: Datum) -> tuple[list[float], list[float]]:
    """Longitudes and latitudes of rows in degrees of `datum`."""
    lon, lat = [row.lon for row in rows], [row.lat for row in rows]
    if datum is Datum.WGS84 or not rows:
        return lon, lat
    x, y = convert(np.array(lon), np.array(lat), source=Datum.WGS84, target=datum)
    return x.tolist(), y.tolist()


def features(rows: Sequence[Row], datum: Datum = Datum.WGS84) -> list[str]:
    """A GeoJSON feature a row."""
    return _written(_FEATURE, rows, datum)


def entries(rows: Sequence[Row], datum: Datum = Datum.WGS84) -> list[str]:
    """A flat JSON object a row."""
    return _written(_ENTRY, rows, datum)


def _written(form: str, rows: Sequence[Row], datum: Datum) -> list[str]:
    lons, lats = positions(rows, datum)
    return [
        form % (row.public_id, lon, lat, row.sequence, row.changed_at, facts_in(row.facts, datum)[1:])
        for row, lon, lat in zip(rows, lons, lats, strict=True)
    ]


def facts_in(facts: str, datum: Datum) -> str:
    """The facts with their further points in `datum`."""
    if datum is Datum.WGS84 or _NO_OTHER_POINTS in facts:
        return facts
    told = read_facts(facts)
    moved: PlaceFacts = msgspec.structs.replace(
        told, entrance=_moved(told.entrance, datum), parking=_moved(told.parking, datum)
    )
    return _encode(moved).decode()


def _moved(point: list[float] | None, datum: Datum) -> list[float] | None:
    if point is None:
        return None
    lon, lat = convert(point[0], point[1], source=Datum.WGS84, target=datum)
    return [round(lon, 6), round(lat, 6)]


def gone(row: Row, *, reason: str = "") -> dict[str, Any]:
    """What is told of a place that is public no more, or that is outside of what was asked for."""
    return {"id": row.public_id, "sequence": row.sequence, "at": row.changed_at, "reason": reason or row.gone}


def matches(row: Row, asked: Asked) -> bool:
    """Whether a published place is among those asked for; the same as `Asked.condition`."""
    if asked.kinds and row.kind not in asked.kinds:
        return False
    if not row.union_path.startswith(asked.union_path):
        return False
    if asked.box is None:
        return True
    west, south, east, north = asked.box
    beside = west <= row.lon <= east if west <= east else row.lon >= west or row.lon <= east
    return beside and south <= row.lat <= north


_FACT_COLUMNS = tuple(PlaceFacts.__struct_fields__)
COLUMNS = ("id", "lon", "lat", "datum", "sequence", "changed_at", *_FACT_COLUMNS)


def csv_lines(rows: Sequence[Row], datum: Datum = Datum.WGS84, *, heading: bool = False) -> str:
    """Rows as lines of CSV (`COLUMNS`), harmless to spreadsheet programs; several values in a cell are parted by ;."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    if heading:
        writer.writerow(COLUMNS)
    lons, lats = positions(rows, datum)
    for row, lon, lat in zip(rows, lons, lats, strict=True):
        told = read_facts(facts_in(row.facts, datum))
        writer.writerow(
            [
                row.public_id,
                f"{lon:.6f}",
                f"{lat:.6f}",
                datum.value,
                row.sequence,
                row.changed_at,
                *(harmless(_cell(getattr(told, column))) for column in _FACT_COLUMNS),
            ]
        )
    return lines.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return ";".join(_item(item) for item in value)


def _item(item: Any) -> str:
    if isinstance(item, msgspec.Struct):
        return " ".join(str(part) for part in msgspec.structs.astuple(item) if part is not None)
    return str(item)
