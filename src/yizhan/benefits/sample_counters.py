"""A counter of the sample city: a merchant, a cashier who can sign in to the demo, and a meal at every hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from yizhan.places.models import Place
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Role

from .models import CounterPost, PartyKind, Programme, ProgrammeState
from .services.counters import join_counter
from .services.offers import set_offer
from .services.programmes import ProgrammeFacts, create_programme, step_programme
from .split import Part

# User name, role, name. `yizhan demo` gives them their passwords.
PEOPLE: Final = (("merchant", Role.MERCHANT, "周桂兰"), ("cashier", Role.CASHIER, "刘小燕"))
# Without periods and for everyone: whoever looks at the demo at night can redeem, too.
SNACK: Final = "暖心加餐（示例）"


def fill_counters(union: Union, *, actor: Staff) -> None:
    """Give the first restaurant with an offer its merchant, its cashier and a meal of all hours; harmless twice."""
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
    if not Programme.objects.filter(name=SNACK).exists():
        _snack(union, place, actor)


def _snack(union: Union, place: Place, actor: Staff) -> None:
    facts = ProgrammeFacts(
        name=SNACK,
        summary="工友付 5 元, 全天都有, 人人可用",
        starts_on=timezone.localdate() - timedelta(days=7),
        quota_day=20,
        takes_paper=True,
    )
    programme = create_programme(facts, union=union, actor=actor)
    parts = [
        Part(PartyKind.WORKER, None),
        Part(PartyKind.MERCHANT, 100),
        Part(PartyKind.UNION, 200, union=union),
    ]
    set_offer(programme, place=place, name="暖心加餐", list_price_fen=800, parts=parts, actor=actor)
    step_programme(programme, ProgrammeState.OPEN, actor=actor)
