"""How many stars a place loses over reports that were left undone: a pure function of the reports' lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from yizhan.places.models.reports import ReportState

from .life import Life


@dataclass(frozen=True, slots=True)
class Toll:
    """Stars to take off, and the overdue, unsettled reports (strikes) for which."""

    taken: int
    strikes: int


def toll(lives: Iterable[Life], *, star_after: int, window_days: int, at: datetime) -> Toll:
    """Stars off at `at`: one for every `star_after` strikes that fell within `window_days`; each strike counts once.

    A strike is a report that was overdue; it falls at the moment from which it was first overdue, and stands until the
    report is settled: repaired, and confirmed by the reporter or verified by the union. `star_after` 0 takes none.
    """
    strikes = sorted(
        since
        for life in lives
        if life.state not in {ReportState.SETTLED, ReportState.WITHDRAWN}
        and (since := life.first_overdue(at)) is not None
    )
    if star_after < 1:
        return Toll(0, len(strikes))
    window = timedelta(days=window_days)
    taken = 0
    gathered: list[datetime] = []
    for strike in strikes:
        gathered = [earlier for earlier in gathered if strike - earlier < window]
        gathered.append(strike)
        if len(gathered) == star_after:
            taken += 1
            gathered = []
    return Toll(taken, len(strikes))
