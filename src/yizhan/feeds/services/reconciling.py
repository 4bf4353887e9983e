"""Comparing what a partner says it shows with what it should."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from yizhan.feeds import actions
from yizhan.feeds.matching import OurPlace, Verdict, compare
from yizhan.feeds.models import (
    Carrier,
    Evidence,
    EvidenceKind,
    Finding,
    FindingKind,
    Listing,
    ListingState,
    Partner,
    PartnerExport,
)
from yizhan.feeds.partner_exports import read_export
from yizhan.feeds.pushing.outbox import follow
from yizhan.feeds.rights import RECONCILE
from yizhan.geo import Datum
from yizhan.places.rules import checked_datum
from yizhan.unions.audit import record
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

from .proof import mark_down, mark_still_shown

_STATES = {
    FindingKind.MISSING: ListingState.STALE,
    FindingKind.MOVED: ListingState.STALE,
    FindingKind.RENAMED: ListingState.STALE,
    FindingKind.MERGED: ListingState.MERGED,
}


@transaction.atomic
def reconcile(
    content: bytes,
    *,
    file_name: str,
    partner: Partner,
    actor: Staff | Operator,
    datum: str = "",
    taken_at: datetime | None = None,
) -> PartnerExport:
    """Compare a partner's own export with its listings, keep what was found, and let what is wrong go once more.

    Each line is matched by number, then by name and distance. What changed after `taken_at` is not judged.

    Args:
        content: CSV, xlsx or GeoJSON.
        datum: Of its positions; empty: the partner's.
        taken_at: As of when it is; default: now.

    Raises:
        NotAllowed: the actor may not compare maps at the partner's union.
        RuleBroken: the file cannot be read.
    """
    policy.require(actor, RECONCILE, partner.union)
    spoken = checked_datum(datum) if datum else Datum(partner.datum)
    read = read_export(content, file_name=file_name, datum=spoken, mapping=partner.fields)
    as_of, now = taken_at or timezone.now(), timezone.now()
    if partner.carrier == Carrier.NONE:
        while follow(partner, now=now):  # no worker has anything to do with it
            partner.refresh_from_db()
    listings = list(
        Listing.every.select_for_update(of=("self",))
        .select_related("place", "partner")
        .filter(partner=partner)
        .order_by("pk")
    )
    verdicts = compare([_ours(listing) for listing in listings], read.places)
    right = 0
    export: PartnerExport = PartnerExport.every.create(
        partner=partner,
        file_name=file_name[:200],
        digest=sha256(content).hexdigest(),
        datum=spoken.value,
        taken_at=as_of,
        by=actor if isinstance(actor, Staff) else None,
        lines=len(read.places),
        unreadable=read.unreadable,
        matched=sum(1 for verdict in verdicts if verdict.ours is not None and verdict.theirs is not None),
        right=0,
    )
    evidence: list[Evidence] = []
    findings: list[Finding] = []
    by_key = {listing.pk: listing for listing in listings}
    for verdict in verdicts:
        listing = by_key[verdict.ours.key] if verdict.ours is not None else None
        if listing is None:
            findings.append(_finding(export, None, verdict, FindingKind.UNKNOWN))
            continue
        kind = FindingKind(verdict.kind)
        if _is_out_of_date(listing, as_of):
            continue  # sent after the file was made
        _judge(listing, verdict, kind, as_of, now)
        if kind:
            findings.append(_finding(export, listing, verdict, kind))
        else:
            right += 1
        if (said := _evidence(export, listing, verdict, kind, now)) is not None:
            evidence.append(said)
    _write(listings)
    Finding.every.bulk_create(findings, batch_size=2_000)
    Evidence.every.bulk_create(evidence, batch_size=2_000)
    PartnerExport.every.filter(pk=export.pk).update(right=right)
    export.right = right
    record(
        actor,
        actions.EXPORT_COMPARED,
        union=partner.union,
        target=partner,
        details={"rows": len(read.places), "findings": len(findings)},
    )
    return export


def _ours(listing: Listing) -> OurPlace:
    place = listing.place
    return OurPlace(
        listing.pk,
        str(place.public_id),
        listing.their_id,
        place.name,
        place.lon,
        place.lat,
        is_wanted=listing.is_wanted,
    )


def _is_out_of_date(listing: Listing, as_of: datetime) -> bool:
    """Whether the partner could not know by then: it was taken, or became wanted, only afterwards."""
    return listing.is_wanted and (listing.taken_sequence == 0 or listing.changed_at > as_of)


def _judge(listing: Listing, verdict: Verdict, kind: FindingKind, as_of: datetime, now: datetime) -> None:
    listing.changed_at = now
    if verdict.theirs is not None:
        listing.seen_at = as_of
        if verdict.is_by_number is False and not listing.their_id:
            listing.their_id = verdict.theirs.number[:120]
    if kind == FindingKind.STILL_SHOWN:
        mark_still_shown(listing, as_of)
        _once_more(listing)
    elif kind:
        listing.state, listing.finding = _STATES[kind], kind
        _once_more(listing)
    elif listing.is_wanted:
        listing.finding = FindingKind.NONE
        if not listing.is_waiting:
            listing.state = ListingState.LIVE
    else:
        mark_down(listing)
    listing.found = verdict.details if kind else {}


def _once_more(listing: Listing) -> None:
    """Let it go to the partner again, if anything goes there."""
    if listing.partner.carrier != Carrier.NONE:
        listing.is_waiting, listing.turn, listing.died_at = True, listing.turn + 1, None


def _evidence(
    export: PartnerExport, listing: Listing, verdict: Verdict, kind: FindingKind, now: datetime
) -> Evidence | None:
    what = EvidenceKind.FOUND_WRONG if kind else EvidenceKind.SEEN
    if not listing.is_wanted and not kind:
        what = EvidenceKind.GONE_FROM_EXPORT
    return Evidence(
        listing=listing,
        at=now,
        kind=what,
        sequence=listing.taken_sequence,
        export=export,
        line=verdict.theirs.line if verdict.theirs is not None else None,
        answer=verdict.words[:200],
    )


def _finding(export: PartnerExport, listing: Listing | None, verdict: Verdict, kind: FindingKind) -> Finding:
    theirs = verdict.theirs
    return Finding(
        export=export,
        listing=listing,
        kind=kind,
        line=theirs.line if theirs is not None else None,
        their_id=theirs.number[:120] if theirs is not None else "",
        their_name=theirs.name[:200] if theirs is not None else "",
        metres=round(verdict.metres) if verdict.metres is not None else None,
        likeness=round(verdict.likeness) if verdict.likeness is not None else None,
    )


def _write(listings: Sequence[Listing]) -> None:
    Listing.every.bulk_update(
        listings,
        [
            "state",
            "finding",
            "found",
            "seen_at",
            "their_id",
            "is_waiting",
            "turn",
            "died_at",
            "taken_wanted",
            "changed_at",
            "red_since",
            "red_until",
            "red_told",
        ],
        batch_size=500,
    )
