"""What is stored of the feeds room."""

from .changes import Gone, PlaceChange, PlaceTouch

__all__ = ["Gone", "PlaceChange", "PlaceTouch"]
