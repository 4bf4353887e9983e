"""The hot application over the simulated places of the benchmark, for `benchmarks.places` to ask over HTTP.

Served by Granian, one worker, as in an installation; only the places come from memory instead of the database.
"""

import os
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
django.setup()

from benchmarks.places import PLACES, SEED, simulated_places  # noqa: E402 - the settings come first
from yizhan.places.hot import direct_of, routes_of  # noqa: E402
from yizhan.places.hours import Openness  # noqa: E402
from yizhan.places.index import PlaceIndex  # noqa: E402
from yizhan.places.prepared import Prepared  # noqa: E402
from yizhan.places.snapshot import DEFAULT_RADIUS_M, LOOK_AHEAD, Snapshot, intervals_of  # noqa: E402
from yizhan.site.hot import assemble  # noqa: E402

OFFERS = ("charging", "meal", "rest", "toilet", "water")


def snapshot() -> Snapshot:
    """The simulated places with names, hours and offers; about 60 % are open at any hour of the day."""
    rng = np.random.default_rng(SEED)
    lon, lat = simulated_places(rng)
    now = datetime.now(UTC)
    hours = [("24/7", "24/7", "24/7", "08:00-20:00", "20:00-08:00")[choice] for choice in rng.integers(0, 5, PLACES)]
    return Snapshot(
        ids=np.arange(PLACES),
        public_ids=[UUID(int=number) for number in range(PLACES)],
        names=[f"{number}号驿站（模拟）" for number in range(PLACES)],
        kinds=["station"] * PLACES,
        addresses=["模拟路1号"] * PLACES,
        hours=hours,
        union_ids=[1] * PLACES,
        union_paths=["0001"] * PLACES,
        lon=lon,
        lat=lat,
        radius_m=np.full(PLACES, DEFAULT_RADIUS_M),
        open=intervals_of(hours, Openness.YES, now),
        unknown=intervals_of(hours, Openness.UNKNOWN, now),
        offer_codes=OFFERS,
        offers=rng.random((len(OFFERS), PLACES)) < 0.5,
        taken_at=now,
        valid_until=now + LOOK_AHEAD,
    )


keeper: Any = SimpleNamespace(current=Prepared(PlaceIndex(snapshot())))
application = assemble([SimpleNamespace(routes=routes_of(keeper), direct=direct_of(keeper))])
