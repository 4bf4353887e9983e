"""What runs by itself in this room."""

from procrastinate.contrib.django import app

from .services.proof import forget_old_pushes, watch_red_list
from .services.sequence import sequence_changes


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="sequence_changes", pass_context=False)
def number_changes(timestamp: int) -> int:
    """Give changes their numbers every minute, should nobody have asked for them meanwhile."""
    return sequence_changes(wait=False)


@app.periodic(cron="23 * * * *")
@app.task(queueing_lock="watch_red_list", pass_context=False)
def remind_of_closed_places(timestamp: int) -> int:
    """Remind of closed places that partners still show, every hour."""
    return watch_red_list()


@app.periodic(cron="53 3 * * *")
@app.task(queueing_lock="forget_old_pushes", pass_context=False)
def forget_deliveries(timestamp: int) -> int:
    """Remove deliveries and evidence past their retention, every night."""
    return forget_old_pushes()
