"""The forms of this room."""

from .facts import CareRulesForm, ClosureForm, EquipmentForm, OccupancyForm, PhotoForm, WordForm
from .hours import HoursForm
from .imports import ImportForm, MappingForm
from .place import PlaceForm, ReasonForm, WithdrawForm
from .verification import VerificationForm

__all__ = [
    "CareRulesForm",
    "ClosureForm",
    "EquipmentForm",
    "HoursForm",
    "ImportForm",
    "MappingForm",
    "OccupancyForm",
    "PhotoForm",
    "PlaceForm",
    "ReasonForm",
    "VerificationForm",
    "WithdrawForm",
    "WordForm",
]
