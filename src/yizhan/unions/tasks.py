"""What runs by itself: nothing personal is kept longer than needed."""

from __future__ import annotations

from procrastinate.contrib.django import app

from .services import trail, workers


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="purge_trail", pass_context=False)
def purge_trail(timestamp: int) -> int:
    """Remove entries of the audit trail past their retention, every night."""
    return trail.purge_trail()


@app.periodic(cron="27 * * * *")
@app.task(queueing_lock="forget_unproved_phones", pass_context=False)
def forget_unproved_phones(timestamp: int) -> int:
    """Remove numbers for which somebody asked a code but never entered it, every hour."""
    return workers.forget_unproved_phones()
