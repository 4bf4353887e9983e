"""What is passed: stations with their circles, hours and rules."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from yizhan.geo._columns import column
from yizhan.geo.open_intervals import OpenIntervals

MAX_RADIUS_M = 5_000.0
MAX_LATITUDE = 75.0
MAX_PATH_M = 50_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageParameters:
    """The rules that one union sets for its stations.

    Attributes:
        cool_down_s: after a reminder of a station, the same vehicle is not reminded of it again for this long.
        gap_s: after a reminder of any station, the vehicle is not reminded of this union's stations for this long.
        max_segment_gap_s: two consecutive pings no further apart than this are joined by a straight path; 0 means that
            only pings themselves count.
        max_speed_mps: a path that would have been driven faster than this, in metres a second, was not driven.
        still_open_s: a station must stay open for this long after the moment of passage.
        silent_above_mps: no reminder where the path to the ping was driven faster than this, in metres a second.
            Without a path the speed is not known, and nothing is silenced.
        quiet_from_s, quiet_until_s: no reminder from the one until before the other, in seconds after midnight UTC;
            past midnight where the second is the smaller; never where they are the same.
    """

    cool_down_s: float = 4 * 3600.0
    gap_s: float = 600.0
    max_segment_gap_s: float = 120.0
    max_speed_mps: float = 50.0
    still_open_s: float = 0.0
    silent_above_mps: float = math.inf
    quiet_from_s: float = 0.0
    quiet_until_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cool_down_s", "gap_s", "max_segment_gap_s", "max_speed_mps", "still_open_s"):
            value = getattr(self, name)
            if not 0 <= value <= 366 * 86_400:
                raise ValueError(f"{name} is {value}: must be between 0 and a year (31622400)")
        for name in ("quiet_from_s", "quiet_until_s"):
            value = getattr(self, name)
            if not 0 <= value < 86_400:
                raise ValueError(f"{name} is {value}: must be within a day, from 0 to before 86400")
        if not self.silent_above_mps >= 0:
            raise ValueError(f"silent_above_mps is {self.silent_above_mps}: must not be below 0")
        if self.max_segment_gap_s * self.max_speed_mps > MAX_PATH_M:
            raise ValueError(
                f"max_segment_gap_s × max_speed_mps is {self.max_segment_gap_s * self.max_speed_mps:.0f} m: "
                f"a path must not be longer than {MAX_PATH_M:.0f} m"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Stations:
    """N stations, as columns.

    Attributes:
        ids: stable numbers of the stations, int64, each once. Memory of reminders is kept by them.
        lon, lat: position in WGS-84 degrees.
        radius_m: radius of the circle in metres, above 0, at most 5,000.
        hours: open intervals, one row a station.
        parameters: the table of rules.
        parameters_of: for each station its row in that table; all the first row when not given.
        offered: for each station the services that it offers now, a bit each; nothing when not given.

    Raises:
        ValueError: lengths differ, an id repeats, or a value is out of range; names field, station and rule.
    """

    ids: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    hours: OpenIntervals
    parameters: Sequence[PassageParameters] = (PassageParameters(),)
    parameters_of: NDArray[np.int64] | None = field(default=None)
    offered: NDArray[np.int64] | None = field(default=None)

    def __post_init__(self) -> None:
        count = np.size(self.ids)
        given = np.zeros(count, np.int64) if self.parameters_of is None else self.parameters_of
        put = object.__setattr__
        put(self, "ids", column(self.ids, np.int64))
        put(self, "lon", column(self.lon, np.float64))
        put(self, "lat", column(self.lat, np.float64))
        put(self, "radius_m", column(np.broadcast_to(self.radius_m, (count,)), np.float64))
        put(self, "parameters", tuple(self.parameters))
        put(self, "parameters_of", column(given, np.int64))
        put(self, "offered", column(np.zeros(count, np.int64) if self.offered is None else self.offered, np.int64))
        for name in ("lon", "lat", "hours", "parameters_of", "offered"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows for {count} stations")
        if len(np.unique(self.ids)) != count:
            raise ValueError("ids: a station id occurs twice")
        self._refuse("lon", self.lon, np.abs(self.lon) <= 180, "must be between -180 and 180 degrees")
        self._refuse("lat", self.lat, np.abs(self.lat) <= MAX_LATITUDE, f"must be within {MAX_LATITUDE} degrees")
        radius_fits = (self.radius_m > 0) & (self.radius_m <= MAX_RADIUS_M)
        self._refuse("radius_m", self.radius_m, radius_fits, f"must be above 0 and at most {MAX_RADIUS_M} m")
        known = (given >= 0) & (given < len(self.parameters))
        self._refuse("parameters_of", given, known, f"must be a row of the table of {len(self.parameters)}")

    def __len__(self) -> int:
        return len(self.ids)

    def _refuse(self, name: str, values: NDArray[np.generic], fits: NDArray[np.bool_], rule: str) -> None:
        if not np.all(fits):
            at = int(np.argmin(fits))
            raise ValueError(f"{name} of station {self.ids[at]} is {values[at]}: {rule}")
