"""What the live map shows of simulated vehicles: positions of now, figures, roads. In memory only."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np

from yizhan.passage.pings import Pings
from yizhan.passage.pseudonyms import short_name

from .live import Event, event

SHOWN_FOR_S = 20.0  # a vehicle that falls silent for this long is gone
VERSION = 1

Where: TypeAlias = tuple[float, float, float]  # longitude, latitude, and when it came (seconds since 1970)


@dataclass(slots=True)
class _Traffic:
    """The simulated vehicles of one union."""

    at: dict[int, Where] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    pings: int = 0
    reminders: int = 0
    newest_ms: int = 0
    figures_at: float = 0.0
    figures_pings: int = 0
    figures_newest_ms: int = 0


class SimulatedTraffic:
    """All simulated vehicles, by the place in the tree of the union that simulates them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traffic: dict[str, _Traffic] = {}
        self._roads: dict[str, bytes] = {}

    def update(self, union_path: str, pings: Pings, *, reminders: int, now: float) -> None:
        """Note a batch: the last position of each vehicle counts."""
        if not len(pings):
            return
        longitude, latitude = pings.longitude.round(5).tolist(), pings.latitude.round(5).tolist()
        with self._lock:
            traffic = self._traffic.setdefault(union_path, _Traffic())
            for vehicle, lon, lat in zip(pings.vehicle.tolist(), longitude, latitude, strict=True):
                traffic.at[vehicle] = (lon, lat, now)
                traffic.moved.add(vehicle)
            traffic.pings += len(pings)
            traffic.reminders += reminders
            traffic.newest_ms = max(traffic.newest_ms, int(pings.time_ms.max()))

    def set_roads(self, union_path: str, geojson: bytes) -> None:
        """Keep the roads that a union's simulation drives on, as GeoJSON."""
        self._roads[union_path] = geojson

    def roads(self, watcher_path: str) -> bytes | None:
        """The roads of the simulation that a watcher sees: their own, else the nearest on their branch of the tree."""
        seen = [path for path in self._roads if _same_branch(path, watcher_path)]
        return self._roads[min(seen, key=lambda path: abs(len(path) - len(watcher_path)))] if seen else None

    def changes(self, now: float) -> list[tuple[str, list[Event]]]:
        """Who moved and who is gone since the last call, and once a second the figures; by path of the union."""
        with self._lock:
            changed = []
            for path, traffic in list(self._traffic.items()):
                gone = [vehicle for vehicle, at in traffic.at.items() if at[2] < now - SHOWN_FOR_S]
                for vehicle in gone:
                    del traffic.at[vehicle]
                    traffic.moved.discard(vehicle)
                events = []
                if traffic.moved or gone:
                    events.append(_vehicles(traffic, traffic.moved, gone))
                    traffic.moved = set()
                if not traffic.at:
                    del self._traffic[path]
                    events.append(event("hello", _hello([])))
                elif now - traffic.figures_at >= 1:
                    events.append(_figures(traffic, now))
                if events:
                    changed.append((path, events))
            return changed

    def first(self, watcher_path: str) -> list[Event]:
        """What a new stream begins with: whether something runs, and all vehicles."""
        with self._lock:
            seen = [traffic for path, traffic in self._traffic.items() if _same_branch(path, watcher_path)]
            return [event("hello", _hello(seen)), *(_vehicles(traffic, traffic.at, []) for traffic in seen)]


def _same_branch(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _hello(seen: list[_Traffic]) -> dict[str, Any]:
    at = [where for traffic in seen for where in traffic.at.values()]
    bounds = None
    if at:
        # The crowd, not the one vehicle that a bad fix has thrown across the river.
        low, high = np.quantile(np.array(at)[:, :2], [0.02, 0.98], axis=0).round(5).tolist()
        bounds = [*low, *high]
    return {"version": VERSION, "at": _text(datetime.now(UTC)), "running": bool(at), "bounds": bounds}


def _vehicles(traffic: _Traffic, chosen: set[int] | dict[int, Where], gone: list[int]) -> Event:
    shown = [[short_name(vehicle), traffic.at[vehicle][0], traffic.at[vehicle][1]] for vehicle in chosen]
    data: dict[str, Any] = {"at": _moment(traffic.newest_ms), "total": len(traffic.at), "vehicles": shown}
    if gone:
        data["gone"] = [short_name(vehicle) for vehicle in gone]
    return event("vehicles", data)


def _figures(traffic: _Traffic, now: float) -> Event:
    passed = now - traffic.figures_at if traffic.figures_at else 0.0
    speed_up = (traffic.newest_ms - traffic.figures_newest_ms) / 1000 / passed if passed else 1.0
    data = {
        "at": _moment(traffic.newest_ms),
        "vehicles": len(traffic.at),
        "pings": traffic.pings,
        "reminders": traffic.reminders,
        "pings_per_second": round((traffic.pings - traffic.figures_pings) / passed) if passed else 0,
        "speed_up": max(round(speed_up), 1),
    }
    traffic.figures_at, traffic.figures_pings, traffic.figures_newest_ms = now, traffic.pings, traffic.newest_ms
    return event("figures", data)


def _moment(milliseconds: int) -> str:
    return _text(datetime.fromtimestamp(milliseconds / 1000, UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
