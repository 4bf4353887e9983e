"""Which line of a partner's export is which of our places, and what is wrong with it.

By number first: ours, or the one that the partner told us. Then by name and distance, for lines and places that no
number joined: the likeness of names is that of rapidfuzz over names without what all stations share.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from rapidfuzz import fuzz
from scipy.spatial import cKDTree

from yizhan.geo import haversine_m
from yizhan.geo.distance import METRES_PER_DEGREE

MOVED_M = 50.0
SEARCHED_M = 800.0
MERGED_M = 50.0
FOREIGN_M = 1_000.0
ALIKE = 70.0  # of 100: below it, two names are of different places
SAME_NAME = 85.0  # below it, a place was renamed
_COMMON = re.compile(r"[\s·•\-—_,，.。()（）【】\[\]《》“”\"']+|工会|总工会|户外劳动者|服务站点|服务站|驿站|服务点")


@dataclass(frozen=True, slots=True)
class OurPlace:
    """What should be there; WGS-84 degrees. `their_id` is what the partner calls it, where it told us."""

    key: int
    public_id: str
    their_id: str
    name: str
    lon: float
    lat: float
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class TheirPlace:
    """A line of the export; WGS-84 degrees."""

    line: int
    our_id: str
    their_id: str
    name: str
    lon: float
    lat: float

    @property
    def number(self) -> str:
        """What the partner calls it; in a file with one column of numbers, whatever stands there."""
        return self.their_id or self.our_id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one of our places, or of a line that is none of them (`ours` is None).

    Attributes:
        kind: A `FindingKind`; empty: as it should be.
        is_by_number: Joined by a number; None: not joined.
    """

    ours: OurPlace | None
    theirs: TheirPlace | None
    kind: str = ""
    metres: float | None = None
    likeness: float | None = None
    is_by_number: bool | None = None
    with_whom: str = ""

    @property
    def details(self) -> dict[str, Any]:
        """For whoever looks at the listing later."""
        found = {
            "metres": None if self.metres is None else round(self.metres),
            "likeness": None if self.likeness is None else round(self.likeness),
            "name": self.theirs.name if self.theirs else None,
            "line": self.theirs.line if self.theirs else None,
            "with": self.with_whom or None,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def words(self) -> str:
        """In one line, as evidence keeps it."""
        if self.theirs is None:
            return _("not in the file")
        metres = f", {round(self.metres)} m" if self.metres is not None else ""
        return f"“{self.theirs.name}”{metres}"


def compare(ours: Sequence[OurPlace], theirs: Sequence[TheirPlace]) -> list[Verdict]:
    """A verdict on each of our places, and one on each line that is none of ours."""
    joined = _by_number(ours, theirs)
    merged = _foreign(joined, ours)
    for key in merged:
        del joined[key]
    free_ours = [place for place in ours if place.key not in joined]
    used = {theirs_.line for theirs_ in joined.values()}
    by_name = _by_name(free_ours, [line for line in theirs if line.line not in used])
    verdicts = [
        _verdict(place, joined.get(place.key) or by_name.get(place.key), is_by_number=place.key in joined)
        for place in ours
    ]
    taken = used | {line.line for line in by_name.values()}
    verdicts = _with_mergers(verdicts, merged)
    return [*verdicts, *(Verdict(None, line, "unknown") for line in theirs if line.line not in taken)]


def _by_number(ours: Sequence[OurPlace], theirs: Sequence[TheirPlace]) -> dict[int, TheirPlace]:
    known = {place.public_id: place for place in ours}
    called = {place.their_id: place for place in ours if place.their_id}
    joined: dict[int, TheirPlace] = {}
    for line in theirs:
        place = known.get(line.our_id.lower()) or called.get(line.their_id) or called.get(line.our_id)
        if place is not None and place.key not in joined:
            joined[place.key] = line
    return joined


def _foreign(joined: dict[int, TheirPlace], ours: Sequence[OurPlace]) -> dict[int, str]:
    """Places under whose number the partner shows something else altogether: far away, and of another name."""
    found = {}
    for place in ours:
        line = joined.get(place.key)
        if line is None or haversine_m(place.lon, place.lat, line.lon, line.lat) <= FOREIGN_M:
            continue
        if likeness(place.name, line.name) < ALIKE:
            found[place.key] = line.name
    return found


def _by_name(ours: Sequence[OurPlace], theirs: Sequence[TheirPlace]) -> dict[int, TheirPlace]:
    """The best pairs of like names not too far apart; each place and each line in one pair at most."""
    if not ours or not theirs:
        return {}
    here, there = _flat([(p.lon, p.lat) for p in ours]), _flat([(p.lon, p.lat) for p in theirs])
    pairs = []
    for place, near in zip(ours, cKDTree(there).query_ball_point(here, SEARCHED_M), strict=True):
        for index in near:
            line = theirs[index]
            alike = likeness(place.name, line.name)
            metres = haversine_m(place.lon, place.lat, line.lon, line.lat)
            # On the same spot it is the same place even under a rather different name.
            if alike >= ALIKE or (metres <= MOVED_M and alike >= ALIKE / 2):
                pairs.append((-alike + metres / 20, place.key, line.line, line))
    pairs.sort(key=lambda pair: pair[:3])
    joined: dict[int, TheirPlace] = {}
    taken: set[int] = set()
    for _cost, key, number, line in pairs:
        if key not in joined and number not in taken:
            joined[key] = line
            taken.add(number)
    return joined


def _flat(points: Sequence[tuple[float, float]]) -> Any:
    """Metres east and north, near enough for looking around in a country."""
    columns = np.array(points, float).reshape(-1, 2)
    return np.column_stack(
        [columns[:, 0] * METRES_PER_DEGREE * np.cos(np.radians(columns[:, 1])), columns[:, 1] * METRES_PER_DEGREE]
    )


def _verdict(place: OurPlace, line: TheirPlace | None, *, is_by_number: bool) -> Verdict:
    if line is None:
        return Verdict(place, None, "missing" if place.is_wanted else "")
    metres = float(haversine_m(place.lon, place.lat, line.lon, line.lat))
    alike = likeness(place.name, line.name)
    kind = ""
    if not place.is_wanted:
        kind = "still_shown"
    elif metres > MOVED_M:
        kind = "moved"
    elif alike < SAME_NAME:
        kind = "renamed"
    return Verdict(place, line, kind, metres, alike, is_by_number)


def _with_mergers(verdicts: Sequence[Verdict], foreign: dict[int, str]) -> list[Verdict]:
    """What is missing because the partner took it for another: that one's line stands where both are."""
    shown = [verdict for verdict in verdicts if verdict.theirs is not None and verdict.ours is not None]
    tree = cKDTree(_flat([(v.theirs.lon, v.theirs.lat) for v in shown if v.theirs])) if shown else None
    found = []
    for verdict in verdicts:
        ours = verdict.ours
        if ours is None or verdict.kind != "missing":
            found.append(verdict)
            continue
        other = foreign.get(ours.key, "")
        if not other and tree is not None:
            metres, index = tree.query(_flat([(ours.lon, ours.lat)])[0])
            if metres <= MERGED_M and shown[index].theirs is not None:
                other = shown[index].theirs.name
        found.append(Verdict(ours, None, "merged", with_whom=other) if other else verdict)
    return found


def likeness(ours: str, theirs: str) -> float:
    """How alike two names are, of 100, leaving out what nearly all stations are called."""
    a, b = _bare(ours), _bare(theirs)
    if not a or not b:
        return float(fuzz.ratio(ours, theirs))
    return float(max(fuzz.ratio(a, b), fuzz.token_set_ratio(a, b) if " " in a + b else 0.0))


@lru_cache(maxsize=50_000)
def _bare(name: str) -> str:
    return _COMMON.sub("", unicodedata.normalize("NFKC", name)).casefold()
