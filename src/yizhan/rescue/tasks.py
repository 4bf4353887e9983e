"""What runs by itself in this room."""

from procrastinate.contrib.django import app

from .services.subsidies import pay_due


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="pay_rescue_subsidies", pass_context=False)
def pay_rescue_subsidies(timestamp: int) -> int:
    """Pay what riders confirmed and a restart or a busy database left unpaid, every minute."""
    return pay_due()
