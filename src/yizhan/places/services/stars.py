"""Taking stars off a place and giving them back, by the rule of its union."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.utils import timezone

from yizhan.places.actions import STARS_GIVEN_BACK, STARS_TAKEN
from yizhan.places.models import MOST_STARS, EventKind, Place, ReportEvent, ReportState, StarChange
from yizhan.places.reports.life import Fact, Life, life_of
from yizhan.places.reports.rules import Rules, rules_of
from yizhan.places.reports.stars import toll
from yizhan.unions.audit import client_address, record
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

from .notification import announce


def recount_stars(
    place: Place, *, at: datetime | None = None, actor: Staff | Operator | None = None, rules: Rules | None = None
) -> StarChange | None:
    """Bring a place's stars into step with its reports; says what changed. Call it with the place locked.

    The stars a place has without reports stay what they are: what was taken by the last count is added before the new
    count is taken off.
    """
    now = at or timezone.now()
    rules = rules or rules_of(place.union)
    count = toll(_lives(place), star_after=rules.star_after, window_days=rules.star_window_days, at=now)
    last = StarChange.objects.with_scopes_disabled().filter(place=place).order_by("-at", "-pk").first()
    taken, off = (last.taken, last.off) if last else (0, 0)
    if count.taken == taken:
        return None
    full = min(place.stars + off, MOST_STARS)
    stars = max(full - count.taken, 0)
    if stars != place.stars:
        place.stars = stars
        place.revision += 1
        place.save(update_fields=["stars", "revision", "changed_at"])
        if place.is_published:
            announce()
    change: StarChange = StarChange.objects.with_scopes_disabled().create(
        place=place, at=now, taken=count.taken, off=full - stars, stars=stars, strikes=count.strikes
    )
    with _nobody_asked(actor):
        record(
            actor,
            STARS_TAKEN if count.taken > taken else STARS_GIVEN_BACK,
            union=place.union,
            target=place,
            details={"overdue": count.strikes, "off": full - stars, "stars": stars},
        )
    return change


def _lives(place: Place) -> list[Life]:
    """Of all reports of a place that can still count against it."""
    events = (
        ReportEvent.objects.with_scopes_disabled()
        .filter(report__place=place)
        .exclude(report__state__in=[ReportState.SETTLED, ReportState.WITHDRAWN])
        .exclude(kind__in=[EventKind.REMINDED, EventKind.ESCALATED])
    )
    by_report: dict[int, list[Fact]] = {}
    for report, kind, at, pk, due_at in events.values_list("report_id", "kind", "at", "pk", "due_at"):
        by_report.setdefault(report, []).append(Fact(EventKind(kind), at, pk, due_at))
    return [life_of(facts) for facts in by_report.values()]


@contextmanager
def _nobody_asked(actor: Staff | Operator | None) -> Iterator[None]:
    """A reporter's network address is no part of the trail, even where their verdict brings a star back."""
    if actor is not None:
        yield
        return
    token = client_address.set(None)
    try:
        yield
    finally:
        client_address.reset(token)
