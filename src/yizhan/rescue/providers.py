"""Which road times this installation reckons with: the straight line, or Valhalla where the operator has map tiles."""

from __future__ import annotations

import logging
from functools import cache

from django.conf import settings

from .road_time import SPEEDS, RoadTime, StraightLine
from .valhalla import Valhalla

log = logging.getLogger("yizhan.rescue.providers")


@cache
def road_time() -> RoadTime:
    """The provider of this process. If Valhalla cannot begin, the log warns of it and the straight line goes on."""
    straight = straight_line()
    if settings.VALHALLA_CONFIGURATION is None:
        return straight
    try:
        return Valhalla(settings.VALHALLA_CONFIGURATION, costing=settings.VALHALLA_COSTING, otherwise=straight)
    except Exception as failure:  # noqa: BLE001 - its errors have no common class, and riders are not to wait for a map
        log.warning(
            "valhalla cannot begin: road times are reckoned from the straight line",
            extra={"error": f"{type(failure).__name__}: {failure}"[:200]},
        )
        return straight


def straight_line() -> StraightLine:
    """The straight line with the detour of this installation."""
    return StraightLine(detour=settings.ROAD_DETOUR)


def speeds() -> dict[str, float]:
    """Metres per second by vehicle, as set here."""
    return {**SPEEDS, **settings.ROAD_SPEEDS}
