"""Whether a place is open: its hours and its temporary closures together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from .hours import Openness, OpenState, state_at, state_in_words
from .models import Closure, Place

_ATTRIBUTE = "closures_to_come"


def closures_to_come(at: datetime, *, of: QuerySet[Closure] | None = None) -> Prefetch:  # type: ignore[type-arg]
    """What `state_of` needs to be read along with places: closures that have not ended.

    Args:
        at: From then on.
        of: Among these; default: those of published places.
    """
    closures = Closure.published.all() if of is None else of.filter(lifted_at__isnull=True)
    return Prefetch("closures", closures.filter(ends_at__gt=at).order_by("starts_at"), to_attr=_ATTRIBUTE)


def closures_of(place: Place) -> list[Closure]:
    """The closures that were read along with a place by `closures_to_come`.

    Raises:
        AttributeError: they were not read; silence would mean "never shut".
    """
    found: list[Closure] = getattr(place, _ATTRIBUTE)
    return found


def state_of(place: Place, at: datetime) -> OpenState:
    """Whether a place that was read with `closures_to_come` is open, and when that changes."""
    return state_at(place.hours, at, shut=[(one.starts_at, one.ends_at) for one in closures_of(place)])


def closure_now(place: Place, at: datetime) -> Closure | None:
    """The closure that holds at `at`."""
    return next((one for one in closures_of(place) if one.starts_at <= at < one.ends_at), None)


def said_of(place: Place, at: datetime) -> str:
    """Whether it is open and until when, in words; a closure is named with its reason."""
    words = state_in_words(state_of(place, at), at)
    closure = closure_now(place, at)
    return words if closure is None else _("%(state)s (%(reason)s)") % {"state": words, "reason": closure.reason}


def shut_at(at: datetime) -> QuerySet[Closure]:
    """Closures of published places that hold at `at`."""
    return Closure.published.filter(starts_at__lte=at, ends_at__gt=at)


def certainly_open(hours: Iterable[str], at: datetime) -> list[str]:
    """Which of these expressions are open at `at`."""
    return [expression for expression in hours if expression and state_at(expression, at).state is Openness.YES]
