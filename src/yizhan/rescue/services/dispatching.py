"""One round of dispatch: close offers that ran out, look at all calls that wait together, ask rescuers, call the desk.

A round is one transaction under a lock of the database, so that two dispatchers never run at once and one that is
killed leaves nothing half done: the next round begins from what is stored. All times are the database's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy

from yizhan.rescue.dispatch import PROBLEMS, Calls, Policy, Rescuers, candidates, offers, skill_bits
from yizhan.rescue.models import (
    ACTIVE_STATES,
    WAITING_STATES,
    By,
    CallEvent,
    CallEventKind,
    CallState,
    Duty,
    Offer,
    OfferState,
    RescueCall,
    RescuerKind,
)
from yizhan.rescue.providers import road_time, speeds, straight_line
from yizhan.rescue.road_time import RoadTime
from yizhan.rescue.territory import territories

from .announcing import announce_calls
from .calls import tell_desk
from .log import database_now, step

# Beyond this a phone that says nothing counts as off: nobody is asked who would not hear it.
SILENT_AFTER: Final = timedelta(minutes=5)
LATELY: Final = timedelta(hours=8)
# When everybody was asked in vain, all are asked again after this time.
ASK_AGAIN_AFTER: Final = timedelta(minutes=5)
# Encrypted, and none of dispatch's business.
PERSONAL: Final = ("contact_name", "contact_phone", "words")
_LOCK: Final = 0x5245_5343  # "RESC"


class Free(NamedTuple):
    """A rescuer who can be asked now."""

    pk: int
    path: str
    lon: float
    lat: float
    skills: int
    speed: float
    base_lon: float
    base_lat: float
    reach_m: int
    batteries: int
    held: int
    lately: int


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of dispatch did."""

    lapsed: int = 0
    offered: int = 0
    escalated: int = 0
    waiting: int = 0


@transaction.atomic
def run_round(*, policy: Policy | None = None, road: RoadTime | None = None) -> Round | None:
    """One round; None when another dispatcher is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return None
    policy, road = policy or Policy(), road or road_time()
    at = database_now()
    # Calls in someone's hands at this instant are looked at in the next round.
    calls: list[RescueCall] = list(
        RescueCall.objects.with_scopes_disabled()
        .filter(state__in=WAITING_STATES)
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("union")
        .defer(*PERSONAL)
        .order_by("pk")
    )
    if not calls:
        return Round()
    lapsed = _lapse(calls, at)
    asked = _asked(calls)
    asking = [call for call in calls if not asked[call.pk].is_open]
    for call in asking:
        newest = asked[call.pk].newest
        if call.state == CallState.ESCALATED and newest and at - newest >= ASK_AGAIN_AFTER:
            call.attempt += 1  # written with the next step; an attempt without an offer needs none
            asked[call.pk] = Asked()
    made = _ask(asking, asked, at, policy, road)
    escalated = _escalate(calls, made, asked, at, policy)
    return Round(lapsed=lapsed, offered=sum(made.values()), escalated=escalated, waiting=len(calls))


class Asked:
    """Who was asked for a call in its present attempt."""

    def __init__(self) -> None:
        self.rescuers: set[int] = set()
        self.is_open = False
        self.newest: datetime | None = None


def _lapse(calls: list[RescueCall], at: datetime) -> int:
    by_call = {call.pk: call for call in calls}
    late = Offer.objects.with_scopes_disabled().filter(state=OfferState.OPEN, expires_at__lte=at, call__in=by_call)
    found = list(late.select_for_update(of=("self",), no_key=True).select_related("rescuer").order_by("pk"))
    Offer.objects.with_scopes_disabled().filter(pk__in=[offer.pk for offer in found]).update(
        state=OfferState.LAPSED, answered_at=at
    )
    ended: dict[int, list[Offer]] = defaultdict(list)
    for offer in found:
        ended[offer.call_id].append(offer)
    still = set(
        Offer.objects.with_scopes_disabled()
        .filter(state=OfferState.OPEN, call__in=list(ended))
        .values_list("call", flat=True)
    )
    for pk, offers_of_call in ended.items():
        call = by_call[pk]
        for offer in offers_of_call:
            back = call.state == CallState.OFFERED and pk not in still
            step(
                call, CallEventKind.LAPSED, by=By.SYSTEM, at=at, rescuer=offer.rescuer, misses=call.misses + 1,
                to=CallState.SUBMITTED if back else CallState(call.state),
            )  # fmt: skip
    return len(found)


def _asked(calls: list[RescueCall]) -> dict[int, Asked]:
    told: dict[int, Asked] = {call.pk: Asked() for call in calls}
    rows = Offer.objects.with_scopes_disabled().filter(call__in=list(told), attempt=F("call__attempt"))
    for call, rescuer, state, made_at in rows.values_list("call", "rescuer", "state", "made_at"):
        asked = told[call]
        asked.rescuers.add(rescuer)
        asked.is_open |= state == OfferState.OPEN
        asked.newest = max(asked.newest or made_at, made_at)
    return told


def free_rescuers(at: datetime) -> list[Free]:
    """Everybody who is on duty, was heard of lately, has a hand free and nothing to answer at this moment."""
    open_offer = Offer.objects.with_scopes_disabled().filter(rescuer=OuterRef("rescuer"), state=OfferState.OPEN)
    heard = Q(position_at__gte=at - SILENT_AFTER) | Q(rescuer__kind=RescuerKind.FIXED)
    rows = (
        Duty.objects.with_scopes_disabled()
        .filter(heard, ~Exists(open_offer), ended_at=None, lon__isnull=False, rescuer__is_active=True)
        .annotate(held=Count("rescuer__calls", filter=Q(rescuer__calls__state__in=ACTIVE_STATES), distinct=True))
        .annotate(
            lately=Count("rescuer__calls", filter=Q(rescuer__calls__accepted_at__gte=at - LATELY), distinct=True)
        )
        .filter(held__lt=F("rescuer__most_at_once"))
        .order_by("rescuer")
        .values_list(
            "rescuer", "rescuer__union__path", "lon", "lat", "rescuer__skills", "rescuer__vehicle", "rescuer__base_lon",
            "rescuer__base_lat", "rescuer__reach_m", "batteries", "held", "lately",
        )
    )  # fmt: skip
    by_vehicle = speeds()
    return [
        Free(pk, path, lon, lat, skill_bits(skills), by_vehicle[vehicle], *rest)
        for pk, path, lon, lat, skills, vehicle, *rest in rows
    ]


def columns_of(calls: list[RescueCall]) -> Calls:
    """Calls as dispatch reads them; nobody was asked yet."""
    return Calls(
        lon=np.array([call.lon for call in calls], np.float64),
        lat=np.array([call.lat for call in calls], np.float64),
        problem=np.array([PROBLEMS.index(call.problem) for call in calls], np.int64),
        due_s=np.array([call.due_at.timestamp() for call in calls], np.float64),
        misses=np.array([call.misses for call in calls], np.int64),
    )


def columns_of_rescuers(free: list[Free]) -> Rescuers:
    """Rescuers as dispatch reads them."""
    table = np.array([each[2:] for each in free], np.float64)
    lon, lat, skills, speed, base_lon, base_lat, reach_m, batteries, held, lately = table.T
    return Rescuers(
        lon, lat, skills.astype(np.int64), speed, base_lon, base_lat, reach_m, batteries.astype(np.int64),
        held.astype(np.int64), lately.astype(np.int64),
    )  # fmt: skip


def nearest_of(call: RescueCall, free: list[Free], most: int) -> list[tuple[int, int]]:
    """The rescuers nearest to a call who can mend it, wherever their area ends: row number and seconds of the way."""
    if not free:
        return []
    wide = [each._replace(reach_m=10_000_000) for each in free]
    pairs = candidates(
        columns_of([call]),
        columns_of_rescuers(wide),
        now_s=call.due_at.timestamp(),
        road=straight_line(),
        policy=Policy(),
        most=most,
    )
    order = np.argsort(pairs.travel_s)
    return [(free[int(pairs.rescuer[at])].pk, int(pairs.travel_s[at])) for at in order]


def _ask(
    asking: list[RescueCall], asked: dict[int, Asked], at: datetime, policy: Policy, road: RoadTime
) -> dict[int, int]:
    """Make offers; gives how many each call got."""
    made: dict[int, int] = defaultdict(int)
    free = free_rescuers(at) if asking else []
    if not free:
        return made
    where = territories({call.union.path for call in asking})
    wanted: list[Offer] = []
    for territory in sorted(set(where.values())):
        here = [call for call in asking if where[call.union.path] == territory]
        able = [rescuer for rescuer in free if rescuer.path.startswith(territory)]
        if not able:
            continue
        row = {rescuer.pk: number for number, rescuer in enumerate(able)}
        columns = columns_of(here)
        for number, call in enumerate(here):
            if known := {row[who] for who in asked[call.pk].rescuers if who in row}:
                columns.asked[number] = known
        pairs = offers(columns, columns_of_rescuers(able), now_s=at.timestamp(), road=road, policy=policy)
        until = at + timedelta(seconds=policy.offer_s)
        wanted += [
            Offer(
                call=here[int(which)], rescuer_id=able[int(who)].pk, attempt=here[int(which)].attempt, made_at=at,
                expires_at=until, travel_s=int(seconds),
            )
            for which, who, seconds in zip(pairs.call, pairs.rescuer, pairs.travel_s, strict=True)
        ]  # fmt: skip
    Offer.objects.with_scopes_disabled().bulk_create(wanted, ignore_conflicts=True)
    # Only what was really written counts as asked: someone else may have asked a rescuer at this very moment.
    written = set(
        Offer.objects.with_scopes_disabled()
        .filter(public_id__in=[offer.public_id for offer in wanted])
        .values_list("public_id", flat=True)
    )
    events, changed = [], {}
    for offer in wanted:
        if offer.public_id not in written:
            continue
        call = offer.call
        made[call.pk] += 1
        if call.state == CallState.SUBMITTED:
            call.state = CallState.OFFERED
        call.version += 1
        changed[call.pk] = call
        events.append(
            CallEvent(
                call=call, number=call.version, kind=CallEventKind.OFFERED, at=at, by=By.SYSTEM,
                rescuer_id=offer.rescuer_id,
            )
        )  # fmt: skip
    RescueCall.objects.with_scopes_disabled().bulk_update(changed.values(), ["state", "version", "attempt"])
    CallEvent.objects.with_scopes_disabled().bulk_create(events)
    announce_calls(changed)
    return made


def _escalate(
    calls: list[RescueCall], made: dict[int, int], asked: dict[int, Asked], at: datetime, policy: Policy
) -> int:
    """Call the duty desk for calls that were missed too often or for which nobody could be asked for too long."""
    told = 0
    for call in calls:
        lonely = not made.get(call.pk) and not asked[call.pk].is_open
        waited = (at - call.waiting_since).total_seconds()
        if call.escalated_at is None and (
            call.misses >= policy.escalate_after or (lonely and waited >= policy.escalate_s)
        ):
            step(call, CallEventKind.ESCALATED, by=By.SYSTEM, at=at, escalated_at=at)
            tell_desk(call, gettext_lazy("Nobody takes a rider's call for help: send someone."))
            told += 1
    return told
