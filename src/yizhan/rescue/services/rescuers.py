"""Entering rescuers, and changing them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from yizhan.places.models import Place, PlaceKind
from yizhan.rescue.actions import RESCUER_CHANGED, RESCUER_CREATED
from yizhan.rescue.facts import position_rule
from yizhan.rescue.models import MOST_AT_ONCE, Problem, RescueCall, Rescuer, RescuerKind, Vehicle
from yizhan.rescue.rights import MANAGE_RESCUERS
from yizhan.unions import errors
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, User
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.rights import policy

from .duty import end_duty
from .log import clean_words

REACH_M: Final = (100, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RescuerFacts:
    """What is told of a rescuer. Positions are WGS-84 degrees; a fixed one stands where its place stands.

    `paid_at` is the repair point that gets the subsidies of a mobile one.
    """

    name: str
    phone: str = ""
    skills: list[str] = field(default_factory=list)
    vehicle: str = Vehicle.E_BIKE
    spare_batteries: int = 0
    lon: float | None = None
    lat: float | None = None
    reach_m: int = 5000
    most_at_once: int = 1
    paid_at: Place | None = None


def create_rescuer(
    facts: RescuerFacts, *, union: Union, actor: Staff, place: Place | None = None, user: User | None = None
) -> Rescuer:
    """Enter a rescuer: with `place` a fixed point, else the mobile one who signs in as `user`.

    Args:
        place: Of kind repair point, of this union or one below.
        user: Who signs in and answers offers; found by their phone number when None.

    Raises:
        NotAllowed: `actor` may not.
        RuleBroken: with every broken rule.
    """
    policy.require(actor, MANAGE_RESCUERS, union)
    if place is not None and not _is_point_of(place, union):
        raise RuleBroken.at("place", place.name, _("Choose a repair point of this union."), "not_a_repair_point")
    values = _checked(facts, place, union)
    user = user or (User.objects.with_phone(values["phone"]) if values["phone"] else None)
    if place is None and user is None:
        raise RuleBroken.at(
            "phone",
            facts.phone[:3] + "****",
            _("Nobody with this number has signed in yet: let them sign in once with their phone."),
            "unknown",
        )
    kind = RescuerKind.FIXED if place else RescuerKind.MOBILE
    try:
        with transaction.atomic():
            rescuer: Rescuer = Rescuer.objects.with_scopes_disabled().create(
                union=union, kind=kind, place=place, user=user, **values
            )
            record(actor, RESCUER_CREATED, union=union, target=rescuer, details={"kind": str(kind)})
            return rescuer
    except IntegrityError:
        raise _taken(place) from None


@transaction.atomic
def change_rescuer(rescuer: Rescuer, facts: RescuerFacts, *, actor: Staff) -> Rescuer:
    """Change what is told of a rescuer.

    Raises:
        NotAllowed: `actor` may not.
        RuleBroken: with every broken rule.
    """
    policy.require(actor, MANAGE_RESCUERS, rescuer.union)
    current: Rescuer = (
        Rescuer.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "place", "paid_at")
        .get(pk=rescuer.pk)
    )
    values = _checked(facts, current.place, current.union)
    changed = [name for name, value in values.items() if getattr(current, name) != value]
    for name, value in values.items():
        setattr(current, name, value)
    current.save()
    record(actor, RESCUER_CHANGED, union=current.union, target=current, details={"fields": changed})
    return current


@transaction.atomic
def set_active(rescuer: Rescuer, *, active: bool, actor: Staff) -> Rescuer:
    """Take a rescuer off the list, or put them back on it. Who is taken off goes off duty.

    Raises:
        NotAllowed: `actor` may not.
        RuleBroken: they hold calls, or the person or place is on the list under another entry.
    """
    policy.require(actor, MANAGE_RESCUERS, rescuer.union)
    if not active:
        end_duty(rescuer)  # before the rescuer is locked: calls come first
    current: Rescuer = (
        Rescuer.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "place")
        .get(pk=rescuer.pk)
    )
    if current.is_active == active:
        return current
    if not active:
        held = RescueCall.objects.with_scopes_disabled().filter(rescuer=current, slot__isnull=False).count()
        if held:
            raise RuleBroken.at(
                "rescuer",
                current.name,
                _("%(n)d calls are in their hands: give those to others first.") % {"n": held},
                "held",
            )
    current.is_active = active
    try:
        with transaction.atomic():
            current.save(update_fields=["is_active"])
    except IntegrityError:
        raise _taken(current.place) from None
    record(actor, RESCUER_CHANGED, union=current.union, target=current, details={"fields": ["is_active"]})
    return current


def _is_point_of(place: Place, union: Union) -> bool:
    return place.kind == PlaceKind.REPAIR_POINT and place.union.path.startswith(union.path)


def _taken(place: Place | None) -> RuleBroken:
    if place is not None:
        return RuleBroken.at("place", place.name, _("This place is on the list already."), "taken")
    return RuleBroken.at("phone", "", _("This person is on the list already."), "taken")


def _checked(facts: RescuerFacts, place: Place | None, union: Union) -> dict[str, Any]:
    problems: list[errors.Problem] = []
    name, phone = "", None
    try:
        name = " ".join(clean_words(facts.name, field="name", longest=60).split())
        phone = normal_phone(facts.phone) if facts.phone else None
    except RuleBroken as broken:
        problems += broken.problems
    if not name and not problems:
        problems.append(errors.Problem("name", "", _("A rescuer needs a name."), "missing"))
    unknown = [skill for skill in facts.skills if skill not in Problem.values]
    if unknown or not facts.skills:
        rule = _("Say what they can mend: %(problems)s.") % {"problems": ", ".join(Problem.values)}
        problems.append(errors.Problem("skills", ", ".join(unknown)[:60], rule, "unknown"))
    if facts.vehicle not in Vehicle.values:
        rule = _("Choose one of: %(problems)s.") % {"problems": ", ".join(Vehicle.values)}
        problems.append(errors.Problem("vehicle", facts.vehicle[:40], rule, "unknown"))
    for column, value, (least, most) in (
        ("reach_m", facts.reach_m, REACH_M),
        ("most_at_once", facts.most_at_once, (1, MOST_AT_ONCE)),
        ("spare_batteries", facts.spare_batteries, (0, 200)),
    ):
        if not least <= value <= most:
            rule = _("A number from %(least)d to %(most)d.") % {"least": least, "most": most}
            problems.append(errors.Problem(column, value, rule, "out_of_range"))
    if facts.paid_at is not None and not _is_point_of(facts.paid_at, union):
        rule = _("Choose a repair point of this union.")
        problems.append(errors.Problem("paid_at", facts.paid_at.name, rule, "not_a_repair_point"))
    lon, lat = (place.lon, place.lat) if place else (facts.lon, facts.lat)
    if lon is None or lat is None:
        problems.append(errors.Problem("lon", "", _("A position is a longitude and a latitude."), "missing"))
    elif off := position_rule(lon, lat):
        problems.append(off)
    if problems:
        raise RuleBroken(problems)
    return {
        "name": name,
        "phone": phone,
        "skills": sorted(set(facts.skills)),
        "vehicle": facts.vehicle,
        "spare_batteries": facts.spare_batteries,
        "base_lon": lon,
        "base_lat": lat,
        "reach_m": facts.reach_m,
        "most_at_once": facts.most_at_once,
        "paid_at": None if place else facts.paid_at,
    }
