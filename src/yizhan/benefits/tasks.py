"""What runs by itself in this room."""

from procrastinate.contrib.django import app

from . import finance_tasks as finance_tasks  # payments, cut-offs, nightly checks
from .services.sealing import seal_all


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="seal_the_books", pass_context=False)
def seal_the_books(timestamp: int) -> int:
    """Chain what has been booked since the last time, every minute."""
    return seal_all()
