"""Positions compared with what their rows say: the stated district, the union's division, the neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from django.utils.translation import gettext as _

from yizhan.geo import haversine_m
from yizhan.places.divisions import TOLERANCE_M, District, districts, is_functional_zone

from .report import Flag
from .rows import Reading

NEAR_M = 50.0
_FAR_FROM_ITS_ZONE_M = 10_000.0
_ENOUGH_TO_TELL = 4
_CELL = 0.0006  # degrees; at least 50 m in both directions south of 54° N


def check_districts(readings: Sequence[Reading], division: str) -> None:
    """Refuse positions at sea, abroad or outside the union's division; flag those outside their stated district.

    Args:
        readings: Rows that were understood.
        division: Division code of the union that imports (empty: the whole country).
    """
    outlines = districts()
    located = outlines.locate(
        np.array([reading.columns["lon"] for reading in readings if reading.columns]),
        np.array([reading.columns["lat"] for reading in readings if reading.columns]),
    )
    zones: dict[str, list[Reading]] = defaultdict(list)
    for reading, district in zip(readings, located, strict=True):
        assert reading.columns is not None  # noqa: S101 - by contract
        if district is None:
            reading.report.refuse(_("The position lies at sea or abroad."))
            continue
        lon, lat = reading.columns["lon"], reading.columns["lat"]
        if (
            not district.code.startswith(division[:6])
            and outlines.distance_to_division_m(division[:6], lon, lat) > TOLERANCE_M
        ):
            reading.report.refuse(
                _("The position lies in %(district)s, outside the union's division.") % {"district": district.name}
            )
            continue
        _compare(reading, district, division, zones)
    for zone, members in zones.items():
        _check_zone(zone, members)


def _compare(reading: Reading, district: District, division: str, zones: dict[str, list[Reading]]) -> None:
    assert reading.columns is not None  # noqa: S101 - by contract
    stated = reading.columns["district"]
    if not stated:
        reading.columns["district"] = district.name
        return
    outlines = districts()
    # Districts of the same city, or of the union's province when it is one: names repeat across the country.
    meant = outlines.named(stated, within=max(division[:6], district.code[:4], key=len)) or outlines.named(
        stated, within=district.code[:2]
    )
    if meant == district:
        return
    if meant is None:
        if is_functional_zone(stated):
            reading.report.flags[Flag.FUNCTIONAL_ZONE] = _(
                "“%(stated)s” is a functional zone without an outline; the position lies in %(district)s."
            ) % {"stated": stated, "district": district.name}
            zones[stated].append(reading)
        else:
            reading.report.flags[Flag.UNKNOWN_DISTRICT] = _(
                "There is no district “%(stated)s” here; the position lies in %(district)s."
            ) % {"stated": stated, "district": district.name}
        return
    away = outlines.distance_m(meant, reading.columns["lon"], reading.columns["lat"])
    reading.report.flags[Flag.OUTSIDE_STATED_DISTRICT] = _(
        "Stated in %(stated)s, but the position lies in %(district)s, %(away)s from there."
    ) % {"stated": meant.name, "district": district.name, "away": _distance(away)}


def _check_zone(zone: str, members: list[Reading]) -> None:
    """A zone has no outline, but its rows lie together: one far from the others is probably misplaced."""
    if len(members) < _ENOUGH_TO_TELL:
        return
    lon = np.array([reading.columns["lon"] for reading in members if reading.columns])
    lat = np.array([reading.columns["lat"] for reading in members if reading.columns])
    away = haversine_m(lon, lat, float(np.median(lon)), float(np.median(lat)))
    for reading, metres in zip(members, away, strict=True):
        if metres > _FAR_FROM_ITS_ZONE_M:
            reading.report.flags[Flag.MISPLACED] = _(
                "Lies %(away)s from the other places of “%(zone)s”; please check the position."
            ) % {"away": _distance(metres), "zone": zone}


class Neighbours:
    """Finds what lies within 50 m of a position, among positions added so far."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[float, float, str]]] = defaultdict(list)

    def add(self, lon: float, lat: float, name: str) -> None:
        """Remember a position by a name."""
        self._cells[self._cell(lon, lat)].append((lon, lat, name))

    def extend(self, positions: Iterable[tuple[float, float, str]]) -> None:
        """Remember many."""
        for lon, lat, name in positions:
            self.add(lon, lat, name)

    def near(self, lon: float, lat: float) -> tuple[str, float] | None:
        """The nearest within 50 m, with the distance in metres."""
        x, y = self._cell(lon, lat)
        best: tuple[str, float] | None = None
        for column in (x - 1, x, x + 1):
            for row in (y - 1, y, y + 1):
                for other_lon, other_lat, name in self._cells.get((column, row), ()):
                    metres = haversine_m(lon, lat, other_lon, other_lat)
                    if metres <= NEAR_M and (best is None or metres < best[1]):
                        best = (name, metres)
        return best

    @staticmethod
    def _cell(lon: float, lat: float) -> tuple[int, int]:
        return int(lon // (2 * _CELL)), int(lat // _CELL)


def _distance(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.0f} m"
