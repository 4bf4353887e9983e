"""The forms of this room."""

from .facts import CareRulesForm, ClosureForm, EquipmentForm, PhotoForm, WordForm
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
    "PhotoForm",
    "PlaceForm",
    "ReasonForm",
    "VerificationForm",
    "WithdrawForm",
    "WordForm",
]
