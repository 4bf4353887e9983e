"""What is stored of the feeds room."""

from .changes import Gone, PlaceChange, PlaceTouch
from .listings import (
    Evidence,
    EvidenceKind,
    Finding,
    FindingKind,
    Listing,
    ListingState,
    PartnerExport,
    Push,
    PushOutcome,
)
from .partners import Carrier, FileForm, Partner, PauseReason, Signing

__all__ = [
    "Carrier",
    "Evidence",
    "EvidenceKind",
    "FileForm",
    "Finding",
    "FindingKind",
    "Gone",
    "Listing",
    "ListingState",
    "Partner",
    "PartnerExport",
    "PauseReason",
    "PlaceChange",
    "PlaceTouch",
    "Push",
    "PushOutcome",
    "Signing",
]
