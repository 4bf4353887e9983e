"""Reading wishes, sponsors and stock: the public wall, and what the desk sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import F, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from yizhan.cases.models import (
    Case,
    CaseState,
    Sponsor,
    StockIssue,
    StockItem,
    StockMove,
    Wish,
    WishClaim,
    WishState,
)
from yizhan.cases.models.case import OPEN_STATES
from yizhan.unions.models import Staff, Union, Worker

from .pages import number_of
from .visible import visible_parts


def wall(union: Union | None = None) -> QuerySet[Wish]:
    """What everyone may read: wishes that wait for a sponsor, of a union and below; newest first."""
    found: QuerySet[Wish] = Wish.objects.with_scopes_disabled().filter(
        state=WishState.PUBLISHED, case__state__in=OPEN_STATES
    )
    if union is not None:
        found = found.filter(case__union__path__startswith=union.path)
    return found.select_related("case__union").order_by("-published_at", "-pk")


def come_true(union: Union | None = None) -> QuerySet[Wish]:
    """Wishes that were handed over, with their sponsor (`sponsor_name`) and published thanks; newest first."""
    found: QuerySet[Wish] = Wish.objects.with_scopes_disabled().filter(state=WishState.DELIVERED)
    if union is not None:
        found = found.filter(case__union__path__startswith=union.path)
    kept = found.filter(claims__ended_how="delivered").annotate(sponsor_name=F("claims__sponsor__name"))
    return kept.select_related("case__union").order_by("-delivered_at", "-pk")


def unions_with_wishes() -> list[Union]:
    """Unions with something on the wall, in the order of the tree."""
    return list(Union.objects.filter(pk__in=wall().order_by().values("case__union")).order_by("path"))


def public_wish(public_id: UUID) -> Wish:
    """A wish that is on the wall, claimed or handed over.

    Raises:
        Wish.DoesNotExist: there is none.
    """
    shown = [WishState.PUBLISHED, WishState.CLAIMED, WishState.DELIVERED]
    found: Wish = (
        Wish.objects.with_scopes_disabled().select_related("case__union").get(public_id=public_id, state__in=shown)
    )
    return found


def claims_of(sponsor: Sponsor) -> list[WishClaim]:
    """What a sponsor claimed and what became of it, what stands first."""
    claims = WishClaim.objects.with_scopes_disabled().filter(sponsor=sponsor)
    found = claims.select_related("wish__case__union").order_by(F("ended_at").desc(nulls_first=True), "-pk")
    return list(found[:100])


def wishes(*, for_staff: Staff) -> QuerySet[Wish]:
    """Wishes of the cases that the post may see, newest first, with the claim that stands as `standing`."""
    # Part by part of what the post may see: each is found in an index of its own.
    seen = [Q(case__in=part.filter(kind="wish").values("pk")) for part in visible_parts(for_staff)]
    claims = WishClaim.objects.with_scopes_disabled().select_related("sponsor")
    kept = claims.filter(Q(ended_at=None) | Q(ended_how="delivered"))
    found: QuerySet[Wish] = (
        Wish.objects.with_scopes_disabled()
        .filter(reduce(or_, seen))
        .select_related("case__union", "case__worker__user")
        .prefetch_related(Prefetch("claims", queryset=kept, to_attr="standing"))
        .order_by("-published_at", "-pk")
    )
    return found


def to_review(*, for_staff: Staff) -> QuerySet[Case]:
    """Open wishes that are not on the wall, oldest first."""
    states = [state for state in OPEN_STATES if state != CaseState.PROPOSED]
    wanted = {"kind": "wish", "state__in": states}
    seen = reduce(or_, [Q(pk__in=part.filter(**wanted).values("pk")) for part in visible_parts(for_staff)])
    found: QuerySet[Case] = Case.objects.with_scopes_disabled().filter(seen, **wanted)
    known = Wish.objects.with_scopes_disabled().exclude(state=WishState.WITHDRAWN)
    return found.exclude(pk__in=known.order_by().values("case")).order_by("submitted_at", "pk")


def history_of(wish: Wish) -> list[WishClaim]:
    """Every claim of a wish, newest first."""
    claims = WishClaim.objects.with_scopes_disabled().filter(wish=wish).select_related("sponsor", "by__user")
    return list(claims.order_by("-pk"))


def wish_of_case(case: Case) -> Wish | None:
    """The wish of a case, with its sponsor as `sponsor_name` once someone has claimed it."""
    found: Wish | None = Wish.objects.with_scopes_disabled().filter(case=case).first()
    return found


def sponsors(*, for_staff: Staff) -> QuerySet[Sponsor]:
    """Sponsors of the acting union and below, with how many wishes they keep and kept."""
    found: QuerySet[Sponsor] = (
        Sponsor.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("union")
        .annotate(
            standing=number_of(WishClaim, "sponsor", Q(ended_at=None)),
            kept=number_of(WishClaim, "sponsor", Q(ended_how="delivered")),
        )
        .order_by("union__path", "name")
    )
    return found


def sponsors_for(union: Union) -> list[Sponsor]:
    """Sponsors that can take on a wish of this union: its own, and those of unions above."""
    above = [union.path[:end] for end in range(Union.steplen, len(union.path) + 1, Union.steplen)]
    found = Sponsor.rules.filter(union__path__in=above, is_active=True)
    return list(found.select_related("union").order_by("-union__path", "name"))


def stock(*, for_staff: Staff) -> QuerySet[StockItem]:
    """Things of the acting union and below, with how many are `out` and how many of those are `late`."""
    today = timezone.localdate()
    out = F("issues__quantity") - F("issues__returned") - F("issues__lost")
    is_out = Q(issues__due_on__isnull=False)
    found: QuerySet[StockItem] = (
        StockItem.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("union", "place")
        .annotate(
            out=Sum(out, filter=is_out, default=0),
            late=Sum(out, filter=is_out & Q(issues__due_on__lt=today), default=0),
        )
        .order_by("union__path", "place__name", "name")
    )
    return found


def issues(*, for_staff: Staff) -> QuerySet[StockIssue]:
    """What was given out by the acting union and below, newest first."""
    found: QuerySet[StockIssue] = StockIssue.objects.filter(item__union__path__startswith=for_staff.union.path)
    return found.select_related("item__union", "item__place", "worker__user", "case", "by__user").order_by(
        "-issued_at", "-pk"
    )


def still_out(found: QuerySet[StockIssue]) -> QuerySet[StockIssue]:
    """Those that should still come back, what is due first on top."""
    return found.filter(due_on__isnull=False, quantity__gt=F("returned") + F("lost")).order_by("due_on", "pk")


def late(found: QuerySet[StockIssue], *, today: date | None = None) -> QuerySet[StockIssue]:
    """Those that should have come back before today."""
    return still_out(found).filter(due_on__lt=today or timezone.localdate())


def moves_of(item: StockItem) -> QuerySet[StockMove]:
    """Every change of a quantity, newest first."""
    found: QuerySet[StockMove] = StockMove.objects.with_scopes_disabled().filter(item=item)
    return found.select_related("by__user", "issue__worker__user").order_by("-pk")


@dataclass(frozen=True, slots=True)
class Lent:
    """What a worker has to bring back."""

    name: str
    quantity: int
    due_on: date
    where: str
    is_late: bool


def lent_to(worker: Worker) -> list[Lent]:
    """What a worker has to bring back, soonest first."""
    found = StockIssue.objects.with_scopes_disabled().filter(worker=worker).select_related("item__union", "item__place")
    today = timezone.localdate()
    return [
        Lent(
            issue.item.name,
            issue.outstanding,
            issue.due_on,
            issue.item.place.name if issue.item.place else issue.item.union.name,
            issue.due_on < today,
        )
        for issue in still_out(found)
        if issue.due_on
    ]
