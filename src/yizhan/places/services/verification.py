"""Verifying a place on the spot: what was looked at, what was wrong, and what is mended by the same step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.geo import Datum, haversine_m
from yizhan.places.actions import PLACE_VERIFIED
from yizhan.places.facts import PlaceFacts
from yizhan.places.models import Equipment, Offer, Place, PlaceStatus, PositionSource, Verification
from yizhan.places.pictures import Picture, clean_picture
from yizhan.places.rights import CHANGE_PLACES, VERIFY_PLACES
from yizhan.places.rules import checked_position, one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy
from yizhan.unions.services import inbox

from .equipment import changeable, set_state
from .notification import announce
from .places import change_place, facts_of

OK, WRONG, NOT_SEEN = "ok", "wrong", "not_seen"
# What is looked at at every place; offers and equipment come on top, as "offer:CODE" and "equipment:NAME".
ITEMS = ("name", "address", "position", "door", "entry", "hours")
MOST_ACCURACY_M = 100  # a position less certain than this moves no place
FARTHEST_MOVE_M = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a verifier says.

    Attributes:
        findings: For each item `ok`, `wrong` or `not_seen`; items left out were not seen.
        standing: Where the verifier stands, WGS-84 longitude and latitude; only its distance is kept.
        accuracy_m: Of that position.
        name, address: What is right, when the item is wrong; empty: not known yet.
        move_here: The place stands where the verifier stands.
        note: Anything else.
        photo: A picture for the desk: JPEG, PNG or WebP.
    """

    findings: Mapping[str, str]
    standing: tuple[float, float] | None = None
    accuracy_m: float | None = None
    name: str = ""
    address: str = ""
    move_here: bool = False
    note: str = ""
    photo: bytes | None = None


@dataclass(slots=True)
class _Mending:
    """What a look changes, and which of its wrong items remain wrong."""

    facts: PlaceFacts
    left: list[str] = field(default_factory=list)


def items_of(place: Place) -> list[str]:
    """What is looked at at this place."""
    offers = Offer.objects.with_scopes_disabled().filter(place=place).order_by("kind__order", "kind__code")
    things = Equipment.objects.with_scopes_disabled().filter(place=place)
    return [
        *ITEMS,
        *(f"offer:{code}" for code in offers.values_list("kind__code", flat=True)),
        *(f"equipment:{name}" for name in things.values_list("name", flat=True)),
    ]


def verify_place(place: Place, look: Look, *, actor: Staff | Operator) -> Verification:
    """Record a look at a place, and mend at once what it found wrong.

    A wrong name or address takes the right one, a wrong position moves to the verifier (`move_here`), an offer that is
    not there is taken off, equipment is marked broken, or working again. When nothing remains wrong, the place counts
    as verified now, and a draft becomes verified; otherwise its keepers are told what remains.

    Raises:
        NotAllowed: `actor` may not verify places of this union.
        RuleBroken: a finding or value breaks a rule, or nothing was looked at.
    """
    policy.require(actor, VERIFY_PLACES, place.union)
    policy.require(actor, CHANGE_PLACES, place.union)
    picture = clean_picture(look.photo) if look.photo else None
    kept: list[Verification] = []
    try:
        with transaction.atomic():
            made = _verify(place, look, picture, actor, kept)
    except BaseException:
        for unsaved in kept:  # the file was written, its row was not
            unsaved.photo.storage.delete(unsaved.photo.name or "")
        raise
    return made


def _verify(
    place: Place, look: Look, picture: Picture | None, actor: Staff | Operator, kept: list[Verification]
) -> Verification:
    current = changeable(place, actor)
    findings = _checked(look, current)
    metres = _metres(current, look)
    mending = _mend(current, look, findings, actor)
    if mending.facts != facts_of(current, offers=_offers(current)):
        current = change_place(current, mending.facts, revision=current.revision, actor=actor)
    wrong = [item for item, finding in findings.items() if finding == WRONG]
    made = Verification(
        place=current,
        by=actor if isinstance(actor, Staff) else None,
        findings=findings,
        metres=metres,
        accuracy_m=None if look.accuracy_m is None or metres is None else round(min(look.accuracy_m, 1e6)),
        note=one_line(look.note)[:300],
        is_sound=not wrong,
    )
    if picture is not None:
        made.photo.save("photo.jpg", ContentFile(picture.content), save=False)
        kept.append(made)
    made.save()
    _settle(current, made, mending.left, actor)
    return made


def _settle(place: Place, made: Verification, left: list[str], actor: Staff | Operator) -> None:
    """The place's own columns, the trail, and the keepers' inbox."""
    place.revision += 1
    columns = ["revision", "changed_at"]
    if not left:
        place.verified_at, place.verified_by, place.stale_told_at = made.at, made.by, None
        columns += ["verified_at", "verified_by", "stale_told_at"]
        if place.status == PlaceStatus.DRAFT:
            place.status = PlaceStatus.VERIFIED
            columns.append("status")
    place.save(update_fields=columns)
    details: dict[str, object] = {"findings": len(made.findings), "problems": len(made.problems)}
    if made.metres is not None:
        details["metres"] = made.metres
    record(actor, PLACE_VERIFIED, union=place.union, target=place, details=details)
    if place.is_published:
        announce()
    if left:
        inbox.send(
            title=format_lazy(gettext_lazy("“{name}”: a verification found problems"), name=place.name),
            body=gettext_lazy("Open the place to see what was found wrong and is not mended yet."),
            link=f"/desk/places/{place.public_id}/",
            union=place.union,
            right=CHANGE_PLACES,
        )


def _checked(look: Look, place: Place) -> dict[str, str]:
    """Every item of the place with its finding."""
    known = items_of(place)
    problems = [
        Problem(item, finding, _("Choose right, wrong or not seen."), "unknown_finding")
        for item, finding in look.findings.items()
        if item not in known or finding not in {OK, WRONG, NOT_SEEN}
    ]
    findings = {item: look.findings.get(item, NOT_SEEN) for item in known}
    if not problems and set(findings.values()) == {NOT_SEEN}:
        problems.append(
            Problem("", "", _("Nothing was looked at yet: choose right or wrong for what you see."), "empty")
        )
    if look.move_here and look.standing is None:
        problems.append(
            Problem("move_here", "", _("Your position is not known, so nothing can be moved to it."), "where")
        )
    elif look.move_here and not (look.accuracy_m is not None and look.accuracy_m <= MOST_ACCURACY_M):
        problems.append(
            Problem(
                "move_here",
                look.accuracy_m,
                _("Your position is not certain enough: it must be good to %(limit)d m.") % {"limit": MOST_ACCURACY_M},
                "inaccurate",
            )
        )
    if problems:
        raise RuleBroken(problems)
    return findings


def _metres(place: Place, look: Look) -> int | None:
    """How far the verifier stands from the place or its door, whichever is nearer."""
    if look.standing is None:
        return None
    problems: list[Problem] = []
    lon, lat = checked_position(*look.standing, Datum.WGS84, problems)
    if problems:
        raise RuleBroken(problems)
    points = [(place.lon, place.lat), *([place.entrance] if place.entrance else [])]
    metres = round(min(haversine_m(*point, lon, lat) for point in points))
    if look.move_here and metres > FARTHEST_MOVE_M:
        raise RuleBroken.at(
            "move_here",
            metres,
            _("You stand %(metres)d m from the place; a verification moves it at most %(limit)d m.")
            % {"metres": metres, "limit": FARTHEST_MOVE_M},
            "too_far",
        )
    return metres


def _mend(place: Place, look: Look, findings: Mapping[str, str], actor: Staff | Operator) -> _Mending:
    wrong = [item for item, finding in findings.items() if finding == WRONG]
    missing = {item.removeprefix("offer:") for item in wrong if item.startswith("offer:")}
    offers = [code for code in _offers(place) if code not in missing]
    mending = _Mending(facts_of(place, offers=offers))
    for item in wrong:
        if item == "name" and look.name.strip():
            mending.facts = replace(mending.facts, name=look.name)
        elif item == "address" and look.address.strip():
            mending.facts = replace(mending.facts, address=look.address)
        elif item == "position" and look.move_here and look.standing is not None:
            lon, lat = look.standing
            mending.facts = replace(
                mending.facts, lon=lon, lat=lat, datum=Datum.WGS84, position_source=PositionSource.SURVEY
            )
        elif not item.startswith(("offer:", "equipment:")):
            mending.left.append(item)
    for thing in Equipment.objects.with_scopes_disabled().filter(place=place).select_related("place", "offer"):
        finding = findings.get(f"equipment:{thing.name}")
        if finding == WRONG and not thing.is_broken:
            set_state(thing, works=False, actor=actor)
        elif finding == OK and thing.is_broken:
            set_state(thing, works=True, actor=actor)
    return mending


def _offers(place: Place) -> list[str]:
    offers = Offer.objects.with_scopes_disabled().filter(place=place)
    return list(offers.order_by("kind__order", "kind__code").values_list("kind__code", flat=True))
