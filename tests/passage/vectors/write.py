"""`python -m tests.passage.vectors.write`: makes the vectors anew, by the slow twin, from a fixed seed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from tests.geo.test_passage import NOW_MS, Ping, SlowKernel, Station
from yizhan.geo import FOREVER_S, PassageParameters

FILE = Path(__file__).with_name("passages.json")
WORLDS = 60
ODD = [math.nan, math.inf, -math.inf, 0.0, 180.0, -180.0, 181.0, 90.0, -90.5, 1e300]
ACCURACIES = [math.nan, math.nan, math.nan, 0.0, 5.0, 100.0, 199.99, 200.0, 200.01, 300.0, -1.0]
STEPS_MS = [0, 1, 999, 1000, 10_000, 20_000, 59_999, 60_000, 60_001, 300_000, 600_000, 3_600_000, -1, -10_000]


def world(random: np.random.Generator) -> tuple[list[Station], list[PassageParameters]]:
    """Stations and rules, small enough to meet often, with what is equal, touching or odd."""

    def one(choices: list[Any]) -> Any:
        return choices[int(random.integers(len(choices)))]

    rules = [
        PassageParameters(
            cool_down_s=one([0.0, 60.0, 600.0, 14_400.0]),
            gap_s=one([0.0, 1.0, 60.0, 600.0]),
            max_segment_gap_s=one([0.0, 60.0, 120.0, 120.0]),
            max_speed_mps=one([5.0, 50.0, 41.666666666666664]),
            still_open_s=one([0.0, 0.0, 1.0, 900.0]),
            silent_above_mps=one([math.inf, math.inf, 3.0, 20.0]),
            quiet_from_s=one([0.0, 0.0, 54_000.0, 54_400.0, 80_000.0]),
            quiet_until_s=one([0.0, 0.0, 54_400.0, 55_000.0, 1_000.0]),
        )
        for _ in range(int(random.integers(1, 4)))
    ]
    stations = []
    for number in range(int(random.integers(1, 9))):
        hours: list[tuple[int, int]] = [(-FOREVER_S, FOREVER_S)]
        if random.random() < 0.5:
            starts = sorted(int(each) for each in random.integers(-4000, 4000, 2))
            hours = [(NOW_MS // 1000 + starts[0], NOW_MS // 1000 + starts[0] + int(random.integers(1, 3000)))]
            if starts[1] > hours[0][1] - NOW_MS // 1000:
                hours.append((NOW_MS // 1000 + starts[1], NOW_MS // 1000 + starts[1] + 500))
        stations.append(
            Station(
                id=number + 1,
                lon=113.66 + int(random.integers(-12, 13)) * 0.0005
                if random.random() < 0.6
                else random.uniform(113.65, 113.67),
                lat=34.75 + int(random.integers(-12, 13)) * 0.00045
                if random.random() < 0.6
                else random.uniform(34.74, 34.76),
                radius_m=one([1.0, 50.0, 200.0, 300.0, 2_000.0]),
                hours=hours,
                rule=int(random.integers(len(rules))),
                offered=int(random.integers(0, 4)),
            )
        )
    return stations, rules


def stream(random: np.random.Generator) -> list[Ping]:
    """One vehicle's pings: a walk with jumps, repeats, clocks that run backwards, and what is no position."""
    pings, clock = [], NOW_MS
    lon, lat = 113.66, 34.75
    for _ in range(40):
        clock += int(STEPS_MS[int(random.integers(len(STEPS_MS)))])
        lon, lat = lon + random.normal(0, 0.002), lat + random.normal(0, 0.0018)
        if random.random() < 0.3:
            lon, lat = 113.66 + int(random.integers(-12, 13)) * 0.0005, 34.75 + int(random.integers(-12, 13)) * 0.00045
        x = ODD[int(random.integers(len(ODD)))] if random.random() < 0.05 else lon
        y = ODD[int(random.integers(len(ODD)))] if random.random() < 0.05 else lat
        accuracy = ACCURACIES[int(random.integers(len(ACCURACIES)))]
        asked = int(random.integers(0, 4)) if random.random() < 0.3 else 0
        pings.append(Ping(1, clock, float(x), float(y), accuracy, asked))
    return pings


def vectors() -> list[dict[str, Any]]:
    """All of them, as they stand in the file."""
    random = np.random.default_rng(20_261_124)
    found = []
    for _ in range(WORLDS):
        stations, rules = world(random)
        pings = stream(random)
        reminders = SlowKernel(stations, rules).feed(pings)
        found.append(
            {
                "rules": [_rule(each) for each in rules],
                "hours": [[list(interval) for interval in each.hours] for each in stations],
                "stations": [
                    {
                        "id": str(each.id),
                        "lon": each.lon,
                        "lat": each.lat,
                        "cosine": float(np.cos(np.radians(each.lat))),
                        "sine": float(np.sin(np.radians(each.lat))),
                        "radius_m": each.radius_m,
                        "rule": each.rule,
                        "hours": row,
                        "offers": bits(each.offered),
                    }
                    for row, each in enumerate(stations)
                ],
                "pings": [
                    [each.time_ms, number(each.lon), number(each.lat), number(each.accuracy_m), bits(each.asked)]
                    for each in pings
                ],
                "reminders": [[str(each.station), each.time_ms, each.distance_m] for each in reminders],
            }
        )
    return found


def _rule(each: PassageParameters) -> dict[str, Any]:
    return {
        "cool_down_ms": round(each.cool_down_s * 1000),
        "gap_ms": round(each.gap_s * 1000),
        "max_segment_gap_ms": round(each.max_segment_gap_s * 1000),
        "max_speed_mps": each.max_speed_mps,
        "still_open_s": each.still_open_s,
        "silent_above_mps": None if math.isinf(each.silent_above_mps) else each.silent_above_mps,
        "quiet_from_ms": round(each.quiet_from_s * 1000),
        "quiet_until_ms": round(each.quiet_until_s * 1000),
    }


def bits(mask: int) -> list[int]:
    """The bits that are set."""
    return [bit for bit in range(62) if mask >> bit & 1]


def number(value: float) -> float | str:
    """A number, or the name of what JSON has no number for."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def text() -> str:
    """The file: one vector a line."""
    lines = ",\n".join(json.dumps(each, separators=(",", ":"), allow_nan=False) for each in vectors())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
