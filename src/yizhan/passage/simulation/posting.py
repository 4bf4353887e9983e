"""Posts simulated pings to a running server, as a fleet would."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import numpy as np

from yizhan.geo import Datum
from yizhan.passage.frame import FlatFrame
from yizhan.passage.pings import Pings
from yizhan.passage.roads import RoadGraph

MAIN_ROAD = 33 / 3.6  # metres per second from which a road is drawn wider
LONGEST_WAIT_S = 30.0
MOST_ROADS_BYTES = 2 * 1024 * 1024


class Refused(Exception):
    """The server does not take what is posted; the message says why."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What the server said to a batch; `reminders` in the form of its answer."""

    accepted: int
    rejected: int
    reminders: list[dict[str, Any]]
    reasons: list[str]


class Server:
    """A running installation, seen by a source of pings.

    Args:
        base_url: its address, such as `http://127.0.0.1:8000`.
        key: a source's key.
        transport: how to reach it, where that is not the network.
    """

    def __init__(self, base_url: str, key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            transport=transport,
            trust_env=httpx.URL(base_url).host not in ("localhost", "127.0.0.1", "::1"),  # no proxy to this machine
        )

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def post(self, pings: Pings, names: list[str]) -> Posted:
        """Post one batch; `names` says what to call each vehicle number.

        Raises:
            PermissionError: the server refuses the key.
            Refused: it refuses the batch.
            httpx.TransportError: it cannot be reached or is not ready.
        """
        rows = [
            [names[vehicle], time_ms, round(longitude, 6), round(latitude, 6), round(accuracy, 1)]
            for vehicle, time_ms, longitude, latitude, accuracy in zip(
                pings.vehicle.tolist(),
                pings.time_ms.tolist(),
                pings.longitude.tolist(),
                pings.latitude.tolist(),
                pings.accuracy_m.tolist(),
                strict=True,
            )
        ]
        body = msgspec.json.encode({"datum": Datum.WGS84, "pings": rows})
        while (answer := self._send(body)).status_code == httpx.codes.TOO_MANY_REQUESTS:
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), LONGEST_WAIT_S))
        said = _read(answer)
        reasons = [each["reason"] for each in said["rejected"]]
        return Posted(said["accepted"], said["rejected_count"], said["reminders"], reasons)

    def _send(self, body: bytes) -> httpx.Response:
        return self._client.post("/api/pings", content=body, headers={"Content-Type": "application/json"})

    def tell_roads(self, geojson: bytes) -> None:
        """Tell the live map which roads are driven on. Only a simulated source may: so this proves that it is one.

        Raises:
            As `post`; `Refused` where the source is of real vehicles.
        """
        _read(self._client.put("/api/live/roads.geojson", content=geojson))


def _read(answer: httpx.Response) -> Any:
    if answer.status_code == 401:
        raise PermissionError("the server refuses the key: is it a source's key, and neither revoked nor replaced?")
    if answer.status_code in (502, 503, 504):
        raise httpx.ConnectError("not ready")
    if answer.is_error:
        try:
            detail = answer.json()["detail"]
        except (ValueError, KeyError, TypeError):
            detail = answer.reason_phrase
        raise Refused(f"the server answers {answer.status_code}: {detail}")
    return answer.json() if answer.content else None


def roads_geojson(roads: RoadGraph, frames: list[FlatFrame], *, most_bytes: int = MOST_ROADS_BYTES) -> bytes | None:
    """The roads in each frame as GeoJSON (WGS-84), main roads apart; if too big, main roads alone, or None."""
    features = {
        name: {
            "type": "Feature",
            "properties": {"class": name},
            "geometry": {"type": "MultiLineString", "coordinates": _lines(roads, frames, main=name == "main")},
        }
        for name in ("main", "other")
    }
    for kept in (["main", "other"], ["main"]):
        document = {"type": "FeatureCollection", "features": [features[name] for name in kept]}
        encoded = msgspec.json.encode(document)
        if len(encoded) <= most_bytes:
            return encoded
    return None


def _lines(roads: RoadGraph, frames: list[FlatFrame], *, main: bool) -> list[list[list[float]]]:
    once = {
        (min(edge.source, edge.target), max(edge.source, edge.target)): edge.line
        for edge in roads.edges
        if (edge.speed >= MAIN_ROAD) == main
    }
    return [
        np.column_stack(frame.degrees(line[:, 0], line[:, 1])).round(5).tolist()
        for frame in frames
        for line in once.values()
    ]
