"""Road graphs: read from files or generated, with quickest routes over them. No Django."""

from .files import RoadFileError, read_roads
from .graph import RoadGraph, Route
from .grid import street_grid

__all__ = ["RoadFileError", "RoadGraph", "Route", "read_roads", "street_grid"]
