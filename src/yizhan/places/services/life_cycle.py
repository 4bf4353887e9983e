"""From draft to published to closed. Only the steps below exist; each says why it may be refused."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.places.actions import PLACE_CLOSED, PLACE_PUBLISHED, PLACE_RESUMED, PLACE_WITHDRAWN
from yizhan.places.models import Place, PlaceStatus
from yizhan.places.rights import PUBLISH_PLACES
from yizhan.unions.audit import Action, record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

from .notification import announce

_STEPS = {
    PLACE_PUBLISHED.name: (PlaceStatus.DRAFT, PlaceStatus.VERIFIED, PlaceStatus.SUSPENDED),
    PLACE_WITHDRAWN.name: (PlaceStatus.PUBLISHED,),
    PLACE_RESUMED.name: (PlaceStatus.SUSPENDED,),
    PLACE_CLOSED.name: (PlaceStatus.DRAFT, PlaceStatus.VERIFIED, PlaceStatus.PUBLISHED, PlaceStatus.SUSPENDED),
}

_LONGEST = timedelta(days=5 * 366)
_WRITTEN = [
    "status",
    "status_note",
    "revision",
    "published_at",
    "closed_at",
    "suspended_at",
    "suspended_until",
    "changed_at",
]


def publish_place(place: Place, *, actor: Staff | Operator) -> Place:
    """Let everyone see a place that is a draft, verified or suspended.

    Raises:
        NotAllowed: `actor` may not publish places of this union.
        RuleBroken: the place is published already, or closed.
    """
    return _step(place, PLACE_PUBLISHED, PlaceStatus.PUBLISHED, actor=actor, reason="")


def withdraw_place(place: Place, *, actor: Staff | Operator, reason: str = "", until: date | None = None) -> Place:
    """Suspend a published place, saying why: nobody is led there, and its page says that, since when and until when.

    `until` is the day on which it is expected to open again; it does not open by itself.

    Raises:
        NotAllowed: `actor` may not publish places of this union.
        RuleBroken: the place is not published, or `until` is not to come.
    """
    if until is not None and not timezone.localdate() < until <= timezone.localdate() + _LONGEST:
        raise RuleBroken.at("until", str(until), _("Choose a day to come, within five years."), "until")
    return _step(place, PLACE_WITHDRAWN, PlaceStatus.SUSPENDED, actor=actor, reason=reason, until=until)


def resume_place(place: Place, *, actor: Staff | Operator, reason: str = "") -> Place:
    """Let everyone see a suspended place again, saying what has changed.

    Raises:
        NotAllowed: `actor` may not publish places of this union.
        RuleBroken: the place is not suspended.
    """
    return _step(place, PLACE_RESUMED, PlaceStatus.PUBLISHED, actor=actor, reason=reason)


def close_place(place: Place, *, actor: Staff | Operator, reason: str = "") -> Place:
    """Close a place for good. If it was ever published, its page stays as a tombstone.

    Raises:
        NotAllowed: `actor` may not publish places of this union.
        RuleBroken: the place is closed already.
    """
    return _step(place, PLACE_CLOSED, PlaceStatus.CLOSED, actor=actor, reason=reason)


@transaction.atomic
def _step(
    place: Place,
    action: Action,
    status: PlaceStatus,
    *,
    actor: Staff | Operator,
    reason: str,
    until: date | None = None,
) -> Place:
    current: Place = locked_row(Place.objects.with_scopes_disabled().filter(pk=place.pk), "union")
    policy.require(actor, PUBLISH_PLACES, current.union)
    if current.status not in _STEPS[action.name]:
        raise RuleBroken.at(
            "status",
            current.status,
            _("“%(name)s” is in the state “%(status)s”; this step is not possible from there.")
            % {"name": current.name, "status": current.get_status_display()},
            "wrong_status",
        )
    was_published = current.is_published
    now = timezone.now()
    current.status = status
    reason = " ".join(reason.split())[:300]
    current.status_note = reason
    current.revision += 1
    if status == PlaceStatus.PUBLISHED:
        current.status_note = ""  # why it was away is history now
        current.published_at = current.published_at or now
    if status == PlaceStatus.CLOSED:
        current.closed_at = now
    current.suspended_at = now if status == PlaceStatus.SUSPENDED else None
    current.suspended_until = until
    current.save(update_fields=_WRITTEN)
    details = {"reason": reason, "until": until.isoformat() if until else ""}
    details = {name: value for name, value in details.items() if value}
    record(actor, action, union=current.union, target=current, details=details or None)
    if was_published or current.is_published:
        announce()
    return current
