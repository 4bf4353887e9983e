"""What is stored of the rescue room."""

from .call import (
    ACTIVE_STATES,
    OVER_STATES,
    WAITING_STATES,
    By,
    CallEvent,
    CallEventKind,
    CallMessage,
    CallPhoto,
    CallState,
    RescueCall,
)
from .offer import Offer, OfferState
from .problem import Problem
from .rescuer import MOST_AT_ONCE, Duty, Rescuer, RescuerKind, Vehicle
from .subsidy import PROOF_RADIUS_M, Subsidy, SubsidyState, SubsidyTerms

__all__ = [
    "ACTIVE_STATES",
    "MOST_AT_ONCE",
    "OVER_STATES",
    "PROOF_RADIUS_M",
    "WAITING_STATES",
    "By",
    "CallEvent",
    "CallEventKind",
    "CallMessage",
    "CallPhoto",
    "CallState",
    "Duty",
    "Offer",
    "OfferState",
    "Problem",
    "RescueCall",
    "Rescuer",
    "RescuerKind",
    "Subsidy",
    "SubsidyState",
    "SubsidyTerms",
    "Vehicle",
]
