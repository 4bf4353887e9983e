"""Places to feed with."""

from tests.places.conftest import make_place

__all__ = ["make_place"]
