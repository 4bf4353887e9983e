"""Pure numerics: datums, distances, nearest places, the passage kernel. No Django, no I/O beyond packaged data."""

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
from yizhan.geo.region import in_gcj02_region

__all__ = [
    "Datum",
    "UnknownDatum",
    "bd09_to_gcj02",
    "bd09_to_wgs84",
    "convert",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "in_gcj02_region",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
]
