"""What the live streams read when something changed: for many calls at once, and never for one listener."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q

from yizhan.rescue.models import ACTIVE_STATES, CallState, Offer, OfferState, RescueCall, Rescuer


@dataclass(frozen=True, slots=True)
class Followed:
    """A call as its followers are told of it. `rescuer` is whoever holds it now; positions are WGS-84 degrees."""

    pk: int
    version: int
    state: str
    union_path: str
    rescuer: int | None
    vehicle: str
    lon: float
    lat: float

    @property
    def is_awaited(self) -> bool:
        """Whether someone is on the way, so that minutes are worth telling."""
        return self.rescuer is not None and self.state != CallState.ARRIVED


class Asked(NamedTuple):
    """An offer that waits for an answer, as the rescuer's phone is told of it."""

    rescuer: int
    id: str
    problem: str
    is_injured: bool | None
    expires_at: datetime
    travel_s: int


def followed(calls: Iterable[int]) -> dict[int, Followed]:
    """Calls by their row numbers."""
    rows = RescueCall.objects.with_scopes_disabled().filter(pk__in=list(calls))
    columns = ("pk", "version", "state", "union__path", "rescuer", "rescuer__vehicle", "lon", "lat")
    return {
        pk: Followed(pk, version, state, path, who if state in ACTIVE_STATES else None, vehicle or "", lon, lat)
        for pk, version, state, path, who, vehicle, lon, lat in rows.values_list(*columns)
    }


def asked(calls: Iterable[int], rescuers: Iterable[int] = ()) -> dict[int, Asked | None]:
    """What waits for the answer of each of these rescuers, and of all who were asked for or hold one of these calls."""
    rows, held = Offer.objects.with_scopes_disabled(), RescueCall.objects.with_scopes_disabled()
    mine = Q(call__in=list(calls), attempt=F("call__attempt")) | Q(rescuer__in=list(rescuers), state=OfferState.OPEN)
    holders = held.filter(pk__in=list(calls), rescuer__isnull=False).values_list("rescuer", flat=True)
    found: dict[int, Asked | None] = dict.fromkeys([*rescuers, *holders])
    for rescuer, state, public_id, *rest in rows.filter(mine).order_by("pk").values_list(*_COLUMNS):
        found.setdefault(rescuer, None)
        if state == OfferState.OPEN:  # they have one at most
            found[rescuer] = Asked(rescuer, str(public_id), *rest)
    closed = [who for who, offer in found.items() if offer is None]
    if closed and calls:  # asked for another call meanwhile
        for rescuer, _state, public_id, *rest in rows.filter(rescuer__in=closed, state=OfferState.OPEN).values_list(
            *_COLUMNS
        ):
            found[rescuer] = Asked(rescuer, str(public_id), *rest)
    return found


_COLUMNS = ("rescuer", "state", "public_id", "call__problem", "call__is_injured", "expires_at", "travel_s")


def unions_of(calls: Iterable[int], rescuers: Iterable[int]) -> set[str]:
    """The paths of the unions to which calls and rescuers belong."""
    found = RescueCall.objects.with_scopes_disabled().filter(pk__in=list(calls))
    others = Rescuer.objects.with_scopes_disabled().filter(pk__in=list(rescuers))
    return {*found.values_list("union__path", flat=True), *others.values_list("union__path", flat=True)}
