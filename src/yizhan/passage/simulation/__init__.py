"""Simulated vehicles: along real trips over real roads, or at random over a generated grid. No Django.

Whatever comes from here is simulated, and is called so wherever a figure or a map shows it.
"""

from .demo import Riders, run_demo_traffic
from .motion import Gps, Journey, pings_of
from .placement import Placement, lay_over
from .posting import Posted, Refused, Server, roads_geojson
from .trips import LaidTrips, Trip, lay_on_roads, read_trips

__all__ = [
    "Gps",
    "Journey",
    "LaidTrips",
    "Placement",
    "Posted",
    "Refused",
    "Riders",
    "Server",
    "Trip",
    "lay_on_roads",
    "lay_over",
    "pings_of",
    "read_trips",
    "roads_geojson",
    "run_demo_traffic",
]
