"""Whose call it is, by where it stands; and within which part of the tree its rescuers are looked for."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext as _

from yizhan.places.divisions import districts
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Level, Union, Worker


def union_at(lon: float, lat: float, *, worker: Worker | None = None) -> Union:
    """The union of the district in which a WGS-84 position lies, else the nearest above it, else the worker's own.

    Raises:
        RuleBroken: no union of ours is there.
    """
    district = districts().locate(np.array([lon]), np.array([lat]))[0]
    if district is not None:
        codes = [district.code[:end] for end in (6, 4, 2)]
        found = {union.division_code: union for union in Union.objects.filter(division_code__in=codes, is_active=True)}
        for code in codes:
            if code in found:
                return found[code]
    if worker is not None and worker.union is not None and worker.union.is_active:
        return worker.union
    raise RuleBroken.at(
        "lon",
        f"{lon:.5f}, {lat:.5f}",
        _("No union runs rescue there. Call 12351, or move the mark if it stands wrong."),
        "nobody_there",
    )


def territories(paths: set[str]) -> dict[str, str]:
    """For each path of a union the path under which its rescuers are: its city's, else its own topmost union's."""
    above = {path[:end] for path in paths for end in range(Union.steplen, len(path) + 1, Union.steplen)}
    cities = set(Union.objects.filter(path__in=above, level=Level.CITY).values_list("path", flat=True))
    return {
        path: next(
            (path[:end] for end in range(len(path), 0, -Union.steplen) if path[:end] in cities), path[: Union.steplen]
        )
        for path in paths
    }
