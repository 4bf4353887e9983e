"""The list of the desk: narrowed, ordered, and in pages by key, so that page one thousand costs what page one does."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from yizhan.cases.models import Case
from yizhan.cases.models.case import NOTHING_DUE, OPEN_STATES, WORKED_ON, CaseState
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

from .visible import visible_cases

PER_PAGE: Final = 50
COUNTED_TO: Final = 10_000
FOUND_TO: Final = 1_000
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


def counted(found: QuerySet[Case], *, limit: int = COUNTED_TO) -> tuple[int, bool]:
    """How many there are, and whether that is all: counting stops at `limit`, as no reader needs to know more."""
    count = found.order_by().values("pk")[: limit + 1].count()
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


def counts(staff: Staff, *, at: datetime | None = None, remembered: bool = False) -> Counts:
    """How many open cases of a post's unions wait for what; one query, or none where a page asks again."""
    now = at or timezone.now()
    if remembered and "_cases_counts" in staff.__dict__:
        known: Counts = staff.__dict__["_cases_counts"]
        return known
    told = (
        open_cases(staff, remembered=remembered)
        .order_by()
        .aggregate(
            overdue=Count("pk", filter=Q(due_order__lte=now)),
            to_answer=Count("pk", filter=Q(state=CaseState.SUBMITTED)),
            in_work=Count("pk", filter=Q(state__in=WORKED_ON)),
            to_judge=Count("pk", filter=Q(state=CaseState.PROPOSED)),
            mine=Count("pk", filter=Q(handler=staff)),
            offered=Count("pk", filter=Q(offered_to=staff.union_id)),
        )
    )
    counted_now = Counts(**told)
    if remembered:
        staff.__dict__["_cases_counts"] = counted_now
    return counted_now


def due_of(case: Case) -> datetime | None:
    """When we owe something next."""
    return None if case.due_order == NOTHING_DUE else case.due_order
