"""What a reader asks of the feeds: which places, in which datum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum
from yizhan.places.parameters import QueryRefused, box_of, datum_of, kinds_of
from yizhan.unions.models import Union

Box = tuple[float, float, float, float]
EARLIEST_YEAR, LATEST_YEAR = 1900, 2900
MOST_DIGITS = 18  # of a sequence number


@dataclass(frozen=True, slots=True)
class Asked:
    """Which places are asked for, and the datum in which they are told; the box is in WGS-84 degrees."""

    datum: Datum = Datum.WGS84
    kinds: tuple[str, ...] = ()
    union_path: str = ""
    box: Box | None = None

    @property
    def narrows(self) -> bool:
        """Whether some places are not asked for."""
        return bool(self.kinds or self.union_path or self.box)

    def condition(self) -> Q:
        """The same as a condition on `PlaceChange`."""
        condition = Q()
        if self.kinds:
            condition &= Q(kind__in=self.kinds)
        if self.union_path:
            condition &= Q(union_path__startswith=self.union_path)
        if self.box:
            west, south, east, north = self.box
            beside = Q(lon__gte=west, lon__lte=east) if west <= east else Q(lon__gte=west) | Q(lon__lte=east)
            condition &= beside & Q(lat__gte=south, lat__lte=north)
        return condition


def asked_of(query: dict[str, str], known: frozenset[str] = frozenset()) -> Asked:
    """What a query asks for: `datum` (default WGS-84), `kinds`, `union` (and those below) and `bbox` (in that datum).

    Args:
        query: The parameters by name.
        known: Further parameters that the address understands.

    Raises:
        QueryRefused: a parameter is unknown or breaks a rule.
    """
    for name in query:
        if name and name not in known and name not in {"datum", "kinds", "union", "bbox"}:
            raise QueryRefused(name, query[name], _("There is no such parameter here."))
    datum = datum_of(query, "datum", Datum.WGS84)
    return Asked(
        datum,
        kinds_of(query) if query.get("kinds") else (),
        path_of_union(query["union"]) if query.get("union") else "",
        box_of(query, datum) if query.get("bbox") else None,
    )


def path_of_union(text: str) -> str:
    """Where the union with that public identifier hangs in the tree.

    Raises:
        QueryRefused: there is none.
    """
    try:
        path = Union.objects.filter(public_id=UUID(text)).values_list("path", flat=True).first()
    except ValueError:
        path = None
    if path is None:
        raise QueryRefused("union", text, _("There is no such union."))
    return path


def moment_of(text: str) -> datetime | None:
    """A moment with its offset, as RFC 3339 writes it; None when it is none, or lies beyond what is ever stored."""
    try:
        moment = parse_datetime(text) if "T" in text else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None or not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        return None
    return moment


def sequence_of(query: Mapping[str, str], field: str) -> int:
    """A sequence number that an earlier answer gave; 0 when left out.

    Raises:
        QueryRefused: it is none.
    """
    text = query.get(field, "") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise QueryRefused(field, text, _("Give the “sequence” of an earlier answer, or 0."))
    return int(text)
