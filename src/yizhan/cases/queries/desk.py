"""The list of the desk: narrowed, ordered, and in pages by key, so that page one thousand costs what page one does."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec
from django.db.models import Count, Q, QuerySet, Value
from django.utils import timezone

from yizhan.cases.models import Case
from yizhan.cases.models.case import NOTHING_DUE, OPEN_STATES, WORKED_ON, CaseState
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

from .kept import counted_lately
from .visible import Sight, sight_of, visible_cases

PER_PAGE: Final = 50
COUNTED_TO: Final = 2_000
FOUND_TO: Final = 1_000
_COUNTS_KEPT: Final = 20  # seconds
Order = Literal["due", "newest"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of the list; `after` asks for the following ones, empty at the end."""

    cases: list[Case]
    after: str


class _Key(msgspec.Struct, array_like=True):
    order: str
    moment: datetime
    pk: int


def page_of(found: QuerySet[Case], *, order: Order = "due", after: str = "", size: int = PER_PAGE) -> Page:
    """The rows that follow the key `after`, in the order asked for.

    Raises:
        ValueError: `after` is no key that we gave for this order.
    """
    column = "due_order" if order == "due" else "submitted_at"
    backwards = order == "newest"
    if after:
        key = _read(after)
        if key.order != order:
            raise ValueError(after)
        side = "lt" if backwards else "gt"
        # Written as a bound and a remainder, so that the bound is a range of the index.
        found = found.filter(
            Q((f"{column}__{side}e", key.moment)) & (~Q((column, key.moment)) | Q((f"pk__{side}", key.pk)))
        )
    order_by = ("-submitted_at", "-pk") if backwards else ("due_order", "pk")
    # The keys first: an index holds all that lists are narrowed by, so that only the rows that are shown are read.
    keys = list(found.order_by(*order_by).values_list("pk", column)[: size + 1])
    more = len(keys) > size
    keys = keys[:size]
    shown = (
        Case.objects.with_scopes_disabled()
        .filter(pk__in=[pk for pk, _moment in keys])
        .select_related("union", "handler__user", "worker__user", "place", "offered_to")
        .defer("search", "text")
    )
    rows = {case.pk: case for case in shown}
    last = _written(order, keys[-1][1], keys[-1][0]) if more else ""
    return Page([rows[pk] for pk, _moment in keys if pk in rows], last)


def _written(order: str, moment: datetime, pk: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_Key(order, moment, pk))).rstrip(b"=").decode()


def _read(text: str) -> _Key:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=_Key)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise ValueError(text) from error


def open_cases(staff: Staff | Operator, *, remembered: bool = False) -> QuerySet[Case]:
    """Those in which something is still to be done."""
    return visible_cases(staff, remembered=remembered).filter(state__in=OPEN_STATES)


def overdue(found: QuerySet[Case], at: datetime | None = None) -> QuerySet[Case]:
    """Those in which we owe something since a deadline passed."""
    return found.filter(state__in=OPEN_STATES, due_order__lte=at or timezone.now())


def waiting_for_answer(found: QuerySet[Case]) -> QuerySet[Case]:
    """Those that nobody has accepted or refused yet."""
    return found.filter(state=CaseState.SUBMITTED)


def counted(parts: Sequence[QuerySet[Case]], *, limit: int = COUNTED_TO) -> tuple[int, bool]:
    """How many there are in these parts of a list, and whether that is all: counting stops at `limit`, as no reader
    needs to know more."""
    first, *others = [part.order_by().values("pk")[: limit + 1] for part in parts]
    count = first.union(*others, all=True).count() if others else first.count()
    return min(count, limit), count <= limit


@dataclass(frozen=True, slots=True)
class Counts:
    """How many open cases wait for what."""

    overdue: int
    to_answer: int
    in_work: int
    to_judge: int
    mine: int
    offered: int

    @property
    def open(self) -> int:
        """All that are open."""
        return self.to_answer + self.in_work + self.to_judge


def counts(staff: Staff, *, at: datetime | None = None) -> Counts:
    """How many open cases of a post's unions wait for what; one query."""
    return _counts(sight_of(staff), staff, at or timezone.now())


def counts_lately(staff: Staff) -> Counts:
    """The same for the head of a page, which remembers what the post may see: of very many, those of this minute."""
    sight = sight_of(staff, remembered=True)
    over = visible_cases(staff, remembered=True)
    return counted_lately(
        f"waiting-{staff.pk}",
        over,
        lambda: _counts(sight, staff, timezone.now()),
        rows=lambda told: told.open,
        seconds=_COUNTS_KEPT,
    )


def _counts(sight: Sight, staff: Staff, now: datetime) -> Counts:
    sums = {
        "overdue": Count("pk", filter=Q(due_order__lte=now)),
        "to_answer": Count("pk", filter=Q(state=CaseState.SUBMITTED)),
        "in_work": Count("pk", filter=Q(state__in=WORKED_ON)),
        "to_judge": Count("pk", filter=Q(state=CaseState.PROPOSED)),
        "mine": Count("pk", filter=Q(handler=staff)),
        "offered": Count("pk", filter=Q(offered_to=staff.union_id)),
    }
    # Part by part: each finds its few rows in its own index, where one condition would go through all open cases.
    first, *others = [
        Case.objects.with_scopes_disabled()
        .filter(part, state__in=OPEN_STATES)
        .order_by()
        .annotate(all_of_it=Value(1))
        .values("all_of_it")
        .annotate(**sums)
        .values_list(*sums)
        for part in sight.parts
    ]
    rows = list(first.union(*others, all=True))
    return Counts(*(sum(column) for column in zip(*rows, strict=True))) if rows else Counts(0, 0, 0, 0, 0, 0)


def due_of(case: Case) -> datetime | None:
    """When we owe something next."""
    return None if case.due_order == NOTHING_DUE else case.due_order
