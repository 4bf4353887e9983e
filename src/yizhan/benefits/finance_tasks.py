"""What runs by itself around money."""

from __future__ import annotations

from datetime import timedelta

import structlog
from procrastinate.contrib.django import app

from .clock import day_of, last_cut
from .services import payments, reconciliation, settlement, signals

logger = structlog.get_logger(__name__)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="resolve_payments", pass_context=False)
def resolve_payments(timestamp: int) -> int:
    """Take the next step of payments that are still open, every minute: what a crash left ends paid or not paid."""
    return payments.resolve_open()


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="cut_off_the_day", pass_context=False)
def cut_off_the_day(timestamp: int) -> int:
    """Make the statements of the day once its moment has passed (`YIZHAN_CUT_OFF_TIME`); looks every ten minutes."""
    made = 0
    for union in settlement.due_nightly():
        settlement.nightly_cut_off(union)
        made += 1
    return made


@app.periodic(cron="35 19 * * *")
@app.task(queueing_lock="check_the_money", pass_context=False)
def check_the_money(timestamp: int) -> int:
    """Verify and compare the books, and look for signals, every night at 03:35 in Shanghai."""
    return check_everything()


def check_everything() -> int:
    """The nightly checks of all unions with programmes; says how many differences are found."""
    from django.utils import timezone

    from .books import verify_books

    verified = verify_books().is_sound
    now = timezone.now()
    found = 0
    for union in reconciliation.unions_with_programmes():
        made = reconciliation.reconcile(union, at=now, books_verified=verified)
        found += made.differences
        for back in (0, 1):
            signals.look_for_signals(union, day=day_of(last_cut(now)) - timedelta(days=back), at=now)
    return found
