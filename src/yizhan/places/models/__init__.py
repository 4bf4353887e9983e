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
from .plates import Plate, PlateVisits
from .reports import (
    EventKind,
    Report,
    ReportEvent,
    ReportKind,
    ReportPhoto,
    ReportReceipt,
    ReportRules,
    ReportState,
    StarChange,
)

__all__ = [
    "EAST",
    "MOST_STARS",
    "NORTH",
    "SOUTH",
    "STARS_TO_BEGIN_WITH",
    "WEST",
    "DatumChoice",
    "EventKind",
    "ImportRun",
    "Offer",
    "OfferKind",
    "OffersOfPublishedPlaces",
    "Place",
    "PlaceKind",
    "PlaceStatus",
    "Plate",
    "PlateVisits",
    "PositionSource",
    "PublicPlaces",
    "PublishedPlaces",
    "Report",
    "ReportEvent",
    "ReportKind",
    "ReportPhoto",
    "ReportReceipt",
    "ReportRules",
    "ReportState",
    "StarChange",
]
