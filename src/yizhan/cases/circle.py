"""Who may see a confidential case: its circle of handlers, and nobody else, however high their union stands.

The circle of a union for a kind are the posts that hold a seat there; where nobody does, the union's administrators. To
the circle of the owner (and of a union to which the case is offered) come its handler, the posts that help, and whoever
took it down.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, Role, policy

from .kinds import confidential_codes
from .models import Case, CaseParty, CircleSeat, PartyRole
from .rights import HANDLE_CASES


def circle_of(union: Union, kind: str) -> QuerySet[Staff]:
    """The posts that handle confidential cases of a kind at exactly this union."""
    posts: QuerySet[Staff] = (
        Staff.objects.with_scopes_disabled()
        .filter(union=union, is_active=True, user__is_active=True)
        .filter(role__in=policy.roles(HANDLE_CASES))
        .select_related("user", "union")
    )
    seats = CircleSeat.rules.filter(staff__in=posts, kind=kind)
    seated = posts.filter(pk__in=seats.values("staff"))
    return seated if seated.exists() else posts.filter(role=Role.ADMINISTRATOR)


def may_sit(staff: Staff) -> bool:
    """Whether a post may be in a circle at all."""
    return staff.is_active and staff.role in policy.roles(HANDLE_CASES)


def seats_at(staff: Staff) -> QuerySet[CircleSeat]:
    """The seats that are taken at a post's union, of all kinds."""
    seats: QuerySet[CircleSeat] = CircleSeat.rules.filter(
        staff__union=staff.union_id, staff__is_active=True, staff__role__in=policy.roles(HANDLE_CASES)
    )
    return seats


def kinds_by_seats(staff: Staff, seats: Iterable[tuple[int, str]]) -> list[str]:
    """The confidential kinds that a post handles at its own union, given who sits there for which kind."""
    if not may_sit(staff):
        return []
    taken: dict[str, set[int]] = {}
    for holder, kind in seats:
        taken.setdefault(kind, set()).add(holder)
    return [
        code
        for code in confidential_codes()
        if staff.pk in taken.get(code, set()) or (code not in taken and staff.role == Role.ADMINISTRATOR)
    ]


def confidential_for(staff: Staff, kinds: list[str] | None = None, *, helped: list[int] | None = None) -> Q:
    """The condition by which confidential cases are a post's to see.

    Args:
        kinds: The kinds it handles at its own union, if the caller knows them already.
        helped: The cases in which it helps or that it took down, likewise.
    """
    if kinds is None:
        kinds = kinds_by_seats(staff, seats_at(staff).values_list("staff", "kind"))
    mine = Q(handler=staff)
    if helped is None:
        parties = CaseParty.objects.with_scopes_disabled().filter(
            staff=staff, role__in=[PartyRole.CO_HANDLER, PartyRole.TAKER]
        )
        mine |= Q(pk__in=parties.values("case"))
    elif helped:
        mine |= Q(pk__in=helped)
    if kinds:
        mine |= Q(kind__in=kinds) & (Q(union=staff.union_id) | Q(offered_to=staff.union_id))
    return mine


def in_circle(staff: Staff | Operator, case: Case) -> bool:
    """Whether a post may see and handle a confidential case."""
    if isinstance(staff, Operator):
        return True
    return bool(Case.objects.with_scopes_disabled().filter(confidential_for(staff), pk=case.pk).exists())
