"""What runs by itself in this room."""

from procrastinate.contrib.django import app

from .services.sequence import sequence_changes


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="sequence_changes", pass_context=False)
def number_changes(timestamp: int) -> int:
    """Give changes their numbers every minute, should nobody have asked for them meanwhile."""
    return sequence_changes(wait=False)
