"""Verifies the books from the first entry on: the chain, the balance, and that they say what redemptions say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db import connection

from yizhan.benefits.models import Entry, LedgerTransaction, Seal
from yizhan.benefits.services.sealing import BEGINNING, chained

_BATCH = 2_000
_MOST_TOLD = 50

# What must be empty: a sentence, and the query that gives what contradicts it.
_CHECKS: dict[str, str] = {
    "A transaction does not balance": (
        "SELECT transaction_id, sum(fen) FROM benefits_entry GROUP BY transaction_id "
        "HAVING sum(fen) <> 0 OR count(*) < 2"
    ),
    "A transaction has no entries": (
        "SELECT t.id, t.kind FROM benefits_ledgertransaction t "
        "WHERE NOT EXISTS (SELECT 1 FROM benefits_entry e WHERE e.transaction_id = t.id)"
    ),
    "An entry belongs to no transaction": (
        "SELECT e.id, e.transaction_id FROM benefits_entry e "
        "WHERE NOT EXISTS (SELECT 1 FROM benefits_ledgertransaction t WHERE t.id = e.transaction_id)"
    ),
    "A redemption is not booked as its state says": (
        "SELECT r.public_id, r.state FROM benefits_redemption r LEFT JOIN LATERAL ("
        "  SELECT count(*) FILTER (WHERE t.kind = 'redeemed')::int AS booked, "
        "         count(*) FILTER (WHERE t.kind = 'reversed')::int AS reversed "
        "    FROM benefits_ledgertransaction t WHERE t.redemption_id = r.id) b ON true "
        "WHERE (b.booked, b.reversed) <> (CASE WHEN r.state = 'redeemed' THEN (1, 0) "
        "  WHEN r.state = 'refunded' THEN (1, 1) WHEN r.state = 'exception' OR r.decided_at IS NOT NULL THEN (0, 0) "
        "  ELSE (1, 1) END) "
        "  AND NOT (r.state = 'voided' AND r.decided_at IS NOT NULL AND (b.booked, b.reversed) = (1, 1))"
    ),
    "A booking differs from its redemption": (
        "SELECT r.public_id, r.list_price_fen FROM benefits_redemption r "
        "JOIN benefits_ledgertransaction t ON t.redemption_id = r.id AND t.kind = 'redeemed' "
        "JOIN LATERAL (SELECT coalesce(sum(e.fen) FILTER (WHERE a.kind = 'merchant'), 0) AS owed, "
        "  coalesce(-sum(e.fen) FILTER (WHERE a.kind = 'worker_share'), 0) AS worker, "
        "  coalesce(-sum(e.fen) FILTER (WHERE a.kind = 'merchant_share'), 0) AS merchant, "
        "  coalesce(-sum(e.fen) FILTER (WHERE a.kind IN ('union', 'platform', 'sponsor')), 0) AS funded "
        "  FROM benefits_entry e JOIN benefits_account a ON a.id = e.account_id WHERE e.transaction_id = t.id) s "
        "ON true "
        "WHERE s.owed <> r.list_price_fen OR s.worker <> r.worker_fen OR s.merchant <> r.merchant_fen "
        "   OR s.funded <> r.funded_fen"
    ),
    "A reversal is not the opposite of what it reverses": (
        "SELECT t.id, t.reverses_id FROM benefits_ledgertransaction t WHERE t.reverses_id IS NOT NULL AND EXISTS ("
        "  SELECT 1 FROM benefits_entry e WHERE e.transaction_id IN (t.id, t.reverses_id) "
        "  GROUP BY e.account_id HAVING sum(e.fen) <> 0)"
    ),
    "A share of a budget differs from what was charged to it": (
        "WITH charged AS (SELECT c.id, sum(c.fen) AS fen FROM benefits_redemption r, "
        "  unnest(r.charged_shards, r.charged_fen) AS c(id, fen) WHERE r.state = 'redeemed' GROUP BY c.id) "
        "SELECT s.id, s.spent_fen FROM benefits_budgetshard s LEFT JOIN charged c ON c.id = s.id "
        "WHERE s.spent_fen <> coalesce(c.fen, 0)"
    ),
    "A budget's shares pass its cap": (
        "SELECT b.public_id, sum(s.allotted_fen) FROM benefits_budgetshard s "
        "JOIN benefits_budget b ON b.id = s.budget_id "
        "WHERE s.bucket >= CASE b.span WHEN 'day' THEN (now() AT TIME ZONE 'Asia/Shanghai')::date "
        "  WHEN 'month' THEN date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai')::date ELSE DATE '2000-01-01' END "
        "GROUP BY b.id, s.bucket HAVING sum(s.allotted_fen) > b.cap_fen"
    ),
    "A merchant's day counts otherwise than its redemptions": (
        "SELECT d.place_id, d.day FROM benefits_placeday d "
        "JOIN benefits_programme p ON p.id = d.programme_id AND p.place_quota_day IS NOT NULL "
        "WHERE d.used <> (SELECT count(*) FROM benefits_redemption r WHERE r.programme_id = d.programme_id "
        "  AND r.place_id = d.place_id AND r.day = d.day AND r.state = 'redeemed')"
    ),
    "A card differs from its offer": (
        "SELECT coalesce(c.offer_id, f.offer_id) FROM benefits_offercard c "
        "FULL JOIN benefits_offer_facts(ARRAY(SELECT id FROM benefits_benefitoffer)) f ON f.offer_id = c.offer_id "
        "WHERE c IS DISTINCT FROM f"
    ),
}


@dataclass(slots=True)
class Verified:
    """What verifying found.

    Attributes:
        transactions: How many are in the chain.
        unsealed: How many wait for the sealer; they are balanced, but not in the chain yet.
        seals: How many links the chain has.
        head: The hash of the last transaction; noted down elsewhere, it proves later that nothing was cut off.
        problems: One sentence for each thing that is wrong; at most 50 are told.
    """

    transactions: int = 0
    unsealed: int = 0
    seals: int = 0
    head: str = BEGINNING
    problems: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def tell(self, problem: str) -> None:
        """Keep one problem; beyond the first 50 only that there are more."""
        if len(self.problems) < _MOST_TOLD:
            self.problems.append(problem)
        elif len(self.problems) == _MOST_TOLD:
            self.problems.append("…")


def verify_books(*, expect: str = "", progress: Callable[[int], None] = lambda count: None) -> Verified:
    """Recompute the chain from the first transaction on, and compare books, redemptions and budgets. Reads only.

    Args:
        expect: A head noted down earlier: it must occur in the chain.
        progress: Called with the number of transactions looked at since the last call.
    """
    found = Verified()
    seen = not expect
    for seal in Seal.objects.order_by("number").iterator():
        if seal.number != found.seals + 1:
            found.tell(f"seal {found.seals + 1} is missing")
        if seal.previous != found.head:
            found.tell(f"seal {seal.number} does not follow the one before it")
        _verify_seal(seal, found, progress)
        seen = seen or found.head == expect
        found.seals = seal.number
    if not seen:
        found.tell(f"the head {expect[:12]}… is not in the chain: what followed it was cut off or changed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM benefits_ledgertransaction WHERE seal_id IS NULL")
        found.unsealed = cursor.fetchone()[0]
        for sentence, query in _CHECKS.items():
            cursor.execute(query)
            for row in cursor.fetchmany(_MOST_TOLD):
                found.tell(f"{sentence}: {', '.join(str(value) for value in row)}")
    return found


def _verify_seal(seal: Seal, found: Verified, progress: Callable[[int], None]) -> None:
    """One link: exactly its rows, in their order, each with the hash that follows from the one before."""
    place = 0
    for batch in _in_batches(seal):
        lines: dict[int, list[tuple[int, int]]] = {booked.pk: [] for booked in batch}
        entries = Entry.objects.with_scopes_disabled().filter(transaction__in=list(lines))
        for transaction_id, account_id, fen in entries.values_list("transaction_id", "account_id", "fen"):
            lines[transaction_id].append((account_id, fen))
        for booked in batch:
            expected = chained(found.head, booked, lines[booked.pk])
            if booked.position != place:
                found.tell(f"seal {seal.number} has no transaction at position {place}")
                place = booked.position or place
            if booked.hash != expected:
                found.tell(f"transaction {booked.pk} is not as it was sealed")
            found.head = booked.hash or expected
            place += 1
        found.transactions += len(batch)
        progress(len(batch))
    if place != seal.count:
        found.tell(f"seal {seal.number} holds {place} transactions, it was made of {seal.count}")
    if found.head != seal.hash:
        found.tell(f"seal {seal.number} does not end with its own hash")
    found.head = seal.hash


def _in_batches(seal: Seal) -> Iterator[tuple[LedgerTransaction, ...]]:
    rows = LedgerTransaction.objects.with_scopes_disabled().filter(seal=seal).order_by("position")
    stream = iter(rows.iterator(chunk_size=_BATCH))
    while batch := tuple(islice(stream, _BATCH)):
        yield batch
