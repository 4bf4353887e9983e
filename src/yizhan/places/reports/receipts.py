"""The secret links by which reporters, who have no account, see what became of their report."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from yizhan.places.models import EventKind, ReportReceipt

from .life import Life
from .rules import WITHDRAW_MINUTES


def token_of(receipt: ReportReceipt) -> str:
    """The secret of a reporter's link: 22 letters that only this installation can make for this receipt."""
    mac = salted_hmac("places.reports.receipt", str(receipt.public_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def receipt_of(token: str) -> ReportReceipt:
    """The receipt to which a secret link belongs.

    Raises:
        ReportReceipt.DoesNotExist: to none.
    """
    found: ReportReceipt = (
        ReportReceipt.objects.with_scopes_disabled()
        .select_related("report__place__union")
        .get(token_digest=digest(token))
    )
    return found


def is_first(receipt: ReportReceipt) -> bool:
    """Whether its holder was the first to report the fault."""
    first = (
        ReportReceipt.objects.with_scopes_disabled()
        .filter(report=receipt.report_id)
        .order_by("at", "pk")
        .values_list("pk", flat=True)
        .first()
    )
    return bool(first == receipt.pk)


def may_take_back(receipt: ReportReceipt, life: Life, at: datetime) -> bool:
    """Whether a tap may still be taken back."""
    soon = at - receipt.at < timedelta(minutes=WITHDRAW_MINUTES)
    return soon and life.times_reported == 1 and life.may(EventKind.WITHDRAWN) and life.times_reopened == 0


def digest(token: str) -> str:
    """By which a secret is found again: the secret itself is stored nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()
