"""The cut-off: every redemption that stands on no statement yet goes on one, every one taken back is corrected once.

A statement marks exactly which redemptions it holds; nothing is said "up to the highest number". What commits late is
found by the next cut-off, and a redemption voided while one runs is on this statement and corrected on the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from yizhan.benefits.clock import SHANGHAI, day_of, last_cut, yuan
from yizhan.benefits.finance_actions import CUT_OFF
from yizhan.benefits.models import OPEN_PAYMENTS, CounterPost, CutOff, CutOffKind, Programme, Statement
from yizhan.benefits.rights import SETTLE
from yizhan.unions.audit import record
from yizhan.unions.identity import new_public_id
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import OPERATOR, Operator, Role, policy
from yizhan.unions.services.inbox import send

_DUE = """
CREATE TEMPORARY TABLE benefits_due ON COMMIT DROP AS
SELECT r.id AS redemption_id, 'redemption' AS kind, r.place_id,
       r.list_price_fen::bigint AS list_fen, r.worker_fen::bigint AS worker_fen, r.merchant_fen::bigint AS merchant_fen,
       r.funded_fen::bigint AS funded_fen,
       CASE WHEN p.received_by_union AND p.state = 'paid' THEN p.amount_fen ELSE 0 END::bigint AS collected_fen
  FROM benefits_redemption r
  LEFT JOIN benefits_payment p ON p.redemption_id = r.id
 WHERE r.union_id = %(union)s AND r.state = 'redeemed' AND r.redeemed_at < %(until)s
   AND (p.id IS NULL OR p.state <> ALL(%(open)s))
   AND NOT EXISTS (SELECT 1 FROM benefits_statementline l WHERE l.redemption_id = r.id)
UNION ALL
SELECT l.redemption_id, 'correction', s.place_id, -l.list_fen, -l.worker_fen, -l.merchant_fen, -l.funded_fen,
       -l.collected_fen
  FROM benefits_statementline l
  JOIN benefits_statement s ON s.id = l.statement_id
  JOIN benefits_redemption r ON r.id = l.redemption_id
 WHERE s.union_id = %(union)s AND l.kind = 'redemption' AND r.state IN ('voided', 'refunded')
   AND NOT EXISTS (
       SELECT 1 FROM benefits_statementline c WHERE c.redemption_id = r.id AND c.kind = 'correction')
"""
_SUMS = """
SELECT place_id, count(*) FILTER (WHERE kind = 'redemption') AS redemptions,
       count(*) FILTER (WHERE kind = 'correction') AS corrections, sum(list_fen)::bigint AS list_fen,
       sum(worker_fen)::bigint AS worker_fen, sum(merchant_fen)::bigint AS merchant_fen,
       sum(funded_fen)::bigint AS funded_fen, sum(collected_fen)::bigint AS collected_fen,
       sum(funded_fen + collected_fen)::bigint AS payable_fen
  FROM benefits_due GROUP BY place_id ORDER BY place_id
"""
_LINES = """
INSERT INTO benefits_statementline (public_id, statement_id, redemption_id, kind, list_fen, worker_fen, merchant_fen,
       funded_fen, collected_fen, payable_fen, dispute, answer)
SELECT gen_random_uuid(), s.id, d.redemption_id, d.kind, d.list_fen, d.worker_fen, d.merchant_fen, d.funded_fen,
       d.collected_fen, d.funded_fen + d.collected_fen, '', ''
  FROM benefits_due d JOIN benefits_statement s ON s.cut_off_id = %s AND s.place_id = d.place_id
"""


@transaction.atomic
def cut_off(union: Union, *, actor: Staff | Operator, at: datetime | None = None) -> CutOff:
    """Cut off by hand, now: what is due of a union's programmes goes on statements.

    Raises:
        NotAllowed: `actor` may not settle for this union.
    """
    policy.require(actor, SETTLE, union)
    at = at or timezone.now()
    _one_at_a_time(union)
    return _cut(union, CutOffKind.BY_HAND, until=at, day=at.astimezone(SHANGHAI).date(), actor=actor, at=at)


@transaction.atomic
def nightly_cut_off(union: Union, *, at: datetime | None = None) -> CutOff:
    """The cut-off of the last night for one union; made once, whoever asks how often."""
    at = at or timezone.now()
    until = last_cut(at)
    day = day_of(until)
    _one_at_a_time(union)
    if earlier := CutOff.objects.with_scopes_disabled().filter(union=union, day=day, kind=CutOffKind.NIGHTLY).first():
        found: CutOff = earlier
        return found
    return _cut(union, CutOffKind.NIGHTLY, until=until, day=day, actor=OPERATOR, at=at)


def due_nightly(*, at: datetime | None = None) -> list[Union]:
    """The unions with programmes whose cut-off of the last night is not made yet."""
    day = day_of(last_cut(at or timezone.now()))
    done = CutOff.objects.with_scopes_disabled().filter(day=day, kind=CutOffKind.NIGHTLY).values("union_id")
    with_programmes = Programme.objects.with_scopes_disabled().exclude(state="draft").values("union_id")
    return list(Union.objects.filter(pk__in=with_programmes).exclude(pk__in=done).order_by("path"))


def _one_at_a_time(union: Union) -> None:
    # Not a lock on the union's row: redemptions need not wait for a cut-off.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('benefits.cut_off'), %s)", [union.pk])


def _cut(union: Union, kind: CutOffKind, *, until: datetime, day: Any, actor: Staff | Operator, at: datetime) -> CutOff:
    maker = actor.user if isinstance(actor, Staff) else None
    made: CutOff = CutOff.objects.create(union=union, kind=kind, day=day, cut_at=until, made_by=maker, made_at=at)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.benefits_due")  # of a cut-off in the same transaction
        cursor.execute(_DUE, {"union": union.pk, "until": until, "open": [str(state) for state in OPEN_PAYMENTS]})
        cursor.execute(_SUMS)
        names = [column.name for column in cursor.description or ()]
        sums = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        statements = [_statement(made, row) for row in sums]
        Statement.objects.bulk_create(statements)
        cursor.execute(_LINES, [made.pk])
    record(
        actor,
        CUT_OFF,
        union=union,
        target=made,
        details={
            "day": day.isoformat(),
            "statements": len(statements),
            "redemptions": sum(row["redemptions"] for row in sums),
            "corrections": sum(row["corrections"] for row in sums),
            "payable_yuan": yuan(sum(row["payable_fen"] for row in sums)),
        },
    )
    _tell_merchants(statements)
    return made


def _statement(made: CutOff, row: dict[str, Any]) -> Statement:
    public_id = new_public_id()
    return Statement(
        public_id=public_id,
        cut_off=made,
        union_id=made.union_id,
        number=f"JS{made.day:%Y%m%d}-{public_id.hex[-8:].upper()}",
        day=made.day,
        made_by=made.made_by,
        made_at=made.made_at,
        **row,
    )


def _tell_merchants(statements: Sequence[Statement]) -> None:
    """Tell each merchant's own post of its statement."""
    by_place: dict[int, list[Staff]] = {}
    posts = CounterPost.objects.with_scopes_disabled().filter(
        place__in=[statement.place_id for statement in statements], is_active=True, staff__role=Role.MERCHANT
    )
    for post in posts.select_related("staff__user", "staff__union"):
        by_place.setdefault(post.place_id, []).append(post.staff)
    for statement in statements:
        if receivers := by_place.get(statement.place_id):
            send(
                title=gettext_lazy("A statement waits for you"),
                body=f"{statement.number} · {yuan(statement.payable_fen)}",
                link=statement.get_absolute_url(),
                posts=receivers,
            )
