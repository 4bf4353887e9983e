"""Days of settlement: when they are cut off, by the clock in Shanghai."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


def last_cut(at: datetime) -> datetime:
    """The last moment of a nightly cut-off at or before `at`."""
    local = at.astimezone(SHANGHAI)
    cut: time = settings.CUT_OFF_TIME
    moment = datetime.combine(local.date(), cut, SHANGHAI)
    return moment if moment <= local else datetime.combine(local.date() - timedelta(days=1), cut, SHANGHAI)


def day_of(cut_at: datetime) -> date:
    """The day that a cut-off closes: after midnight and before noon it is the day before."""
    return (cut_at.astimezone(SHANGHAI) - timedelta(hours=12)).date()


def yuan(fen: int) -> str:
    """`1234` fen as people read them: `12.34`."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"
