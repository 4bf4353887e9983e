"""The stations of a part of the country with their hours and rules: what a phone judges by itself with."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

import msgspec
import numpy as np

from .world import World

TILES_PER_DEGREE = 2
MARGIN_DEGREES = 0.08  # beyond the edge of the tile, so that nobody's circle is cut by it: the widest is 2 km
MOST_KEPT = 256
VERSION = 1
_MILLISECONDS = 1000


class NoSuchTile(Exception):
    """It is not the name of a tile of half a degree."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Half a degree by half a degree, about 50 km: all that a phone says of where it is."""

    column: int
    row: int

    @classmethod
    def parse(cls, name: str) -> Self:
        """`227_69`: longitude and latitude of its south-west corner, in half degrees.

        Raises:
            NoSuchTile: it is none.
        """
        column, _, row = name.partition("_")
        try:
            found = cls(int(column), int(row))
        except ValueError:
            raise NoSuchTile(name) from None
        if f"{found.column}_{found.row}" != name or not (-360 <= found.column < 360 and -180 <= found.row < 180):
            raise NoSuchTile(name)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """A tile's stations as JSON, and the tag by which a phone asks whether it has changed."""

    body: bytes
    etag: str


class Around:
    """The tiles of one world. Used by one thread at a time; what was asked lately is kept."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: OrderedDict[Tile, Answer] = OrderedDict()

    def tile(self, tile: Tile) -> Answer:
        """The stations in a tile and a little beyond its edges."""
        if tile in self._kept:
            self._kept.move_to_end(tile)
            return self._kept[tile]
        body = msgspec.json.encode(_document(self._world, tile))
        answer = Answer(body, f'"{blake2b(body, digest_size=12).hexdigest()}"')
        self._kept[tile] = answer
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return answer


def _document(world: World, tile: Tile) -> dict[str, Any]:
    stations = world.stations
    assert stations.parameters_of is not None  # noqa: S101 (Stations fills it in)
    assert stations.offered is not None  # noqa: S101 (Stations fills it in)
    west, south = tile.column / TILES_PER_DEGREE, tile.row / TILES_PER_DEGREE
    side = 1 / TILES_PER_DEGREE
    inside = np.flatnonzero(
        (stations.lon >= west - MARGIN_DEGREES)
        & (stations.lon < west + side + MARGIN_DEGREES)
        & (stations.lat >= south - MARGIN_DEGREES)
        & (stations.lat < south + side + MARGIN_DEGREES)
    )
    used_rules, rule_of = np.unique(stations.parameters_of[inside], return_inverse=True)
    hours: dict[tuple[tuple[int, int], ...], int] = {}
    own = stations.hours.take(inside)
    shown = []
    cosine, sine = np.cos(np.radians(stations.lat[inside])), np.sin(np.radians(stations.lat[inside]))
    for at, station in enumerate(inside.tolist()):
        span = slice(own.offsets[at], own.offsets[at + 1])
        intervals = tuple(zip(own.starts_s[span].tolist(), own.ends_s[span].tolist(), strict=True))
        place = world.places[int(stations.ids[station])]
        mask = int(stations.offered[station])
        shown.append(
            {
                "id": str(place.public_id),
                "name": place.name,
                "lon": float(stations.lon[station]),
                "lat": float(stations.lat[station]),
                # The kernel's own: two machines' cosines may differ in the last bit.
                "cosine": float(cosine[at]),
                "sine": float(sine[at]),
                "radius_m": float(stations.radius_m[station]),
                "rule": int(rule_of[at]),
                "hours": hours.setdefault(intervals, len(hours)),
                "offers": [bit for bit in range(len(world.services)) if mask >> bit & 1],
            }
        )
    return {
        "version": VERSION,
        "datum": "WGS-84",
        "valid_until": int(world.valid_until.timestamp()) if world.valid_until else None,
        "services": list(world.services),
        "rules": [_rule(world, int(row)) for row in used_rules.tolist()],
        "hours": list(hours),
        # Ascending by our own numbers: of two at the same distance, the first wins.
        "stations": shown,
    }


def _rule(world: World, row: int) -> dict[str, Any]:
    rule = world.stations.parameters[row]
    silent = rule.silent_above_mps
    return {
        "cool_down_ms": round(rule.cool_down_s * _MILLISECONDS),
        "gap_ms": round(rule.gap_s * _MILLISECONDS),
        "max_segment_gap_ms": round(rule.max_segment_gap_s * _MILLISECONDS),
        "max_speed_mps": rule.max_speed_mps,
        "still_open_s": rule.still_open_s,
        "silent_above_mps": None if math.isinf(silent) else silent,
        "quiet_from_ms": round(rule.quiet_from_s * _MILLISECONDS),
        "quiet_until_ms": round(rule.quiet_until_s * _MILLISECONDS),
    }
