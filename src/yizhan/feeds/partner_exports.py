"""Reading the file in which a partner says what it shows: CSV, xlsx or GeoJSON, in any datum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from django.utils.translation import gettext as _

from yizhan.geo import Datum, convert
from yizhan.places.importing import guess_mapping, read_table
from yizhan.unions.errors import RuleBroken

from .matching import TheirPlace

# How partners' tables call the two numbers, ours and their own.
_OUR_NUMBERS = ("station_id", "ud_id", "public_id", "编号", "驿站编号", "id")
_THEIR_NUMBERS = ("their_id", "poi_id", "poiid", "_id", "uid", "poi编号", "id")


@dataclass(frozen=True, slots=True)
class ReadExport:
    """What a file says; `unreadable` lines have no position."""

    places: Sequence[TheirPlace]
    unreadable: int


def read_export(content: bytes, *, file_name: str, datum: Datum, mapping: Mapping[str, str]) -> ReadExport:
    """The places of a file, in WGS-84.

    Columns are found by the partner's own names (`mapping`), then by the usual ones.

    Raises:
        RuleBroken: it is neither a table with name and position nor GeoJSON with points.
    """
    rows = _features(content) if content.lstrip()[:1] == b"{" else _table(content, file_name, datum, mapping)
    numbers = [(_number(row["lon"]), _number(row["lat"])) for row in rows]
    good = [index for index, (lon, lat) in enumerate(numbers) if np.isfinite(lon) and np.isfinite(lat)]
    lon, lat = convert(
        np.array([numbers[index][0] for index in good], float),
        np.array([numbers[index][1] for index in good], float),
        source=datum,
        target=Datum.WGS84,
    )
    places = [
        TheirPlace(
            rows[index]["line"],
            rows[index]["our_id"].strip(),
            rows[index]["their_id"].strip(),
            " ".join(rows[index]["name"].split()),
            x,
            y,
        )
        for index, x, y in zip(good, lon.tolist(), lat.tolist(), strict=True)
    ]
    return ReadExport(places, len(rows) - len(good))


def _features(content: bytes) -> list[dict[str, Any]]:
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RuleBroken.at("file", "", _("This is no GeoJSON."), "not_geojson") from error
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, list):
        raise RuleBroken.at("file", "", _("This is no GeoJSON FeatureCollection."), "not_geojson")
    rows = []
    for number, feature in enumerate(features, start=1):
        feature = feature if isinstance(feature, dict) else {}
        properties, geometry = _object_in(feature, "properties"), _object_in(feature, "geometry")
        at = geometry.get("coordinates") if geometry.get("type") == "Point" else None
        lon, lat = at[:2] if isinstance(at, list) and len(at) >= 2 else ("", "")
        lowered = {str(name).lower(): value for name, value in properties.items()}
        ours = _first(lowered, _OUR_NUMBERS)
        rows.append(
            {
                "line": number,
                "our_id": ours or str(feature.get("id") or ""),
                "their_id": _first(lowered, _THEIR_NUMBERS) or str(feature.get("id") or ""),
                "name": _first(lowered, ("name", "title", "_name", "名称")),
                "lon": lon,
                "lat": lat,
            }
        )
    return rows


def _table(content: bytes, file_name: str, datum: Datum, mapping: Mapping[str, str]) -> list[dict[str, Any]]:
    table = read_table(content, file_name=file_name)
    ours = {our: table.headers.index(theirs) for theirs, our in mapping.items() if theirs in table.headers}
    guessed = guess_mapping(table.headers, datum)
    columns = {name: ours.get(name, guessed.get(name)) for name in ("name", "lon", "lat")}
    both = ours.get("lonlat")
    if columns["name"] is None or (both is None and (columns["lon"] is None or columns["lat"] is None)):
        message = _("The file needs columns for the name, the longitude and the latitude; it has: %(headers)s.")
        headers = "、".join(header for header in table.headers if header)
        raise RuleBroken.at("file", file_name[:100], message % {"headers": headers}, "missing_column")
    lowered = [header.lower() for header in table.headers]
    our_id = ours.get("id", _position(lowered, _OUR_NUMBERS))
    their_id = _position([name if at != our_id else "" for at, name in enumerate(lowered)], _THEIR_NUMBERS)
    rows = []
    for row in table.rows:
        lon, lat = (
            [*row.cells[both].split(","), "", ""][:2]
            if both is not None and both < len(row.cells)
            else (_cell(row.cells, columns["lon"]), _cell(row.cells, columns["lat"]))
        )
        rows.append(
            {
                "line": row.line,
                "our_id": _cell(row.cells, our_id),
                "their_id": _cell(row.cells, their_id),
                "name": _cell(row.cells, columns["name"]),
                "lon": lon,
                "lat": lat,
            }
        )
    return rows


def _cell(cells: Sequence[str], position: int | None) -> str:
    return cells[position] if position is not None and position < len(cells) else ""


def _position(headers: Sequence[str], names: Sequence[str]) -> int | None:
    return next((headers.index(name) for name in names if name in headers), None)


def _object_in(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _first(values: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(values[name]) for name in names if values.get(name) not in (None, "")), "")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
