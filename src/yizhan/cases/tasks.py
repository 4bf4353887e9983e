"""What runs by itself in this room."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from .services import clock, counsel, digest, text_messages, wishes


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="watch_cases", pass_context=False)
def watch_cases(timestamp: int) -> int:
    """Tell of overdue cases and close what was left unanswered, every ten minutes."""
    return clock.watch_cases()


@app.periodic(cron="*/15 0-2 * * *")
@app.task(queueing_lock="send_case_digests", pass_context=False)
def send_case_digests(timestamp: int) -> int:
    """Send the daily mails at eight in Shanghai, and again what a mail server did not take."""
    return digest.send_digests()


@app.task(queue="text-messages", retry=RetryStrategy(max_attempts=5, exponential_wait=30), pass_context=False)
def text_worker(case_id: int, kind: str) -> bool:
    """Tell whoever brought a case what became of it, by text message."""
    return text_messages.text_worker(case_id, kind)


@app.task(queue="text-messages", retry=RetryStrategy(max_attempts=5, exponential_wait=30), pass_context=False)
def text_news(case_id: int, news: str) -> bool:
    """Tell whoever brought a case of a message or an appointment, by text message."""
    return text_messages.text_news(case_id, news)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="watch_wishes", pass_context=False)
def watch_wishes(timestamp: int) -> int:
    """Free wishes whose claim ran out and remind helpers of appointments, every ten minutes."""
    return wishes.lapse_claims() + counsel.remind_of_appointments()
