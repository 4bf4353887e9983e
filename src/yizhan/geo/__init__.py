"""Pure numerics: datums, distances, nearest places, the passage kernel. No Django, no I/O beyond packaged data."""

from . import _kernel_cache

_kernel_cache.use_folder_of_these_sources()  # before any kernel is defined


from yizhan.geo.datum import (
    Datum,
    UnknownDatum,
    bd09_to_gcj02,
    bd09_to_wgs84,
    convert,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from yizhan.geo.distance import EARTH_RADIUS_M, haversine_m
from yizhan.geo.nearest import NearestIndex
from yizhan.geo.open_intervals import FOREVER_S, OpenIntervals
from yizhan.geo.passage import PassageKernel, PassageParameters, Reminders, Stations
from yizhan.geo.region import in_gcj02_region

__all__ = [
    "EARTH_RADIUS_M",
    "FOREVER_S",
    "Datum",
    "NearestIndex",
    "OpenIntervals",
    "PassageKernel",
    "PassageParameters",
    "Reminders",
    "Stations",
    "UnknownDatum",
    "bd09_to_gcj02",
    "bd09_to_wgs84",
    "convert",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "haversine_m",
    "in_gcj02_region",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
]
