"""Reading rosters, free slots and appointments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from yizhan.cases.circle import circle_of
from yizhan.cases.models import Appointment, AppointmentState, Case, CaseMessage, CaseParty, Helper, PartyRole
from yizhan.places.hours import open_intervals
from yizhan.unions.models import Staff

from .visible import visible_cases

DAYS_AHEAD: Final = 14
MOST_SLOTS: Final = 60
_SUITED: Final = {"rights": ("lawyer", "mediator"), "mediation": ("mediator", "lawyer")}


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of duty that is free."""

    starts_at: datetime
    ends_at: datetime


def roster(*, for_staff: Staff) -> QuerySet[Helper]:
    """Lawyers and mediators of the acting union and below, with how many appointments are `ahead`."""
    ahead = Q(appointments__state=AppointmentState.BOOKED, appointments__starts_at__gt=timezone.now())
    found: QuerySet[Helper] = (
        Helper.objects.filter(post__union__path__startswith=for_staff.union.path)
        .select_related("post__user", "post__union", "place")
        .annotate(ahead=Count("appointments", filter=ahead))
        .order_by("post__union__path", "kind", "post__user__name")
    )
    return found


def on_duty(found: list[Helper], *, at: datetime | None = None) -> set[int]:
    """Which of them are on duty now."""
    now = at or timezone.now()
    return {one.pk for one in found if one.is_active and open_intervals(one.hours, now, now + timedelta(minutes=1))}


def helpers_for(case: Case) -> QuerySet[Helper]:
    """Who of the roster may meet the worker of a confidential case: its circle alone, at its union or helping."""
    circle = circle_of(case.union, case.kind)
    helping = CaseParty.objects.with_scopes_disabled().filter(case=case, role=PartyRole.CO_HANDLER, staff__isnull=False)
    who = Q(post__in=circle.values("pk")) | Q(post__in=helping.values("staff")) | Q(post=case.handler_id)
    found: QuerySet[Helper] = Helper.rules.filter(
        who, is_active=True, kind__in=_SUITED.get(case.kind, ()), post__is_active=True, post__user__is_active=True
    )
    return found.select_related("post__user", "post__union", "place").order_by("kind", "post__user__name")


def slots_of(helper: Helper, *, since: datetime | None = None) -> list[Slot]:
    """Free stretches of a helper's duty within two weeks; cut from the beginning of each stretch of duty."""
    now = since or timezone.now()
    first = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    length = timedelta(minutes=helper.slot_minutes)
    taken = list(
        Appointment.objects.with_scopes_disabled()
        .filter(helper=helper, ends_at__gt=now)
        .exclude(state=AppointmentState.CANCELLED)
        .values_list("starts_at", "ends_at")
    )
    free: list[Slot] = []
    # From midnight, so that the same duty gives the same slots whenever one asks.
    for begin, end in open_intervals(helper.hours, first, first + timedelta(days=DAYS_AHEAD + 1)):
        while begin + length <= end and len(free) < MOST_SLOTS:
            if begin >= now and not any(start < begin + length and begin < until for start, until in taken):
                free.append(Slot(begin, begin + length))
            begin += length
    return free


def appointments_of(case: Case) -> list[Appointment]:
    """Appointments of a case, the latest first."""
    found = Appointment.objects.with_scopes_disabled().filter(case=case)
    return list(found.select_related("helper__post__user", "helper__post__union", "place").order_by("-starts_at"))


def appointment_of(case: Case, public_id: UUID) -> Appointment:
    """One appointment of a case.

    Raises:
        Appointment.DoesNotExist: there is none.
    """
    found: Appointment = (
        Appointment.objects.with_scopes_disabled().select_related("case").get(case=case, public_id=public_id)
    )
    return found


def agenda(*, for_staff: Staff, at: datetime | None = None) -> list[Appointment]:
    """Appointments ahead, of cases that the post may see, soonest first."""
    now = at or timezone.now()
    seen = visible_cases(for_staff, remembered=True).filter(is_confidential=True)
    found = Appointment.objects.with_scopes_disabled().filter(
        case__in=seen.values("pk"), state=AppointmentState.BOOKED, ends_at__gt=now - timedelta(days=7)
    )
    return list(
        found.select_related("case", "helper__post__user", "helper__post__union", "place").order_by("starts_at")[:100]
    )


def unread(case: Case, *, of_worker: bool) -> int:
    """How many messages of the worker (or for the worker) nobody has read."""
    waiting = CaseMessage.objects.with_scopes_disabled().filter(case=case, read_at=None)
    found = waiting.filter(post=None) if of_worker else waiting.filter(post__isnull=False)
    return int(found.count())
