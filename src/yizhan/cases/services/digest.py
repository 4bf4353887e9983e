"""The daily mail to those who want one: what is overdue, what waits for an answer, what waits for them."""

from __future__ import annotations

from datetime import date
from urllib.parse import urljoin

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from yizhan.cases.clocks import is_working_day, last_day
from yizhan.cases.kinds import title_of
from yizhan.cases.models import MailDigest
from yizhan.cases.queries import desk
from yizhan.unions.models import Staff

_log = structlog.get_logger(__name__)
_MOST = 20


def send_digests(*, day: date | None = None) -> int:
    """Send today's mails, on working days; each post gets one a day however often this runs. Says how many left."""
    today = day or timezone.localdate()
    if not is_working_day(today):
        return 0
    wanted = MailDigest.objects.with_scopes_disabled().exclude(last_sent_on=today)
    return sum(_send(pk, today) for pk in list(wanted.filter(staff__is_active=True).values_list("pk", flat=True)))


@transaction.atomic
def _send(pk: int, today: date) -> int:
    digest = (
        MailDigest.objects.with_scopes_disabled()
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("staff__union", "staff__user")
        .filter(pk=pk)
        .exclude(last_sent_on=today)
        .first()
    )
    if digest is None:
        return 0
    with translation.override(digest.staff.user.language or settings.LANGUAGE_CODE):
        subject, body = digest_for(digest.staff)
    if not body:
        return 0
    try:
        EmailMessage(subject, body, to=[digest.address]).send()
    except OSError as error:  # the mail server is away; the next run tries again
        _log.warning("cases.digest_not_sent", error=type(error).__name__)
        return 0
    digest.last_sent_on = today
    digest.save(update_fields=["last_sent_on"])
    return 1


def digest_for(staff: Staff) -> tuple[str, str]:
    """Subject and text of a post's mail; no text when nothing waits. Of confidential cases only the number."""
    told = desk.counts(staff)
    if not any((told.overdue, told.to_answer, told.mine, told.offered)):
        return "", ""
    lines = [
        _(
            "%(union)s: %(overdue)d overdue, %(answer)d wait for a first answer, %(mine)d are yours, "
            "%(offered)d offered."
        )
        % {
            "union": staff.union.name,
            "overdue": told.overdue,
            "answer": told.to_answer,
            "mine": told.mine,
            "offered": told.offered,
        },
        "",
    ]
    late = desk.overdue(desk.open_cases(staff)).select_related("union").order_by("due_order", "pk")[:_MOST]
    for case in late:
        due = desk.due_of(case)
        until = last_day(due).isoformat() if due else ""
        address = urljoin(settings.BASE_URL, case.get_absolute_url())
        lines.append(f"{until}  {title_of(case.kind)} {case.number}  {case.title}  {address}")
    lines += ["", urljoin(settings.BASE_URL, reverse("cases:cases"))]
    return _("%(overdue)d cases are overdue") % {"overdue": told.overdue}, "\n".join(lines)
