"""The directory of places: where they are, when they are open, what they offer."""

from .imports import ImportRun
from .offers import Offer, OfferKind, OffersOfPublishedPlaces
from .place import (
    EAST,
    NORTH,
    SOUTH,
    WEST,
    DatumChoice,
    Place,
    PlaceKind,
    PlaceStatus,
    PositionSource,
    PublicPlaces,
    PublishedPlaces,
)

__all__ = [
    "EAST",
    "NORTH",
    "SOUTH",
    "WEST",
    "DatumChoice",
    "ImportRun",
    "Offer",
    "OfferKind",
    "OffersOfPublishedPlaces",
    "Place",
    "PlaceKind",
    "PlaceStatus",
    "PositionSource",
    "PublicPlaces",
    "PublishedPlaces",
]
