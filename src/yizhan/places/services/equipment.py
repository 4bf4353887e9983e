"""Equipment at a place: what there is, whether it works, and until when it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.places.actions import EQUIPMENT_CHANGED
from yizhan.places.models import Equipment, EquipmentState, OfferKind, Place
from yizhan.places.rights import CHANGE_PLACES
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

from .notification import touch
from .offers import vocabulary

MOST_PER_PLACE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentFacts:
    """What is said of a piece of equipment. `offer` is a code of the vocabulary, or empty."""

    name: str
    offer: str = ""
    state: str = EquipmentState.WORKS
    broken_since: date | None = None
    expires_on: date | None = None
    note: str = ""


@transaction.atomic
def add_equipment(place: Place, facts: EquipmentFacts, *, actor: Staff | Operator) -> Equipment:
    """Enter a piece of equipment of a place.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        RuleBroken: a value breaks a rule, the place has something of this name, or is closed for good.
    """
    place = changeable(place, actor)
    things = Equipment.objects.with_scopes_disabled().filter(place=place)
    if things.count() >= MOST_PER_PLACE:
        raise RuleBroken.at(
            "name", facts.name, _("At most %(limit)d pieces at one place.") % {"limit": MOST_PER_PLACE}, "too_many"
        )
    made = Equipment(place=place, **_checked(facts, place, things))
    made.save()
    _tell(place, made, actor, [None, _in_short(made)])
    return made


@transaction.atomic
def change_equipment(thing: Equipment, facts: EquipmentFacts, *, actor: Staff | Operator) -> Equipment:
    """Give a piece of equipment new facts; a change that changes nothing writes nothing.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        RuleBroken: a value breaks a rule, or the place is closed for good.
    """
    place = changeable(thing.place, actor)
    current: Equipment = Equipment.objects.with_scopes_disabled().select_for_update().get(pk=thing.pk)
    before = _in_short(current)
    others = Equipment.objects.with_scopes_disabled().filter(place=place).exclude(pk=current.pk)
    columns = _checked(facts, place, others)
    if all(getattr(current, name) == value for name, value in columns.items()):
        return current
    for name, value in columns.items():
        setattr(current, name, value)
    current.told = ""  # whatever is wrong with it now is news
    current.save()
    _tell(place, current, actor, [before, _in_short(current)])
    return current


def set_state(thing: Equipment, *, works: bool, actor: Staff | Operator) -> Equipment:
    """Say that it is broken since today, or works again."""
    return change_equipment(
        thing,
        EquipmentFacts(
            name=thing.name,
            offer=thing.offer.code if thing.offer else "",
            state=EquipmentState.WORKS if works else EquipmentState.BROKEN,
            broken_since=None if works else thing.broken_since,
            expires_on=thing.expires_on,
            note=thing.note,
        ),
        actor=actor,
    )


@transaction.atomic
def remove_equipment(thing: Equipment, *, actor: Staff | Operator) -> None:
    """Take a piece of equipment off the list: it is not at the place any more.

    Raises:
        NotAllowed: `actor` may not change places of this union.
    """
    place = changeable(thing.place, actor)
    before = _in_short(thing)
    Equipment.objects.with_scopes_disabled().filter(pk=thing.pk).delete()
    _tell(place, thing, actor, [before, None])


def changeable(place: Place, actor: Staff | Operator) -> Place:
    """The place as it now is, locked, for someone who may change it.

    Raises:
        NotAllowed: `actor` may not change places of its union.
        RuleBroken: it is closed for good.
    """
    current: Place = locked_row(Place.objects.with_scopes_disabled().filter(pk=place.pk), "union")
    policy.require(actor, CHANGE_PLACES, current.union)
    if current.is_closed:
        raise RuleBroken.at("status", current.status, _("A place that is closed for good cannot be changed."), "closed")
    return current


def _checked(facts: EquipmentFacts, place: Place, others: Any) -> dict[str, Any]:
    problems: list[Problem] = []
    name, note = one_line(facts.name), one_line(facts.note)
    today = timezone.localdate()
    if not name or len(name) > 60:
        problems.append(Problem("name", name[:60], _("Equipment needs a name of at most 60 characters."), "name"))
    elif others.filter(name=name).exists():
        problems.append(Problem("name", name, _("There is something of this name here already."), "taken"))
    if len(note) > 120:
        problems.append(Problem("note", note[:40], _("At most %(limit)d characters.") % {"limit": 120}, "too_long"))
    if facts.state not in EquipmentState.values:
        problems.append(Problem("state", facts.state, _("Say whether it works or is broken."), "unknown_state"))
    if facts.broken_since and facts.broken_since > today:
        problems.append(Problem("broken_since", str(facts.broken_since), _("This day has not come yet."), "future"))
    if facts.expires_on and not 2000 <= facts.expires_on.year <= today.year + 20:
        problems.append(Problem("expires_on", str(facts.expires_on), _("This cannot be right: look again."), "expiry"))
    kind: OfferKind | None = None
    if facts.offer:
        kind = next((kind for kind in vocabulary(place.union) if kind.code == facts.offer), None)
        if kind is None:
            problems.append(
                Problem("offer", facts.offer, _("Unknown offer: %(codes)s.") % {"codes": facts.offer}, "unknown_offer")
            )
    if problems:
        raise RuleBroken(problems)
    broken = facts.state == EquipmentState.BROKEN
    return {
        "name": name,
        "offer": kind,
        "state": facts.state,
        "broken_since": (facts.broken_since or today) if broken else None,
        "expires_on": facts.expires_on,
        "note": note,
    }


def _in_short(thing: Equipment) -> str:
    """For the trail: name, state and date."""
    words = [thing.name, str(EquipmentState(thing.state).label)]
    if thing.expires_on:
        words.append(f"{thing.expires_on:%Y-%m-%d}")
    return " · ".join(words)


def _tell(place: Place, thing: Equipment, actor: Staff | Operator, change: list[str | None]) -> None:
    record(actor, EQUIPMENT_CHANGED, union=place.union, target=place, details={"equipment": change})
    touch(place)
