"""All published places as columns: what in-process indexes and the passage kernel are built from.

A snapshot is read in a few queries and never changes. It knows opening hours for the days ahead, so it must be taken
anew before `valid_until`, and whenever `NOTIFY places_changed` says that a place was published, changed or withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from django.db.models import Count, Max
from django.utils import timezone
from numpy.typing import NDArray

from yizhan.geo.open_intervals import FOREVER_S, OpenIntervals
from yizhan.unions.models import Union

from .hours import Openness, spans
from .models import Closure, Offer, OfferKind, Place

CHANNEL = "places_changed"
LOOK_AHEAD = timedelta(days=8)
REFRESH = timedelta(hours=12)
DEFAULT_RADIUS_M = 300.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """N published places, ordered by row number.

    Attributes:
        ids: Row numbers, ascending; shape (N,).
        public_ids, names, kinds, addresses, hours, union_paths, union_ids: Length N. `union_paths` are the places of
            the unions in the tree: a union lies at or above another when its path is a prefix.
        lon, lat: WGS-84 degrees; shape (N,).
        radius_m: Within which a passing vehicle is told, metres, where its union decides nothing else; shape (N,).
        open: When each is certainly open, UTC epoch seconds.
        unknown: When it is not known whether it is open (no hours given, or a year without published holidays).
        offer_codes: Codes of the vocabulary; `offers[k, i]` says whether place `i` offers `offer_codes[k]`.
        taken_at, valid_until: The time for which `open` and `unknown` hold.
        districts: As stated; length N, or none at all.
        unions: Where every union hangs in the tree, by its public identifier.
        newest_change: When the youngest change was made that this has seen; None: read for another purpose.
        inactive: How many unions are deactivated, and since when the last one is.
    """

    ids: NDArray[np.int64]
    public_ids: Sequence[UUID]
    names: Sequence[str]
    kinds: Sequence[str]
    addresses: Sequence[str]
    hours: Sequence[str]
    union_ids: Sequence[int]
    union_paths: Sequence[str]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    open: OpenIntervals
    unknown: OpenIntervals
    offer_codes: Sequence[str]
    offers: NDArray[np.bool_]
    taken_at: datetime
    valid_until: datetime
    districts: Sequence[str] = ()
    unions: Mapping[UUID, str] = field(default_factory=dict)
    newest_change: datetime | None = None
    inactive: tuple[int, datetime | None] = (0, None)

    def __len__(self) -> int:
        return len(self.ids)


def newest_change() -> datetime | None:
    """When any place was last changed; places are never deleted, so this only grows."""
    newest: datetime | None = Place.objects.with_scopes_disabled().aggregate(last=Max("changed_at"))["last"]
    return newest


def inactive_unions() -> tuple[int, datetime | None]:
    """How many unions are deactivated, and since when the last one is."""
    found = Union.objects.filter(is_active=False).aggregate(count=Count("pk"), last=Max("deactivated_at"))
    return found["count"], found["last"]


def load_snapshot(*, at: datetime | None = None, only: Sequence[int] | None = None) -> Snapshot:
    """Read all published places, with their hours from a few hours before `at` (default: now) to eight days after.

    With `only`, those of these row numbers alone (`snapshot_changes` reads so), and no unions.
    """
    at = (at or timezone.now()).astimezone(UTC)
    newest, inactive = newest_change(), inactive_unions()  # first: what comes in between is read again next time
    published = Place.published.order_by("pk")
    rows = list(
        (published if only is None else published.filter(pk__in=only)).values_list(
            "pk", "public_id", "name", "kind", "address", "hours", "union_id", "union__path", "lon", "lat", "district"
        )
    )
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) if rows else [()] * 11
    ids, public_ids, names, kinds, addresses, hours, union_ids, union_paths, lon, lat, districts = columns
    row_numbers = np.array(ids, np.int64)
    codes = sorted(set(OfferKind.objects.values_list("code", flat=True)))
    shut = _shut(row_numbers, at)
    return Snapshot(
        ids=row_numbers,
        public_ids=public_ids,  # type: ignore[arg-type]
        names=names,  # type: ignore[arg-type]
        kinds=kinds,  # type: ignore[arg-type]
        addresses=addresses,  # type: ignore[arg-type]
        hours=hours,  # type: ignore[arg-type]
        union_ids=union_ids,  # type: ignore[arg-type]
        union_paths=union_paths,  # type: ignore[arg-type]
        lon=np.array(lon, np.float64),
        lat=np.array(lat, np.float64),
        radius_m=np.full(len(rows), DEFAULT_RADIUS_M),
        open=intervals_of(hours, Openness.YES, at, shut=shut),  # type: ignore[arg-type]
        unknown=intervals_of(hours, Openness.UNKNOWN, at, shut=shut),  # type: ignore[arg-type]
        offer_codes=codes,
        offers=_offers(row_numbers, codes, only),
        taken_at=at,
        valid_until=at + LOOK_AHEAD,
        districts=districts,  # type: ignore[arg-type]
        unions={} if only is not None else dict(Union.objects.values_list("public_id", "path")),
        newest_change=newest,
        inactive=inactive,
    )


Stretch = tuple[int, int]


def intervals_of(
    hours: Iterable[str], state: Openness, at: datetime, *, shut: Mapping[int, Sequence[Stretch]] | None = None
) -> OpenIntervals:
    """For each expression, when it has that state around `at`; each different expression is evaluated once.

    `shut` says for some of the places, by their index, when they are closed whatever their hours say (half-open
    stretches of UTC epoch seconds).

    Days begin and end at midnight in Shanghai, so that a night's hours are not cut by the edge of the time looked at.
    What holds for all of that time is given as without end.
    """
    start, end = _edges(at)
    first, last = int(start.timestamp()), int(end.timestamp())
    known: dict[str, list[Stretch]] = {}

    def of(expression: str) -> list[Stretch]:
        if expression not in known:
            stretches = [
                (int(span.start.timestamp()), int(span.end.timestamp()))
                for span in spans(expression, start, end)
                if span.state is state
            ]
            known[expression] = (
                [(-FOREVER_S, FOREVER_S)] if expression in {"", "24/7"} and stretches == [(first, last)] else stretches
            )
        return known[expression]

    if not shut:
        return OpenIntervals.of([of(expression) for expression in hours])
    return OpenIntervals.of(
        [
            _less(of(expression), shut[index]) if index in shut else of(expression)
            for index, expression in enumerate(hours)
        ]
    )


def _less(stretches: Iterable[Stretch], shut: Sequence[Stretch]) -> list[Stretch]:
    """What remains of the stretches when those of `shut` are taken out."""
    rest: list[Stretch] = []
    for start, end in stretches:
        left = start
        for cut, until in sorted(shut):
            if until <= left or cut >= end:
                continue
            if left < cut:
                rest.append((left, cut))
            left = until
        if left < end:
            rest.append((left, end))
    return rest


def _shut(row_numbers: NDArray[np.int64], at: datetime) -> dict[int, list[Stretch]]:
    """Temporary closures by the index of their place."""
    start, end = _edges(at)
    found: dict[int, list[Stretch]] = {}
    closures = Closure.published.filter(ends_at__gt=start, starts_at__lt=end)
    for place, starts_at, ends_at in closures.values_list("place_id", "starts_at", "ends_at"):
        index = int(np.searchsorted(row_numbers, place))
        if index < len(row_numbers) and row_numbers[index] == place:
            found.setdefault(index, []).append((int(starts_at.timestamp()), int(ends_at.timestamp())))
    return found


def _edges(at: datetime) -> tuple[datetime, datetime]:
    day = timedelta(days=1)
    shanghai = at + timedelta(hours=8)
    midnight = shanghai.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=8)
    return midnight - day, midnight + LOOK_AHEAD + day


def _offers(row_numbers: NDArray[np.int64], codes: Sequence[str], only: Sequence[int] | None) -> NDArray[np.bool_]:
    table = np.zeros((len(codes), len(row_numbers)), np.bool_)
    # Those of places that are not published fall out below: a join to find that out would cost as much again.
    offers = Offer.objects.with_scopes_disabled()
    pairs = list((offers if only is None else offers.filter(place__in=only)).values_list("place_id", "kind__code"))
    if pairs and len(row_numbers):
        number = {code: position for position, code in enumerate(codes)}
        places = np.array([place for place, _code in pairs], np.int64)
        kinds = np.array([number[code] for _place, code in pairs], np.int64)
        columns = np.minimum(np.searchsorted(row_numbers, places), len(row_numbers) - 1)
        known = row_numbers[columns] == places  # a place may have been published between the two queries
        table[kinds[known], columns[known]] = True
    return table
