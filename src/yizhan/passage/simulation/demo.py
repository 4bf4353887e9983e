"""Simulated riders in real time, who post their pings as a fleet would."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import numpy as np

from yizhan.passage.pings import Pings
from yizhan.passage.roads import RoadGraph

from .motion import Gps, Journey
from .posting import Server, roads_geojson

ROADS_EVERY_S = 60.0  # a server that was started anew has forgotten them
PATIENCE_S = 15.0


@dataclass(slots=True)
class _Rider:
    name: str
    at_node: int
    journey: Journey | None
    rests_until: float


class Riders:
    """Riders who deliver at random over a road graph: a journey, a short rest, the next journey.

    Args:
        count: how many riders.
    """

    def __init__(self, roads: RoadGraph, *, count: int = 300, gps: Gps | None = None, seed: int = 1) -> None:
        self.roads = roads
        self.gps = gps or Gps(every_s=5)
        self._random = np.random.default_rng(seed)
        self._nodes = self._busy_nodes()
        self._riders = [_Rider(f"sim-{i + 1:04d}", self._anywhere(), None, 0.0) for i in range(count)]
        self._due: np.ndarray | None = None

    @property
    def names(self) -> list[str]:
        """The riders' names by number."""
        return [rider.name for rider in self._riders]

    def pings(self, now: float) -> Pings:
        """The pings that are due at `now` (seconds since 1970), each rider's every `gps.every_s` seconds."""
        if self._due is None:
            self._due = now + self._random.uniform(0, self.gps.every_s, len(self._riders))
            for rider in self._riders:
                rider.rests_until = now + self._random.uniform(0, 60)
        due = np.flatnonzero(self._due <= now)
        self._start_journeys([self._riders[i] for i in due], now)
        east, north = np.empty(len(due)), np.empty(len(due))
        for row, i in enumerate(due):
            east[row], north[row] = self._where(self._riders[i], now)
        self._due[due] += self.gps.every_s * np.ceil((now - self._due[due] + 1e-9) / self.gps.every_s)
        seen_east, seen_north, accuracy = self.gps.seen(east, north, self._random)
        longitude, latitude = self.roads.frame.degrees(seen_east, seen_north)
        time_ms = np.full(len(due), round(now * 1000), np.int64)
        return Pings(due.astype(np.int64), time_ms, longitude, latitude, accuracy)

    def _start_journeys(self, riders: list[_Rider], now: float) -> None:
        waiting = []
        for rider in riders:
            if rider.journey is not None and now >= rider.journey.end_s:
                rider.journey = None
                rider.rests_until = now + float(self._random.exponential(60))
            if rider.journey is None and now >= rider.rests_until:
                waiting.append(rider)
        ends = [self._anywhere() for _ in waiting]
        for rider, end, route in zip(
            waiting, ends, self.roads.routes([rider.at_node for rider in waiting], ends), strict=True
        ):
            if route is not None:
                rider.journey = Journey(rider.name, now, route, pace=float(self._random.uniform(0.6, 1.1)))
                rider.at_node = end

    def _where(self, rider: _Rider, now: float) -> tuple[float, float]:
        if rider.journey is None:
            return float(self.roads.nodes[rider.at_node, 0]), float(self.roads.nodes[rider.at_node, 1])
        east, north = rider.journey.positions(np.array([now]))
        return float(east[0]), float(north[0])

    def _busy_nodes(self) -> np.ndarray:
        west, south, east, north = self.roads.extent
        off_centre = np.abs(self.roads.nodes - [(west + east) / 2, (south + north) / 2])
        inner = (off_centre < [(east - west) / 4, (north - south) / 4]).all(axis=1)
        everywhere = np.arange(len(self.roads.nodes))
        return np.concatenate([everywhere, np.repeat(everywhere[inner], 3)])

    def _anywhere(self) -> int:
        return int(self._random.choice(self._nodes))


def run_demo_traffic(
    base_url: str,
    key: str,
    riders: Riders,
    *,
    seconds: float | None = None,
    tick_s: float = 1.0,
    say: Callable[[str], None] = lambda text: None,
) -> int:
    """Post the riders' pings to a running server in real time, until interrupted or for `seconds`.

    While the server does not answer, the pings of that time are dropped, as a phone's would be.

    Returns:
        How many pings the server accepted.

    Raises:
        PermissionError: the server keeps refusing the key.
        Refused: the source is not a simulated one, or the server refuses a batch.
    """
    roads = roads_geojson(riders.roads, [riders.roads.frame])
    accepted = 0
    started = time.monotonic()
    silent_since = refused_since = told_at = None
    server = Server(base_url, key)
    try:
        while seconds is None or time.monotonic() - started < seconds:
            began = time.monotonic()
            batch = riders.pings(time.time())
            try:
                if roads and (told_at is None or began - told_at > ROADS_EVERY_S):
                    server.tell_roads(roads)
                    told_at = began
                accepted += server.post(batch, riders.names).accepted if len(batch) else 0
                if silent_since is not None:
                    say("the server answers")
                silent_since = refused_since = None
            except httpx.TransportError:
                if silent_since is None:
                    say("the server does not answer yet; trying on")
                silent_since, told_at = silent_since or began, None
            except PermissionError:
                # A key that was made a moment ago may not have reached the server yet.
                refused_since = refused_since or began
                if began - refused_since > PATIENCE_S:
                    raise
            time.sleep(max(0.0, tick_s - (time.monotonic() - began)))
    finally:
        server.close()
    return accepted
