"""Whom a case can be given to."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from yizhan.cases.circle import circle_of
from yizhan.cases.models import Case
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

_MOST = 200


def handlers_at(union: Union, case: Case | None = None) -> QuerySet[Staff]:
    """Posts at exactly this union that can be given the case: of a confidential one, its circle."""
    if case is not None and case.is_confidential:
        return circle_of(union, case.kind).order_by("user__name", "pk")
    posts: QuerySet[Staff] = Staff.objects.with_scopes_disabled().filter(
        union=union, is_active=True, user__is_active=True, role__in=policy.roles(HANDLE_CASES)
    )
    return posts.select_related("user", "union").order_by("user__name", "pk")


def with_handlers() -> QuerySet[Union]:
    """Active unions where someone handles cases."""
    posts = Staff.objects.with_scopes_disabled().filter(
        is_active=True, user__is_active=True, role__in=policy.roles(HANDLE_CASES)
    )
    return Union.objects.filter(is_active=True, pk__in=posts.values("union")).order_by("path")


def unions_around(union: Union) -> list[Union]:
    """Unions with people, near in the tree: above, beside, below. What a page suggests; any other can be typed."""
    above = [union.path[:end] for end in range(Union.steplen, len(union.path), Union.steplen)]
    beside = union.path[: -Union.steplen]
    near = Q(path__in=above) | Q(path__startswith=union.path) | Q(path__startswith=beside, depth=union.depth)
    return list(with_handlers().filter(near).exclude(pk=union.pk)[:_MOST])


def post_named(username: str) -> Staff:
    """The first post of a person that may handle cases, by user name.

    Raises:
        RuleBroken: at `username`: there is none.
    """
    posts = Staff.objects.with_scopes_disabled().filter(
        user__username=username.strip(), is_active=True, user__is_active=True, role__in=policy.roles(HANDLE_CASES)
    )
    found: Staff | None = posts.select_related("user", "union").order_by("pk").first()
    if found is None:
        raise RuleBroken.at("username", username[:60], _("Nobody of this name handles cases."), "unknown")
    return found
