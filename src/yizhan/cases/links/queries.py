"""Reading links: scoped to who asks, save for the contacts that a worker or a lower union sees of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from yizhan.cases.models import (
    ContactCard,
    HandOver,
    HandOverItem,
    HandOverState,
    Link,
    LinkKind,
    LinkMessage,
    LinkTarget,
)
from yizhan.cases.outreach_rights import HOLD_LINKS
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import policy

HOLDERS = tuple(policy.roles(HOLD_LINKS))
_OWNED = Q(post__is_active=True, post__user__is_active=True, post__role__in=HOLDERS)


def links(*, for_staff: Staff) -> QuerySet[Link]:
    """All links of posts of the acting union and below, those that ended too; `is_offered` says what is on its way."""
    items = HandOverItem.objects.with_scopes_disabled().filter(link=OuterRef("pk"), is_open=True)
    found: QuerySet[Link] = (
        Link.objects.filter(post__union__path__startswith=for_staff.union.path)
        .select_related("post__user", "post__union", "linked_union", "worker__user", "worker__union")
        .annotate(is_offered=Exists(items))
        .order_by(F("ended_at").desc(nulls_first=True), "post_id", "kind", "pk")
    )
    return found


def standing(found: QuerySet[Link]) -> QuerySet[Link]:
    """Those that have not ended."""
    return found.filter(ended_at=None)


def ownerless(*, for_staff: Staff) -> QuerySet[Link]:
    """Links that stand although their post ended, its holder was shut out, or its role holds none any more."""
    return standing(links(for_staff=for_staff)).exclude(_OWNED)


def posts_that_may_hold(*, for_staff: Staff, union: Union | None = None) -> QuerySet[Staff]:
    """Active posts of the acting union and below that may be a contact; only those of `union` when it is given."""
    found: QuerySet[Staff] = (
        Staff.objects.filter(union__path__startswith=for_staff.union.path)
        .filter(is_active=True, user__is_active=True, role__in=HOLDERS)
        .select_related("user", "union")
        .order_by("union__path", "user__name", "pk")
    )
    return found.filter(union=union) if union else found


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as the other end sees it. `phone` is empty unless whoever holds the post chose to show it."""

    link: Link
    name: str
    union: str
    phone: str
    hours: str
    messages: Sequence[LinkMessage] = ()


def contacts_of(worker: Worker) -> list[Contact]:
    """Who a worker's contacts are, the nearest union first; read by the worker alone, past any scope."""
    found = (
        Link.objects.with_scopes_disabled()
        .filter(_OWNED, worker=worker, ended_at=None)
        .select_related("post__user", "post__union", "post__contact_card", "worker__user")
        .order_by("-post__union__depth", "pk")
    )
    messages: dict[int, list[LinkMessage]] = {}
    for message in (
        LinkMessage.objects.with_scopes_disabled()
        .filter(link__in=found)
        .select_related("post__user")
        .order_by("at", "pk")
    ):
        messages.setdefault(message.link_id, []).append(message)
    return [_contact(link, messages.get(link.pk, [])) for link in found]


def contacts_of_union(*, for_staff: Staff) -> list[Contact]:
    """Who above is the contact of the acting union; names of posts above, which its own staff may know."""
    found = (
        Link.objects.with_scopes_disabled()
        .filter(_OWNED, linked_union=for_staff.union_id, ended_at=None)
        .select_related("post__user", "post__union", "post__contact_card", "linked_union")
        .order_by("-post__union__depth", "pk")
    )
    return [_contact(link) for link in found]


def _contact(link: Link, messages: Sequence[LinkMessage] = ()) -> Contact:
    card: ContactCard | None = getattr(link.post, "contact_card", None)
    return Contact(
        link=link,
        name=str(link.post.user),
        union=link.post.union.name,
        phone=card.phone if card and card.shows_phone else "",
        hours=card.hours if card else "",
        messages=messages,
    )


def messages_of(link: Link) -> list[LinkMessage]:
    """What was written over a link, oldest first."""
    found = LinkMessage.objects.with_scopes_disabled().filter(link=link)
    return list(found.select_related("post__user").order_by("at", "pk"))


def card_of(post: Staff) -> ContactCard | None:
    """What a post lets its workers see."""
    found: ContactCard | None = ContactCard.objects.with_scopes_disabled().filter(post=post).first()
    return found


def hand_overs(*, for_staff: Staff) -> QuerySet[HandOver]:
    """Hand-overs from or to posts of the acting union and below, those that wait first; `count` links each."""
    path = for_staff.union.path
    found: QuerySet[HandOver] = (
        HandOver.objects.with_scopes_disabled()
        .filter(Q(from_post__union__path__startswith=path) | Q(to_post__union__path__startswith=path))
        .select_related("from_post__user", "from_post__union", "to_post__user", "to_post__union", "asked_by__user")
        .annotate(count=Count("items"), moved=Count("items", filter=Q(items__moved=True)))
        .order_by("decided_at", "-asked_at", "-pk")
        .order_by(F("decided_at").desc(nulls_first=True), "-asked_at")
    )
    return found


def items_of(hand_over: HandOver) -> list[HandOverItem]:
    """The links of a hand-over."""
    items = HandOverItem.objects.with_scopes_disabled().filter(hand_over=hand_over)
    return list(items.select_related("link__linked_union", "link__worker__user", "link__post__user").order_by("pk"))


def waiting_for(staff: Staff) -> QuerySet[HandOver]:
    """Hand-overs that the acting post has to answer: navigation shows how many."""
    waiting: QuerySet[HandOver] = HandOver.objects.with_scopes_disabled().filter(
        to_post=staff, state=HandOverState.PENDING
    )
    return waiting


@dataclass(frozen=True, slots=True)
class PostProgress:
    """How far a post is with its links. Targets are None where no union above has said any."""

    post: Staff
    units: int
    workers: int
    groups: int
    members: int
    target: LinkTarget | None

    @property
    def percent(self) -> int | None:
        """How much of the target is reached, each of its parts counted at most once; None without a target."""
        if self.target is None:
            return None
        wanted = self.target.units + self.target.workers + self.target.groups
        if not wanted:
            return 100
        reached = min(self.units, self.target.units)
        reached += min(self.workers, self.target.workers) + min(self.groups, self.target.groups)
        return 100 * reached // wanted


def progress(posts: Iterable[Staff]) -> list[PostProgress]:
    """Each post's links against the target of the nearest union above."""
    posts = list(posts)
    rows = (
        Link.objects.with_scopes_disabled()
        .filter(post__in=[post.pk for post in posts], ended_at=None)
        .values("post")
        .annotate(
            units=Count("pk", filter=Q(kind=LinkKind.UNION)),
            workers=Count("pk", filter=Q(kind=LinkKind.WORKER)),
            groups=Count("pk", filter=Q(kind=LinkKind.GROUP)),
            members=Sum("group_size", default=0),
        )
        .order_by()
    )
    counts = {row["post"]: row for row in rows}
    none = {"units": 0, "workers": 0, "groups": 0, "members": 0}
    targets = targets_of([post.union for post in posts])
    return [
        PostProgress(
            post=post,
            **{name: counts.get(post.pk, none)[name] for name in none},
            target=targets.get(post.union.path),
        )
        for post in posts
    ]


def targets_of(unions: Iterable[Union]) -> dict[str, LinkTarget]:
    """By the path of each union, the target that holds there: the nearest one above or at it."""
    paths = {union.path for union in unions}
    prefixes = {path[:step] for path in paths for step in range(Union.steplen, len(path) + 1, Union.steplen)}
    said = {
        target.union.path: target
        for target in LinkTarget.objects.with_scopes_disabled().filter(union__path__in=prefixes).select_related("union")
    }
    found = {}
    for path in paths:
        for step in range(len(path), 0, -Union.steplen):
            if path[:step] in said:
                found[path] = said[path[:step]]
                break
    return found
