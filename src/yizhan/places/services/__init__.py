"""Every write to the directory of places: rights, rules, one transaction, audit row; readers are told on commit."""

from yizhan.places.facts import PlaceFacts

from .importing import import_places
from .life_cycle import close_place, publish_place, withdraw_place
from .offers import vocabulary
from .places import ChangedMeanwhile, change_place, create_place, facts_of

__all__ = [
    "ChangedMeanwhile",
    "PlaceFacts",
    "change_place",
    "close_place",
    "create_place",
    "facts_of",
    "import_places",
    "publish_place",
    "vocabulary",
    "withdraw_place",
]
