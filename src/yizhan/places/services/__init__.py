"""Every write to the directory of places: rights, rules, one transaction, audit row; readers are told on commit."""

from .life_cycle import close_place, publish_place, withdraw_place
from .places import ChangedMeanwhile, PlaceFacts, change_place, create_place

__all__ = [
    "ChangedMeanwhile",
    "PlaceFacts",
    "change_place",
    "close_place",
    "create_place",
    "publish_place",
    "withdraw_place",
]
