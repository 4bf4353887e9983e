"""The forms of this room."""

from .hours import HoursForm
from .imports import ImportForm, MappingForm
from .place import PlaceForm, ReasonForm

__all__ = ["HoursForm", "ImportForm", "MappingForm", "PlaceForm", "ReasonForm"]
