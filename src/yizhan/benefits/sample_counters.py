"""A merchant and a cashier of the sample city, who can sign in to the demo."""

from __future__ import annotations

from typing import Final

from yizhan.places.models import Place
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Role

from .models import CounterPost
from .services.counters import join_counter

# User name, role, name. `yizhan demo` gives them their passwords.
PEOPLE: Final = (("merchant", Role.MERCHANT, "周桂兰"), ("cashier", Role.CASHIER, "刘小燕"))


def fill_counters(union: Union, *, actor: Staff) -> None:
    """Give the first restaurant with an offer its merchant and its cashier; harmless twice."""
    place = (
        Place.objects.filter(union__path__startswith=union.path, benefit_offers__is_active=True)
        .select_related("union")
        .order_by("name", "pk")
        .first()
    )
    if place is None or CounterPost.objects.filter(staff__user__username=PEOPLE[0][0]).exists():
        return
    for username, role, name in PEOPLE:
        join_counter(actor=actor, place=place, role=role, username=username, name=name)
