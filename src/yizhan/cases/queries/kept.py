"""What is counted over very many rows, kept for a short while: nobody waits for the same sum over a hundred thousand
cases twice in a minute. Small sums are always counted anew, so that a click is seen in them at once.

Kept in the process that counted, under the question itself: who sees other rows asks another question.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

MANY: Final = 5_000
SECONDS: Final = 60

Told = TypeVar("Told")
_near: Final = LocMemCache("cases-counted", {"TIMEOUT": SECONDS, "OPTIONS": {"MAX_ENTRIES": 2_000}})


def counted_lately(
    name: str, over: QuerySet[Any], count: Callable[[], Told], *, rows: Callable[[Told], int], seconds: int = SECONDS
) -> Told:
    """What `count` says about the rows of `over`, at most `seconds` old where they are more than `MANY`.

    Args:
        name: What is counted.
        rows: How many rows stood behind it.
    """
    try:
        question = sha256(str(over.query).encode()).hexdigest()
    except EmptyResultSet:
        return count()
    key = f"{name}:{question}"
    if (known := _near.get(key)) is not None:
        return cast("Told", known)
    told = count()
    if rows(told) > MANY:
        _near.set(key, told, seconds)
    return told
