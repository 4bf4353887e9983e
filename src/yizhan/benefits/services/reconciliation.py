"""The three-way reconciliation: what redemptions say, what the ledger booked, what statements hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.benefits.finance_actions import DIFFERENCE_RESOLVED, RECONCILED
from yizhan.benefits.models import Difference, DifferenceKind, DifferenceState, Programme, Reconciliation
from yizhan.benefits.rights import RECONCILE
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import OPERATOR, Operator, policy
from yizhan.unions.services.inbox import send

# After a cut-off's day, how long a redemption may be without a statement (or a correction) before it is a difference.
DUE_AFTER: Final = timedelta(hours=36)
MOST_OF_A_KIND: Final = 1_000  # rows kept of one kind; the count is that of all

# One row a redemption of the union: what it says itself, what its entries say, what its lines say.
_COMPARED = """
WITH booked AS (
    SELECT t.redemption_id,
           sum(e.fen) FILTER (WHERE a.kind = 'merchant') AS merchant,
           -sum(e.fen) FILTER (WHERE a.kind IN ('union', 'platform', 'sponsor')) AS funded
      FROM benefits_ledgertransaction t
      JOIN benefits_entry e ON e.transaction_id = t.id
      JOIN benefits_account a ON a.id = e.account_id
     WHERE t.union_id = %(union)s AND t.redemption_id IS NOT NULL
     GROUP BY t.redemption_id
), settled AS (
    SELECT l.redemption_id, sum(l.funded_fen) AS funded,
           max(l.funded_fen) FILTER (WHERE l.kind = 'redemption') AS claimed,
           bool_or(l.kind = 'redemption') AS has_line, bool_or(l.kind = 'correction') AS has_correction
      FROM benefits_statementline l JOIN benefits_statement s ON s.id = l.statement_id
     WHERE s.union_id = %(union)s GROUP BY l.redemption_id
)
SELECT r.id, r.state, r.list_price_fen, r.funded_fen,
       r.state = 'redeemed' AS stands,
       coalesce(b.merchant, 0) AS booked_merchant, coalesce(b.funded, 0) AS booked_funded,
       coalesce(s.funded, 0) AS settled_funded, coalesce(s.has_line, false) AS has_line,
       coalesce(s.has_correction, false) AS has_correction, s.claimed,
       greatest(r.redeemed_at, r.recorded_at, coalesce(r.decided_at, r.recorded_at)) < %(due)s AS settle_due,
       r.ended_at < %(due)s AS correct_due
  FROM benefits_redemption r
  LEFT JOIN booked b ON b.redemption_id = r.id
  LEFT JOIN settled s ON s.redemption_id = r.id
 WHERE r.union_id = %(union)s AND r.recorded_at <= %(at)s
"""
_SUMS = f"""
SELECT count(*), coalesce(sum(funded_fen) FILTER (WHERE stands), 0)::bigint, coalesce(sum(booked_funded), 0)::bigint,
       coalesce(sum(settled_funded), 0)::bigint,
       coalesce(sum((CASE WHEN stands THEN funded_fen ELSE 0 END) - settled_funded)
                FILTER (WHERE (stands AND NOT has_line AND NOT settle_due)
                           OR (NOT stands AND has_line AND NOT has_correction AND NOT correct_due)), 0)::bigint
  FROM ({_COMPARED}) c
"""  # noqa: S608 - put together from constants
# Kind: (condition, expected, found), over one compared redemption.
_TESTS: Final = {
    DifferenceKind.NOT_BOOKED: (
        "stands AND booked_merchant <> list_price_fen",
        "list_price_fen",
        "booked_merchant",
    ),
    DifferenceKind.SHARES_DIFFER: (
        "stands AND booked_merchant = list_price_fen AND booked_funded <> funded_fen",
        "funded_fen",
        "booked_funded",
    ),
    DifferenceKind.BOOKED_WITHOUT: (
        "NOT stands AND (booked_merchant <> 0 OR booked_funded <> 0)",
        "0",
        "booked_merchant",
    ),
    DifferenceKind.NOT_SETTLED: ("stands AND NOT has_line AND settle_due", "funded_fen", "0"),
    DifferenceKind.SETTLED_OTHERWISE: (
        (
            "has_line AND (claimed <> funded_fen OR (stands AND has_correction) "
            "OR (has_correction AND settled_funded <> 0))"
        ),
        "CASE WHEN stands THEN funded_fen ELSE 0 END",
        "settled_funded",
    ),
    DifferenceKind.NOT_CORRECTED: (
        "NOT stands AND has_line AND NOT has_correction AND correct_due",
        "0",
        "settled_funded",
    ),
}
_STATEMENTS = """
SELECT s.id, s.payable_fen, coalesce(sum(l.payable_fen), 0)::bigint
  FROM benefits_statement s LEFT JOIN benefits_statementline l ON l.statement_id = s.id
 WHERE s.union_id = %(union)s GROUP BY s.id
HAVING s.payable_fen <> coalesce(sum(l.payable_fen), 0)
    OR s.redemptions <> count(l.id) FILTER (WHERE l.kind = 'redemption')
    OR s.corrections <> count(l.id) FILTER (WHERE l.kind = 'correction')
"""
_PAYOUTS = """
SELECT p.id, p.total_fen, (
           SELECT coalesce(sum(e.fen), 0)::bigint FROM benefits_ledgertransaction t
             JOIN benefits_entry e ON e.transaction_id = t.id JOIN benefits_account a ON a.id = e.account_id
            WHERE t.kind = 'paid_out' AND t.memo = p.number AND t.union_id = p.union_id AND a.kind = 'bank') AS booked,
       (SELECT coalesce(sum(s.payable_fen), 0)::bigint FROM benefits_statement s WHERE s.payout_id = p.id) AS settled,
       (SELECT coalesce(sum(i.fen), 0)::bigint FROM benefits_payoutitem i WHERE i.payout_id = p.id) AS items
  FROM benefits_payout p WHERE p.union_id = %(union)s AND p.state = 'paid'
"""
_UNBALANCED = """
SELECT t.id, sum(e.fen)::bigint FROM benefits_ledgertransaction t LEFT JOIN benefits_entry e ON e.transaction_id = t.id
 WHERE t.union_id = %(union)s GROUP BY t.id HAVING coalesce(sum(e.fen), 1) <> 0
"""


@dataclass(frozen=True, slots=True)
class _Found:
    """One difference as the comparison sees it."""

    kind: str
    expected_fen: int
    found_fen: int
    redemption_id: int | None = None
    statement_id: int | None = None
    payout_id: int | None = None
    transaction_id: int | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        return self.kind, self.redemption_id, self.statement_id, self.payout_id, self.transaction_id


@transaction.atomic
def reconcile(
    union: Union, *, actor: Staff | Operator = OPERATOR, at: datetime | None = None, books_verified: bool | None = None
) -> Reconciliation:
    """Compare redemptions, ledger and statements of a union's programmes, and keep each difference.

    A difference found again stays the one it was; one no longer found is marked as gone, never deleted.

    Args:
        books_verified: What the chain of the ledger said the same night; None: it was not asked.

    Raises:
        NotAllowed: `actor` may not reconcile for this union.
    """
    policy.require(actor, RECONCILE, union)
    at = at or timezone.now()
    values: dict[str, Any] = {"union": union.pk, "at": at, "due": at - DUE_AFTER}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('benefits.reconcile'), %s)", [union.pk])
        cursor.execute(_SUMS, values)
        count, redeemed, booked, settled, unsettled = cursor.fetchone()
        found = list(_differences(cursor, values))
    fresh = _keep(union, found, at)
    made: Reconciliation = Reconciliation.objects.create(
        union=union,
        at=at,
        redemptions=count,
        redeemed_fen=redeemed,
        booked_fen=booked,
        settled_fen=settled,
        unsettled_fen=unsettled,
        differences=len(found),
        books_verified=books_verified,
    )
    record(actor, RECONCILED, union=union, target=made, details={"redemptions": count, "differences": len(found)})
    if fresh:
        send(
            title=gettext_lazy("Redemptions, ledger and statements differ"),
            body=str(gettext_lazy("New differences: %(count)s")) % {"count": fresh},
            link="/desk/benefits/money/reconciliation/",
            union=union,
            right=RECONCILE,
        )
    return made


def unions_with_programmes() -> list[Union]:
    """Whoever has something to reconcile."""
    ids = Programme.objects.with_scopes_disabled().values("union_id")
    return list(Union.objects.filter(pk__in=ids).order_by("path"))


@transaction.atomic
def resolve(difference: Difference, *, actor: Staff | Operator, reason: str) -> Difference:
    """Somebody looked into a difference and says why it is in order, or what was done about it.

    Raises:
        NotAllowed: `actor` may not reconcile for this union.
        RuleBroken: it is not open any more, or no reason is given.
    """
    kept: Difference = Difference.objects.with_scopes_disabled().select_for_update().get(pk=difference.pk)
    policy.require(actor, RECONCILE, kept.union)
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise RuleBroken.at("reason", "", _("Say what you found out; the reason is kept."), "required")
    if kept.state != DifferenceState.OPEN:
        raise RuleBroken.at("state", kept.state, _("This difference is not open any more."), "wrong_state")
    kept.state, kept.closed_at, kept.reason = DifferenceState.RESOLVED, timezone.now(), reason
    kept.closed_by = actor.user if isinstance(actor, Staff) else None
    kept.save(update_fields=["state", "closed_at", "closed_by", "reason"])
    record(actor, DIFFERENCE_RESOLVED, union=kept.union, target=kept, details={"reason": reason})
    return kept


def _differences(cursor: Any, values: dict[str, Any]) -> Iterator[_Found]:
    for kind, (condition, expected, found) in _TESTS.items():
        cursor.execute(
            f"SELECT id, ({expected})::bigint, ({found})::bigint FROM ({_COMPARED}) c "  # noqa: S608 - from constants
            f"WHERE {condition} ORDER BY id LIMIT {MOST_OF_A_KIND}",
            values,
        )
        for redemption_id, wanted, is_fen in cursor.fetchall():
            yield _Found(str(kind), wanted, is_fen, redemption_id=redemption_id)
    cursor.execute(_STATEMENTS, values)
    for statement_id, wanted, is_fen in cursor.fetchall():
        yield _Found(str(DifferenceKind.STATEMENT_SUMS), wanted, is_fen, statement_id=statement_id)
    cursor.execute(_PAYOUTS, values)
    for payout_id, total, booked, settled, items in cursor.fetchall():
        other = next((fen for fen in (booked, settled, items) if fen != total), None)
        if other is not None:
            yield _Found(str(DifferenceKind.PAYOUT_SUMS), total, other, payout_id=payout_id)
    cursor.execute(_UNBALANCED, values)
    for transaction_id, is_fen in cursor.fetchall():
        yield _Found(str(DifferenceKind.UNBALANCED), 0, is_fen or 0, transaction_id=transaction_id)


def _keep(union: Union, found: list[_Found], at: datetime) -> int:
    """Store what was found; says how many are new."""
    rows = Difference.objects.with_scopes_disabled().filter(union=union).exclude(state=DifferenceState.GONE)
    known = {
        (row.kind, row.redemption_id, row.statement_id, row.payout_id, row.transaction_id): row
        for row in rows.select_for_update()
    }
    seen = {each.key: each for each in found}
    again = [row.pk for key, row in known.items() if key in seen]
    Difference.objects.with_scopes_disabled().filter(pk__in=again).update(last_seen_at=at)
    for key, row in known.items():
        if key not in seen:
            row.state, row.closed_at = DifferenceState.GONE, row.closed_at or at
            row.save(update_fields=["state", "closed_at"])
    fresh = [each for key, each in seen.items() if key not in known]
    Difference.objects.bulk_create(
        Difference(
            union=union,
            kind=each.kind,
            redemption_id=each.redemption_id,
            statement_id=each.statement_id,
            payout_id=each.payout_id,
            transaction_id=each.transaction_id,
            expected_fen=each.expected_fen,
            found_fen=each.found_fen,
            first_seen_at=at,
            last_seen_at=at,
        )
        for each in fresh
    )
    return len(fresh)
