"""What is stored of the cases room."""

from .case import (
    OPEN_STATES,
    By,
    Case,
    CaseEvent,
    CaseEventKind,
    CaseFile,
    CaseParty,
    CaseSource,
    CaseState,
    ClosedHow,
    PartyRole,
)
from .kinds import CaseKind, CircleSeat, IntakeClient, IntakeCode, MailDigest, SavedFilter

__all__ = [
    "OPEN_STATES",
    "By",
    "Case",
    "CaseEvent",
    "CaseEventKind",
    "CaseFile",
    "CaseKind",
    "CaseParty",
    "CaseSource",
    "CaseState",
    "CircleSeat",
    "ClosedHow",
    "IntakeClient",
    "IntakeCode",
    "MailDigest",
    "PartyRole",
    "SavedFilter",
]
