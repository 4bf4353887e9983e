"""The vectors that the browser's rule is held to: the kernel and its slow twin say the same."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from tests.passage.vectors.write import FILE, text
from yizhan.geo import OpenIntervals, PassageKernel, PassageParameters, Stations

VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))


def test_the_file_is_what_the_slow_twin_says_now() -> None:
    assert FILE.read_text("utf-8") == text()


def test_there_is_something_to_learn_from_them() -> None:
    assert sum(len(each["reminders"]) for each in VECTORS) > 200
    assert sum(not each["reminders"] for each in VECTORS) < len(VECTORS) / 2


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_the_kernel_gives_the_reminders_of_the_vector(vector: dict[str, Any]) -> None:
    def mask(bits: list[int]) -> int:
        return sum(1 << bit for bit in bits)

    places = vector["stations"]
    rules = [
        PassageParameters(
            cool_down_s=each["cool_down_ms"] / 1000,
            gap_s=each["gap_ms"] / 1000,
            max_segment_gap_s=each["max_segment_gap_ms"] / 1000,
            max_speed_mps=each["max_speed_mps"],
            still_open_s=each["still_open_s"],
            silent_above_mps=math.inf if each["silent_above_mps"] is None else each["silent_above_mps"],
            quiet_from_s=each["quiet_from_ms"] / 1000,
            quiet_until_s=each["quiet_until_ms"] / 1000,
        )
        for each in vector["rules"]
    ]
    stations = Stations(
        ids=np.array([int(each["id"]) for each in places], np.int64),
        lon=np.array([each["lon"] for each in places]),
        lat=np.array([each["lat"] for each in places]),
        radius_m=np.array([each["radius_m"] for each in places]),
        hours=OpenIntervals.of([[tuple(span) for span in each] for each in vector["hours"]]),
        parameters=rules,
        parameters_of=np.array([each["rule"] for each in places], np.int64),
        offered=np.array([mask(each["offers"]) for each in places], np.int64),
    )
    time_ms, lon, lat, accuracy, asked = zip(*vector["pings"], strict=True)
    found = PassageKernel(stations).feed(
        np.ones(len(time_ms), np.int64),
        np.array(time_ms, np.int64),
        np.array([float(each) for each in lon]),
        np.array([float(each) for each in lat]),
        np.array([float(each) for each in accuracy]),
        asked=np.array([mask(each) for each in asked], np.int64),
    )

    told = zip(found.station.tolist(), found.time_ms.tolist(), found.distance_m.tolist(), strict=True)
    assert [[str(station), moment, distance] for station, moment, distance in told] == vector["reminders"]
