"""Visits and people reached as everyone may read them: small figures are not shown."""

from __future__ import annotations

from dataclasses import dataclass

from yizhan.cases.models import Visit, WishState
from yizhan.cases.models.wishes import Wish
from yizhan.cases.queries.figures import FEWEST_SHOWN
from yizhan.cases.queries.kept import counted_lately
from yizhan.cases.visits.figures import reach
from yizhan.unions.models import Union


@dataclass(frozen=True, slots=True)
class PublicReach:
    """What may be shown; None: fewer than five."""

    visits: int | None
    people: int | None
    wishes: int | None


def public_reach(union: Union | None = None) -> PublicReach:
    """Visits, people reached and wishes that came true, of a union and below, or of all."""
    visits = Visit.objects.with_scopes_disabled().order_by()
    wishes = Wish.objects.with_scopes_disabled().filter(state=WishState.DELIVERED)
    if union is not None:
        visits = visits.filter(union__path__startswith=union.path)
        wishes = wishes.filter(case__union__path__startswith=union.path)
    told = counted_lately("reach", visits, lambda: reach(visits), rows=lambda found: found.visits)
    return PublicReach(_shown(told.visits), _shown(told.people), _shown(wishes.count()))


def _shown(count: int) -> int | None:
    return count if count >= FEWEST_SHOWN else None
