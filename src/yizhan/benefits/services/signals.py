"""Looking for what is odd, every night: signals for people to look into. Nothing here ever refuses a meal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.clock import SHANGHAI
from yizhan.benefits.finance_actions import SIGNAL_REVIEWED, SIGNAL_RULES_SET
from yizhan.benefits.models import SIGNAL_LIMITS, Signal, SignalKind, SignalRules, SignalState
from yizhan.benefits.queries.signals import limits_of
from yizhan.benefits.rights import REVIEW_SIGNALS, SET_SIGNAL_RULES
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

_COUNTED = "r.union_id = %(union)s AND r.state IN ('redeemed', 'exception')"
# Each query gives: key, place, other place, worker, cashier, since, until, figure.
_QUERIES: dict[SignalKind, tuple[str, str]] = {
    SignalKind.PAIR: (
        "pair_a_week",
        f"""
        SELECT format('%%s.%%s.%%s', r.worker_id, r.cashier_id, %(day)s), (array_agg(r.place_id ORDER BY r.id))[1],
               NULL, r.worker_id, r.cashier_id, min(r.redeemed_at), max(r.redeemed_at), count(*)
          FROM benefits_redemption r
         WHERE {_COUNTED} AND r.redeemed_at >= %(week)s AND r.redeemed_at < %(end)s
           AND r.worker_id IS NOT NULL AND r.cashier_id IS NOT NULL
         GROUP BY r.worker_id, r.cashier_id
        HAVING count(*) > %(pair_a_week)s AND max(r.redeemed_at) >= %(start)s
        """,  # noqa: S608
    ),
    SignalKind.FAST: (
        "fast_in_a_row",
        f"""
        WITH gaps AS (
            SELECT r.id, r.place_id, r.cashier_id, r.redeemed_at,
                   r.redeemed_at - lag(r.redeemed_at) OVER w >= make_interval(secs => %(least_seconds)s) AS slow
              FROM benefits_redemption r
             WHERE {_COUNTED} AND r.redeemed_at >= %(start)s AND r.redeemed_at < %(end)s
            WINDOW w AS (PARTITION BY r.place_id, r.cashier_id ORDER BY r.redeemed_at, r.id)
        ), runs AS (
            SELECT *, count(*) FILTER (WHERE slow IS NOT FALSE)
                      OVER (PARTITION BY place_id, cashier_id ORDER BY redeemed_at, id) AS run FROM gaps
        )
        SELECT format('%%s.%%s.%%s', place_id, cashier_id, extract(epoch FROM min(redeemed_at))::bigint), place_id,
               NULL, NULL::bigint, cashier_id, min(redeemed_at), max(redeemed_at), count(*)
          FROM runs GROUP BY place_id, cashier_id, run HAVING count(*) > %(fast_in_a_row)s
        """,  # noqa: S608
    ),
    SignalKind.FAR: (
        "far_metres",
        f"""
        SELECT r.id::text, r.place_id, NULL, r.worker_id, r.cashier_id, r.redeemed_at, r.redeemed_at, r.distance_m
          FROM benefits_redemption r
         WHERE {_COUNTED} AND r.redeemed_at >= %(start)s AND r.redeemed_at < %(end)s AND r.distance_m > %(far_metres)s
        """,  # noqa: S608
    ),
    SignalKind.MIDNIGHT: (
        "midnight_count",
        f"""
        SELECT format('%%s.%%s', r.place_id, %(day)s), r.place_id, NULL, NULL::bigint, NULL::bigint, min(r.redeemed_at),
               max(r.redeemed_at), count(*)
          FROM benefits_redemption r
         WHERE {_COUNTED} AND r.redeemed_at >= %(end)s - make_interval(mins => %(midnight_minutes)s)
           AND r.redeemed_at < %(end)s
         GROUP BY r.place_id HAVING count(*) > %(midnight_count)s
        """,  # noqa: S608
    ),
    SignalKind.TWO_PLACES: (
        "two_places_minutes",
        f"""
        WITH visits AS (
            SELECT r.id, r.worker_id, r.place_id, r.cashier_id, r.redeemed_at, lag(r.place_id) OVER w AS before_place,
                   lag(r.redeemed_at) OVER w AS before
              FROM benefits_redemption r
             WHERE {_COUNTED} AND r.redeemed_at < %(end)s AND r.worker_id IS NOT NULL
               AND r.redeemed_at >= %(start)s - make_interval(mins => %(two_places_minutes)s)
            WINDOW w AS (PARTITION BY r.worker_id ORDER BY r.redeemed_at, r.id)
        )
        SELECT id::text, place_id, before_place, worker_id, cashier_id, before, redeemed_at,
               floor(extract(epoch FROM redeemed_at - before) / 60)::int
          FROM visits
         WHERE before_place <> place_id AND redeemed_at >= %(start)s
           AND redeemed_at - before < make_interval(mins => %(two_places_minutes)s)
        UNION ALL
        -- A code that redeemed, shown at another counter, where it was refused or kept as an exception.
        SELECT format('code.%%s', s.id), s.place_id, used.place_id, phone.worker_id, NULL::bigint,
               least(used.seen_at, s.seen_at), greatest(used.seen_at, s.seen_at),
               floor(abs(extract(epoch FROM s.seen_at - used.seen_at)) / 60)::int
          FROM benefits_codesighting s
          JOIN benefits_codesighting used ON used.certificate_id = s.certificate_id AND used.step = s.step
               AND used.nonce = s.nonce AND used.redemption_id IS NOT NULL AND used.place_id <> s.place_id
          JOIN benefits_redemption r ON r.id = used.redemption_id
          JOIN benefits_phonecertificate certificate ON certificate.id = s.certificate_id
          JOIN benefits_phone phone ON phone.id = certificate.phone_id
         WHERE r.union_id = %(union)s AND s.redemption_id IS NULL
           AND s.seen_at >= %(start)s AND s.seen_at < %(end)s
        """,  # noqa: S608
    ),
}


@dataclass(frozen=True, slots=True)
class _Odd:
    """What one query gives."""

    key: str
    place_id: int
    other_place_id: int | None
    worker_id: int | None
    cashier_id: int | None
    since: datetime
    until: datetime
    figure: int


def look_for_signals(union: Union, *, day: date, at: datetime | None = None) -> int:
    """Look at one day (Shanghai) of a union's programmes; says how many signals are new. Harmless when repeated."""
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    end = start + timedelta(days=1)
    limits = limits_of(union)
    values = {"union": union.pk, "day": day.isoformat(), "start": start, "end": end, "week": end - timedelta(days=7)}
    fresh = [
        Signal(
            union=union,
            kind=kind,
            key=odd.key[:80],
            place_id=odd.place_id,
            other_place_id=odd.other_place_id,
            worker_id=odd.worker_id,
            cashier_id=odd.cashier_id,
            since=odd.since,
            until=odd.until,
            figure=odd.figure,
            limit=limits[_QUERIES[kind][0]],
            found_at=at or timezone.now(),
        )
        for kind in SignalKind
        for odd in _look(kind, {**values, **limits})
    ]
    before = Signal.objects.with_scopes_disabled().filter(union=union).count()
    Signal.objects.bulk_create(fresh, ignore_conflicts=True)
    return int(Signal.objects.with_scopes_disabled().filter(union=union).count() - before)


def _look(kind: SignalKind, values: Mapping[str, Any]) -> Iterator[_Odd]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[kind][1], values)
        for row in cursor.fetchall():
            yield _Odd(*row)


@transaction.atomic
def review(signal: Signal, *, actor: Staff | Operator, misuse: bool, words: str) -> Signal:
    """Somebody looked into a signal: it is fine, or misuse. What follows from misuse is done elsewhere, by people.

    Raises:
        NotAllowed: `actor` may not review signals at this union.
        RuleBroken: no words, or the same outcome again.
    """
    kept: Signal = Signal.objects.with_scopes_disabled().select_for_update().get(pk=signal.pk)
    policy.require(actor, REVIEW_SIGNALS, kept.union)
    words = " ".join(words.split())[:300]
    if not words:
        raise RuleBroken.at("words", "", _("Say what you found out; it is kept."), "required")
    state = SignalState.MISUSE if misuse else SignalState.FINE
    if kept.state == state:
        raise RuleBroken.at("state", state, _("This was found already."), "wrong_state")
    kept.state, kept.reviewed_at, kept.words = state, timezone.now(), words
    kept.reviewed_by = actor.user if isinstance(actor, Staff) else None
    kept.save(update_fields=["state", "reviewed_at", "reviewed_by", "words"])
    record(actor, SIGNAL_REVIEWED, union=kept.union, target=kept, details={"outcome": str(state.label), "words": words})
    return kept


@transaction.atomic
def set_signal_rules(union: Union, values: Mapping[str, int | None], *, actor: Staff | Operator) -> SignalRules:
    """Say from where on something is a signal at a union and below; None: as the union above says.

    Raises:
        NotAllowed: `actor` may not set them at this union.
        RuleBroken: a value lies outside of what is possible; names each.
    """
    policy.require(actor, SET_SIGNAL_RULES, union)
    problems = []
    for name, (least, most, _default) in SIGNAL_LIMITS.items():
        value = values.get(name)
        if value is not None and not least <= value <= most:
            problems.append(
                Problem(name, value, _("From %(least)d to %(most)d.") % {"least": least, "most": most}, "out_of_range")
            )
    if problems:
        raise RuleBroken(problems)
    Union.objects.select_for_update(no_key=True).get(pk=union.pk)
    row: SignalRules = SignalRules.objects.with_scopes_disabled().filter(union=union).first() or SignalRules(
        union=union
    )
    changes = {
        name: [getattr(row, name), values.get(name)] for name in SIGNAL_LIMITS if getattr(row, name) != values.get(name)
    }
    if changes:
        for name, (_before, value) in changes.items():
            setattr(row, name, value)
        row.save()
        record(actor, SIGNAL_RULES_SET, union=union, target=union, details=dict(changes))
    return row
