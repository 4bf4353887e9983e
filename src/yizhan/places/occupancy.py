"""How full a place is, as far as its keeper told."""

from __future__ import annotations

from datetime import datetime, timedelta

from .models import Occupancy, Place

# Later nobody knows: people come and go, and a number of this morning would be a wrong promise.
VALID_FOR = timedelta(hours=1)


def occupancy_now(place: Place, at: datetime) -> Occupancy | None:
    """What was last told of a place, if that still holds at `at` (aware)."""
    found: Occupancy | None = Occupancy.objects.with_scopes_disabled().filter(place=place).first()
    return found if found is not None and at - VALID_FOR < found.told_at else None


def occupancies_now(at: datetime) -> dict[str, int]:
    """People inside by public identifier of the place: of published places whose number still holds at `at`."""
    told = Occupancy.published.filter(told_at__gt=at - VALID_FOR)
    return {str(public_id): people for public_id, people in told.values_list("place__public_id", "people")}
