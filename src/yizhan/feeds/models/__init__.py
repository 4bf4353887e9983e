"""What is stored of the feeds room."""

from .changes import PlaceChange, PlaceTouch

__all__ = ["PlaceChange", "PlaceTouch"]
