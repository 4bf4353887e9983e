"""Redemptions as rows to take home. Workers appear by their public identifier only, never by name or number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import F, FilteredRelation, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from yizhan.benefits.models import Channel, PaymentChannel, Redemption, RedemptionState
from yizhan.unions.models import Occupation

from .writers import Column

# Column: what is read for it.
_FIELDS: Final[tuple[tuple[Column, str], ...]] = (
    (Column("redemption", _("Redemption")), "public_id"),
    (Column("redeemed_at", _("Redeemed at"), "time"), "redeemed_at"),
    (Column("recorded_at", _("Recorded at"), "time"), "recorded_at"),
    (Column("day", _("Day"), "day"), "day"),
    (Column("programme", _("Programme")), "programme__name"),
    (Column("union", _("Union")), "union__name"),
    (Column("merchant", _("Merchant")), "place__name"),
    (Column("offer", _("Meal")), "offer__name"),
    (Column("worker", _("Worker (identifier)")), "worker__public_id"),
    (Column("occupation", _("Occupation"), words=dict(Occupation.choices)), "worker__occupation"),
    (Column("company", _("Platform company")), "worker__platform_company"),
    (Column("channel", _("How"), words=dict(Channel.choices)), "channel"),
    (Column("offline", _("Offline"), "yes"), "offline"),
    (Column("state", _("State"), words=dict(RedemptionState.choices)), "state"),
    (Column("ended_at", _("Taken back at"), "time"), "ended_at"),
    (Column("list_price", _("List price"), "fen"), "list_price_fen"),
    (Column("worker_share", _("Worker's share"), "fen"), "worker_fen"),
    (Column("merchant_share", _("Merchant's share"), "fen"), "merchant_fen"),
    (Column("funded", _("Funded"), "fen"), "funded_fen"),
    (Column("paid_by", _("Worker paid by"), words=dict(PaymentChannel.choices)), "payment__channel"),
    (Column("statement", _("Statement")), "statement_number"),
)
COLUMNS: Final = tuple(column for column, _field in _FIELDS)
_CHUNK: Final = 5_000


def rows_of(redemptions: QuerySet[Redemption]) -> Iterator[tuple[Any, ...]]:
    """The rows of `redemptions`, oldest first, read by a cursor of the server: memory stays flat."""
    read = (
        redemptions.annotate(
            claimed=FilteredRelation("statement_lines", condition=Q(statement_lines__kind="redemption")),
            statement_number=F("claimed__statement__number"),
        )
        .order_by("redeemed_at", "pk")
        .values_list(*[field for _column, field in _FIELDS])
    )
    return iter(read.iterator(chunk_size=_CHUNK))
