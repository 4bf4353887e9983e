"""A route as a caller gives it: longitude and latitude pairs in the address, or a GeoJSON LineString in the body."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from yizhan.geo import Datum, convert, haversine_m

from .models import EAST, NORTH, SOUTH, WEST
from .parameters import QueryRefused

MOST_POINTS = 5_000
LONGEST_M = 1_000_000.0
LONGEST_STEP_M = 50_000.0
LARGEST_BODY = 262_144

Route = tuple[NDArray[np.float64], NDArray[np.float64]]


def route_of_text(text: str, datum: Datum) -> Route:
    """Longitudes and latitudes in WGS-84 degrees of `lon,lat;lon,lat;…`, given in `datum`.

    Raises:
        QueryRefused: it is no such text, or breaks a rule for routes.
    """
    try:
        points = [tuple(map(float, point.split(","))) for point in text.split(";") if point.strip()]
    except ValueError:
        points = []
    if not points or any(len(point) != 2 for point in points):
        raise QueryRefused("route", text, _("Write lon,lat;lon,lat;… in degrees."))
    return _checked(points, datum)


def route_of_geojson(body: bytes, datum: Datum) -> Route:
    """The same of a GeoJSON LineString, or of a feature with one.

    Raises:
        QueryRefused: it is no such document, or breaks a rule for routes.
    """
    rule = _("Send a GeoJSON LineString, or a feature with one.")
    shown = body[:80].decode("utf-8", "replace")
    try:
        found: Any = msgspec.json.decode(body)
        line = found["geometry"] if found["type"] == "Feature" else found
        coordinates: Any = line["coordinates"] if line["type"] == "LineString" else [None]
        points = [(float(point[0]), float(point[1])) for point in coordinates]
    except (msgspec.DecodeError, RecursionError, KeyError, IndexError, TypeError, ValueError, OverflowError):
        raise QueryRefused("body", shown, rule) from None
    return _checked(points, datum)


def _checked(points: Sequence[tuple[float, ...]], datum: Datum) -> Route:
    if not 2 <= len(points) <= MOST_POINTS:
        raise QueryRefused(
            "route", str(len(points)), _("A route has from 2 to %(most)d positions.") % {"most": MOST_POINTS}
        )
    for number, (x, y) in enumerate(points):
        if not (math.isfinite(x) and math.isfinite(y) and WEST <= x <= EAST and SOUTH <= y <= NORTH):
            raise QueryRefused(
                f"route[{number}]",
                f"{x},{y}",
                _("Longitude must be from %(west)g to %(east)g, latitude from %(south)g to %(north)g.")
                % {"west": WEST, "east": EAST, "south": SOUTH, "north": NORTH},
            )
    columns = np.array(points, np.float64)
    lon, lat = np.ascontiguousarray(columns[:, 0]), np.ascontiguousarray(columns[:, 1])
    if datum is not Datum.WGS84:
        lon, lat = convert(lon, lat, source=datum, target=Datum.WGS84)
    steps = haversine_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    if steps.max() > LONGEST_STEP_M:
        at = int(np.argmax(steps))
        raise QueryRefused(
            f"route[{at + 1}]",
            f"{steps[at]:.0f} m",
            _("From one position to the next are at most %(km)d km.") % {"km": LONGEST_STEP_M / 1000},
        )
    if steps.sum() > LONGEST_M:
        raise QueryRefused(
            "route",
            f"{steps.sum():.0f} m",
            _("A route is at most %(km)d km long.") % {"km": LONGEST_M / 1000},
        )
    return lon, lat
