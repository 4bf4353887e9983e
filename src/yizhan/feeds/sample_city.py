"""Partners of the demo, all simulated and called so: they show what the pages look like in use.

Nothing is sent anywhere: their way is “reads itself”, so that the demo's worker finds nothing to do. What they took and
show was written by this sample.
"""

from __future__ import annotations

import random
from datetime import timedelta

from django.utils import timezone

from yizhan.unions.models import Staff, Union

from .models import (
    Carrier,
    Evidence,
    EvidenceKind,
    FindingKind,
    Gone,
    Listing,
    ListingState,
    Partner,
    PlaceChange,
)
from .presets import PRESETS
from .pushing import outbox
from .services.partner_rules import PartnerFacts, facts_of
from .services.partners import create_partner, pause
from .services.proof import Saying, hear, watch_red_list
from .services.sequence import sequence_changes

_SAMPLES = (
    ("amap", "高德地图（模拟）", 0.82),
    ("baidu", "百度地图（模拟）", 0.55),
    ("union_app", "12351 应用（模拟）", 0.96),
)


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Three simulated partners of the city, with most of its places live, some out of date, one red."""
    if Partner.every.filter(union=union, is_simulated=True).exists():
        return
    sequence_changes()
    chance = random.Random(seed)  # noqa: S311 - a sample, the same each time
    for preset, name, share in _SAMPLES:
        partner = _partner(union, actor, preset, name)
        _simulate(partner, share, chance)
        pause(staff=actor, partner=partner)  # it stays as it is: no real map moves on behind it
    watch_red_list()


def _partner(union: Union, actor: Staff, preset: str, name: str) -> Partner:
    known = facts_of(PRESETS[preset], name=name)
    values = {field: getattr(known, field) for field in PartnerFacts.__slots__}
    facts = PartnerFacts(**{**values, "carrier": Carrier.NONE, "address": ""})
    return create_partner(staff=actor, union=union, preset=preset, facts=facts, is_simulated=True).partner


def _simulate(partner: Partner, share: float, chance: random.Random) -> None:
    now = timezone.now()
    while outbox.follow(partner, now=now):
        partner.refresh_from_db()
    listings = list(Listing.every.filter(partner=partner).select_related("place").order_by("pk"))
    Evidence.every.bulk_create(
        [
            Evidence(listing=listing, at=now, kind=EvidenceKind.SENT, sequence=listing.sequence, answer="simulated")
            for listing in listings
        ]
    )
    live = [listing for listing in listings if chance.random() < share]
    hear(partner, [Saying(listing.place.public_id, "live", note="simulated") for listing in live[:1_000]])
    rest = [listing.pk for listing in listings if listing not in live]
    for kind, pk in zip((FindingKind.MOVED, FindingKind.RENAMED, FindingKind.MISSING), rest, strict=False):
        found = {"metres": 160} if kind == FindingKind.MOVED else {}
        Listing.every.filter(pk=pk).update(state=ListingState.STALE, finding=kind, found=found)
    closed = PlaceChange.objects.filter(gone=Gone.CLOSED, union_path__startswith=partner.union.path).first()
    if closed is not None:
        Listing.every.create(
            partner=partner,
            place_id=closed.place_id,
            is_wanted=False,
            sequence=closed.sequence,
            is_waiting=False,
            state=ListingState.STALE,
            finding=FindingKind.STILL_SHOWN,
            changed_at=now,
            red_since=now,
            red_until=now + timedelta(days=partner.red_days),
        )
