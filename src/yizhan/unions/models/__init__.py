"""The union tree and its people."""

from .inbox import InboxMessage
from .people import Membership, Occupation, Staff, User, UserManager, Worker
from .trail import AuditEntry
from .tree import Level, Union

__all__ = [
    "AuditEntry",
    "InboxMessage",
    "Level",
    "Membership",
    "Occupation",
    "Staff",
    "Union",
    "User",
    "UserManager",
    "Worker",
]
