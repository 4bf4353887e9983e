"""Every write to the directory of places: rights, rules, one transaction, audit row; readers are told on commit."""

from yizhan.places.facts import PlaceFacts

from .care import set_care_rules, tell_of_neglect
from .closures import lift_closure, shut_place
from .equipment import EquipmentFacts, add_equipment, change_equipment, remove_equipment, set_state
from .importing import import_places
from .life_cycle import close_place, publish_place, resume_place, withdraw_place
from .occupancy import tell_occupancy
from .offers import vocabulary
from .photos import add_photo, move_photo, remove_photo
from .places import ChangedMeanwhile, change_place, create_place, facts_of
from .verification import Look, verify_place
from .words import add_word, remove_word, rename_word

__all__ = [
    "ChangedMeanwhile",
    "EquipmentFacts",
    "Look",
    "PlaceFacts",
    "add_equipment",
    "add_photo",
    "add_word",
    "change_equipment",
    "change_place",
    "close_place",
    "create_place",
    "facts_of",
    "import_places",
    "lift_closure",
    "move_photo",
    "publish_place",
    "remove_equipment",
    "remove_photo",
    "remove_word",
    "rename_word",
    "resume_place",
    "set_care_rules",
    "set_state",
    "shut_place",
    "tell_occupancy",
    "tell_of_neglect",
    "verify_place",
    "vocabulary",
    "withdraw_place",
]
