"""Telling how many people are inside a place."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.places.models import Occupancy, Place
from yizhan.places.models.facts import MOST_INSIDE
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

from .equipment import changeable


@transaction.atomic
def tell_occupancy(place: Place, *, people: int, actor: Staff | Operator) -> Occupancy:
    """Say how many people are inside now; it takes the place of what was told before.

    It is no change of the directory: it is not in the trail, and partners are not pushed to. They read it in the fast
    feed for as long as it holds.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        RuleBroken: the number is negative or larger than any place holds, or the place is closed for good.
    """
    place = changeable(place, actor)
    if not 0 <= people <= MOST_INSIDE:
        raise RuleBroken.at("people", people, _("From 0 to %(limit)d people.") % {"limit": MOST_INSIDE}, "people")
    values = {"people": people, "told_at": timezone.now()}
    told: Occupancy = Occupancy.objects.with_scopes_disabled().update_or_create(place=place, defaults=values)[0]
    return told
