"""What stands beside a case on its pages: its wish, its thread, its appointments; and what a worker has borrowed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from yizhan.cases.forms.wishes import ThanksForm
from yizhan.cases.models import Case, WishState
from yizhan.cases.models.case import OPEN_STATES
from yizhan.cases.outcome.public import public_reach
from yizhan.cases.queries.counsel import unread
from yizhan.cases.queries.wishes import lent_to, wish_of_case
from yizhan.cases.rights import HANDLE_CASES
from yizhan.cases.wish_rights import PUBLISH_WISHES
from yizhan.places.hours.words import hours_in_words
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import policy

register = template.Library()


@register.simple_tag
def call_time(moment: str) -> datetime:
    """When a call that a step notes was made."""
    return datetime.fromisoformat(moment)


@register.filter
def duty_words(hours: str) -> str:
    """Hours of duty as people say them."""
    return hours_in_words(hours)


@register.inclusion_tag("cases/parts/desk_sides.html")
def desk_sides(case: Case, staff: Staff) -> dict[str, Any]:
    """Ways from a case's page on the desk to its wish or its thread."""
    wish = wish_of_case(case) if case.kind == "wish" else None
    reviews = (
        case.kind == "wish"
        and case.state in OPEN_STATES
        and (wish is None or wish.state == WishState.WITHDRAWN)
        and policy.allows(staff, PUBLISH_WISHES, case.union)
    )
    talks = case.is_confidential and policy.holds(staff, HANDLE_CASES)
    waiting = unread(case, of_worker=True) if talks else 0
    return {"case": case, "wish": wish, "reviews": reviews, "talks": talks, "waiting": waiting}


@register.inclusion_tag("cases/parts/own_sides.html", takes_context=True)
def own_sides(context: dict[str, Any], case: Case, link: str) -> dict[str, Any]:
    """The same on the worker's page: of someone who follows by a link, the state of the wish alone."""
    wish = wish_of_case(case) if case.kind == "wish" else None
    signed_in = not link and case.worker_id is not None
    return {
        "case": case,
        "wish": wish,
        "talks": signed_in and case.is_confidential,
        "waiting": unread(case, of_worker=False) if signed_in and case.is_confidential else 0,
        "thanks": ThanksForm()
        if wish and signed_in and wish.state == WishState.DELIVERED and not wish.thanks
        else None,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("cases/parts/lent.html")
def lent_things(worker: Worker | None) -> dict[str, Any]:
    """What a worker has to bring back."""
    return {"lent": lent_to(worker) if worker else []}


@register.inclusion_tag("cases/parts/reach.html")
def reach_in_public(union: Union | None) -> dict[str, Any]:
    """Visits and people reached as everyone may read them."""
    return {"reach": public_reach(union)}
