"""Entering many places at once: what sample cities and benchmarks are made of."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from yizhan.places.actions import PLACES_IMPORTED
from yizhan.places.facts import PlaceFacts, checked
from yizhan.places.models import Offer, Place, PlaceStatus
from yizhan.places.rights import IMPORT_PLACES, PUBLISH_PLACES
from yizhan.unions.audit import record
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

from .notification import announce
from .offers import vocabulary

_BATCH = 2000


@transaction.atomic
def enter_places(
    facts: Iterable[PlaceFacts],
    *,
    union: Union,
    actor: Staff | Operator,
    source: str,
    status: PlaceStatus = PlaceStatus.PUBLISHED,
    status_note: str = "",
) -> list[Place]:
    """Enter places of one union, all with one status, in one transaction with one line in the trail.

    Raises:
        NotAllowed: `actor` may not import and publish at this union.
        RuleBroken: a value breaks a rule; nothing was written.
    """
    policy.require(actor, IMPORT_PLACES, union)
    policy.require(actor, PUBLISH_PLACES, union)
    told = list(facts)
    now = timezone.now()
    published_at = None if status in {PlaceStatus.DRAFT, PlaceStatus.VERIFIED} else now
    places = [
        Place(
            union=union,
            source=source,
            status=status,
            status_note=status_note,
            published_at=published_at,
            suspended_at=now if status == PlaceStatus.SUSPENDED else None,
            closed_at=now if status == PlaceStatus.CLOSED else None,
            **checked(one),
        )
        for one in told
    ]
    Place.objects.with_scopes_disabled().bulk_create(places, batch_size=_BATCH)
    kinds = {kind.code: kind for kind in vocabulary(union)}
    Offer.objects.bulk_create(
        [Offer(place=place, kind=kinds[code]) for place, one in zip(places, told, strict=True) for code in one.offers],
        batch_size=_BATCH,
    )
    record(actor, PLACES_IMPORTED, union=union, details={"source": source, "created": len(places)})
    announce()
    return places
