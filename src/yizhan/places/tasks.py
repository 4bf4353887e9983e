"""What runs by itself in this room."""

from procrastinate.contrib.django import app

from .services import care, report_clock


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="watch_report_deadlines", pass_context=False)
def watch_report_deadlines(timestamp: int) -> int:
    """Tell of reports whose deadline has passed, every ten minutes."""
    return report_clock.watch_deadlines()


@app.periodic(cron="11 18 * * *")
@app.task(queueing_lock="recount_all_stars", pass_context=False)
def recount_all_stars(timestamp: int) -> int:
    """Bring all stars into step with the rules of their unions, every night at 02:11 in Shanghai."""
    return report_clock.recount_all_stars()


@app.periodic(cron="41 3 * * *")
@app.task(queueing_lock="forget_reporters", pass_context=False)
def forget_reporters(timestamp: int) -> int:
    """Remove words and photos of reports settled long ago, every night."""
    return report_clock.forget_reporters()


@app.periodic(cron="33 0 * * *")
@app.task(queueing_lock="tell_of_neglect", pass_context=False)
def tell_of_neglect(timestamp: int) -> int:
    """Tell keepers what is broken or expires and verifiers what is due, every day at 08:33 in Shanghai."""
    return care.tell_of_neglect()
