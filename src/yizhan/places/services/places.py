"""Entering and changing places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from yizhan.geo import Datum, convert, haversine_m
from yizhan.places.actions import PLACE_CHANGED, PLACE_CREATED
from yizhan.places.facts import PlaceFacts, checked
from yizhan.places.models import Offer, Place
from yizhan.places.rights import CHANGE_PLACES
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

from .notification import announce
from .offers import set_offers


class ChangedMeanwhile(RuleBroken):
    """Someone else changed the place after the asker had read it."""

    def __init__(self, place: Place, seen: int) -> None:
        self.place = place
        super().__init__(
            Problem(
                "revision",
                seen,
                _("Someone changed “%(name)s” in the meantime; look at the new state and enter your change again.")
                % {"name": place.name},
                "changed_meanwhile",
            )
        )


@transaction.atomic
def create_place(
    facts: PlaceFacts, *, union: Union, actor: Staff | Operator, source: str = "", source_id: str = ""
) -> Place:
    """Enter a place as a draft of `union`.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        RuleBroken: a value breaks a rule; names the field.
    """
    policy.require(actor, CHANGE_PLACES, union)
    columns = checked(facts)
    place = Place(union=union, source=source, source_id=source_id, **columns)
    place.save()
    set_offers(place, facts.offers)
    record(actor, PLACE_CREATED, union=union, target=place, details={"source": source} if source else None)
    return place


@transaction.atomic
def change_place(place: Place, facts: PlaceFacts, *, revision: int, actor: Staff | Operator) -> Place:
    """Give a place new facts. `revision` is the one that the asker has seen.

    A change that changes nothing writes nothing. Returns the place as it now is.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        ChangedMeanwhile: the place has another revision by now.
        RuleBroken: a value breaks a rule, or the place is closed.
    """
    rows: QuerySet[Place] = Place.objects.with_scopes_disabled().filter(pk=place.pk)
    current = locked_row(rows, "union", "host", "operator", "funder")
    policy.require(actor, CHANGE_PLACES, current.union)
    if current.revision != revision:
        raise ChangedMeanwhile(current, revision)
    if current.is_closed:
        raise RuleBroken.at("status", current.status, _("A place that is closed for good cannot be changed."), "closed")
    columns = checked(facts)
    for name in _unmoved(current, columns):
        del columns[name]
    changes = {name: value for name, value in columns.items() if getattr(current, name) != value}
    old_offers = set(Offer.objects.with_scopes_disabled().filter(place=current).values_list("kind__code", flat=True))
    details = {name: [_shown(getattr(current, name)), _shown(value)] for name, value in changes.items()}
    if old_offers != set(facts.offers):
        details["offers"] = [sorted(old_offers), sorted(facts.offers)]
    if not details:
        return current
    for name, value in changes.items():
        setattr(current, name, value)
    current.revision += 1
    current.save(update_fields=[*changes, "revision", "changed_at"])
    if "offers" in details:
        set_offers(current, facts.offers)
    if "contact" in details:
        details["contact"] = ["…", "…"]  # a person's telephone number is none of the trail's business
    record(actor, PLACE_CHANGED, union=current.union, target=current, details=details)
    if current.is_published:
        announce()
    return current


def facts_of(place: Place, *, offers: Iterable[str], datum: Datum = Datum.WGS84) -> PlaceFacts:
    """The facts as they stand, with the position in `datum`: what a form starts from."""
    lon, lat = place.position(datum)
    points: dict[str, Any] = {
        name: convert(*point, source=Datum.WGS84, target=datum) if (point := getattr(place, name)) else None
        for name in ("entrance", "parking")
    }
    plain = {f.name for f in fields(PlaceFacts)} - {"lon", "lat", "datum", "offers", "occupations", *points}
    return PlaceFacts(
        lon=lon,
        lat=lat,
        datum=datum,
        offers=tuple(offers),
        occupations=tuple(place.occupations),
        **points,
        **{name: getattr(place, name) for name in plain},
    )


def _unmoved(place: Place, columns: dict[str, Any]) -> list[str]:
    """The columns of points that are where they were: a round trip through another datum is no move."""
    names = ["lon", "lat", "datum_given"] if _same_position(place, columns) else []
    for name in ("entrance", "parking"):
        if _same_point(getattr(place, name), (columns[f"{name}_lon"], columns[f"{name}_lat"])):
            names += [f"{name}_lon", f"{name}_lat"]
    return names


def _same_position(place: Place, columns: dict[str, Any]) -> bool:
    # Forms show six decimals, which is a decimetre.
    metres: float = haversine_m(place.lon, place.lat, columns["lon"], columns["lat"])
    return metres < 0.2


def _same_point(before: tuple[float, float] | None, after: tuple[float | None, float | None]) -> bool:
    if before is None or after[0] is None or after[1] is None:
        return before is None and after[0] is None
    metres: float = haversine_m(*before, after[0], after[1])
    return metres < 0.2


def _shown(value: Any) -> Any:
    """As the trail keeps it: a number, a text, a list of such, or nothing."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    return [_shown(one) for one in value] if isinstance(value, (list, tuple)) else str(value)
