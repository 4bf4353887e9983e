"""The directory of places: where they are, when they are open, what they offer."""

from .imports import ImportRun
from .offers import Offer, OfferKind, OffersOfPublishedPlaces
from .place import (
    EAST,
    MOST_STARS,
    NORTH,
    SOUTH,
    STARS_TO_BEGIN_WITH,
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
    "MOST_STARS",
    "NORTH",
    "SOUTH",
    "STARS_TO_BEGIN_WITH",
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
