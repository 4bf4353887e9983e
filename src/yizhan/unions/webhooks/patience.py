"""How long a receiver that fails is tried again, and when."""

from __future__ import annotations

import random

# Pauses after each failed attempt, each lengthened by up to a half at random; about a day in all.
PAUSES_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800)
LONGEST_ASKED_S = 3_600.0


def pause_s(failures: int, *, asked_s: float | None = None, pauses: tuple[int, ...] = PAUSES_S) -> float | None:
    """Seconds until the next attempt after so many failures (from 1); None: it was tried often enough.

    Args:
        asked_s: What the receiver asked for (`Retry-After`); heard up to an hour.
    """
    if failures > len(pauses):
        return None
    pause = pauses[max(failures, 1) - 1] * random.uniform(1.0, 1.5)  # noqa: S311 - so that not all come at once
    return max(pause, min(asked_s or 0.0, LONGEST_ASKED_S))
