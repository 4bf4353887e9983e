"""Reading the union tree."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.db.models.functions import Substr
from django.utils.translation import gettext_lazy as _

from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, Worker


@dataclass(frozen=True, slots=True)
class Child:
    """A union as its parent's page lists it."""

    union: Union
    below: int  # unions below it, at all depths


def ancestors(union: Union, *, for_staff: Staff) -> list[Union]:
    """The unions above `union`, from the acting one downwards: what breadcrumbs show."""
    steps = range(len(for_staff.union.path), len(union.path), Union.steplen)
    return list(Union.objects.filter(path__in=[union.path[:step] for step in steps]).order_by("path"))


def children(union: Union, *, active: bool | None = None) -> list[Child]:
    """The unions directly below, by name, with how many are below each."""
    found = Union.objects.filter(path__startswith=union.path, depth=union.depth + 1)
    if active is not None:
        found = found.filter(is_active=active)
    width = len(union.path) + Union.steplen
    sizes = dict(
        Union.objects.filter(path__startswith=union.path, depth__gt=union.depth + 1)
        .annotate(branch=Substr("path", 1, width))
        .values_list("branch")
        .annotate(Count("pk"))
        .order_by()
    )
    return [Child(child, sizes.get(child.path, 0)) for child in found.order_by("division_code", "name")]


def search(text: str, *, for_staff: Staff) -> QuerySet[Union]:
    """Unions at or below the acting one whose name or division code holds `text`."""
    below: QuerySet[Union] = Union.objects.filter(path__startswith=for_staff.union.path)
    found = below.filter(name__icontains=text)
    if text.isdigit():
        found = found | below.filter(division_code__startswith=text)
    return found.order_by("depth", "division_code", "name")


def union_called(text: str, *, field: str, below: Union | None = None) -> Union:
    """The active union with this division code or name, at or below `below`; 总工会 at its end may be left out.

    Raises:
        RuleBroken: at `field`: none is called so, or more than one; then the message names them with their codes.
    """
    found: QuerySet[Union] = Union.objects.filter(is_active=True)
    if below is not None:
        found = found.filter(path__startswith=below.path)
    text = text.strip()
    matches = list(found.filter(division_code=text)) if text.isdigit() else []
    matches = matches or list(found.filter(name__in=[text, f"{text}总工会"]).order_by("path")[:6])
    if not matches:
        raise RuleBroken.at(
            field, text, _("No union is called so here. Give its whole name or division code."), "unknown"
        )
    if len(matches) > 1:
        message = _("Several unions are called so; give the division code of the right one: %(unions)s")
        raise RuleBroken.at(field, text, message % {"unions": ", ".join(map(_with_place, matches))}, "ambiguous")
    return matches[0]


def _with_place(union: Union) -> str:
    above = Union.objects.get_parent(union)
    return f"{above.name if above else ''} {union.name} {union.division_code or ''}".strip()


@dataclass(frozen=True, slots=True)
class Size:
    """How much hangs at a union and below it."""

    unions: int
    posts: int
    workers: int


def size(union: Union) -> Size:
    """Unions below `union`, active posts and workers at or below it."""
    return Size(
        unions=Union.objects.filter(path__startswith=union.path, depth__gt=union.depth, is_active=True).count(),
        posts=Staff.objects.with_scopes_disabled().filter(union__path__startswith=union.path, is_active=True).count(),
        workers=Worker.objects.with_scopes_disabled().filter(union__path__startswith=union.path).count(),
    )
