"""Links: who becomes the contact of a lower union, a worker or a chat group, and how that ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.cases import outreach_actions as actions
from yizhan.cases.models import (
    LARGEST_GROUP,
    ContactCard,
    GroupApp,
    HandOverItem,
    Link,
    LinkKind,
    LinkMessage,
    LinkTarget,
)
from yizhan.cases.outreach_rights import ASSIGN_LINKS, HOLD_LINKS, SET_LINK_TARGETS
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff, Union, User, Worker
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.rights import NotAllowed, Operator, policy
from yizhan.unions.services.inbox import send

LONGEST_MESSAGE = 500
MESSAGES_A_DAY = 20  # of one worker to one contact


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnd:
    """The other end of a link: exactly one of union, worker, group."""

    union: Union | None = None
    worker: Worker | None = None
    group_name: str = ""
    group_app: str = ""
    group_size: int | None = None
    counted_on: date | None = None

    @property
    def kind(self) -> LinkKind:
        """Which of the three it is."""
        if self.union is not None:
            return LinkKind.UNION
        return LinkKind.WORKER if self.worker is not None else LinkKind.GROUP


@transaction.atomic
def make_link(*, actor: Staff | Operator, post: Staff, end: LinkEnd, at: datetime | None = None) -> Link:
    """Make `post` the contact of a lower union, a worker or a chat group.

    Idempotent: a link that stands already is returned unchanged (a group's size is not counted anew by it).

    Raises:
        NotAllowed: `actor` neither holds the post nor assigns links at its union.
        RuleBroken: the post has ended or its role holds no links; the union is not below it, the worker belongs
            elsewhere, or the group has no name or size.
    """
    post = locked_post(post)
    _require_over(actor, post)
    now = at or timezone.now()
    problems = [*_wrong_with_post(post), *what_does_not_fit(post, end)]
    if problems:
        raise RuleBroken(problems)
    standing = Link.objects.with_scopes_disabled().filter(post=post, ended_at=None)
    if end.kind == LinkKind.GROUP:
        same = standing.filter(kind=end.kind, group_name=one_line(end.group_name), group_app=end.group_app)
    else:
        same = standing.filter(linked_union=end.union) if end.union else standing.filter(worker=end.worker)
    found: Link | None = same.first()
    if found is not None:
        return found
    link: Link = Link.objects.with_scopes_disabled().create(
        post=post,
        kind=end.kind,
        linked_union=end.union,
        worker=end.worker,
        group_name=one_line(end.group_name),
        group_app=end.group_app if end.kind == LinkKind.GROUP else "",
        group_size=end.group_size if end.kind == LinkKind.GROUP else None,
        group_counted_on=(end.counted_on or timezone.localdate(now)) if end.kind == LinkKind.GROUP else None,
        began_at=now,
    )
    record(actor, actions.LINK_MADE, union=post.union, target=link, details={"kind": str(link.kind)})
    return link


@transaction.atomic
def count_group(*, actor: Staff | Operator, link: Link, size: int, on: date | None = None) -> Link:
    """Write down how many members a chat group has now.

    Raises:
        NotAllowed: as with `make_link`.
        RuleBroken: it is no group, has ended, or the number cannot be.
    """
    current = locked_link(link)
    _require_over(actor, current.post)
    if current.kind != LinkKind.GROUP or current.ended_at is not None:
        raise RuleBroken.at("size", size, _("This is no chat group that is still linked."), "not_a_group")
    if not 1 <= size <= LARGEST_GROUP:
        raise RuleBroken.at("size", size, _size_rule(), "size")
    current.group_size, current.group_counted_on = size, on or timezone.localdate()
    current.revision += 1
    current.save(update_fields=["group_size", "group_counted_on", "revision"])
    record(actor, actions.LINK_COUNTED, union=current.post.union, target=current, details={"size": size})
    return current


@transaction.atomic
def end_link(*, actor: Staff | Operator, link: Link, reason: str, at: datetime | None = None) -> Link:
    """End a link; it stays in the history. Ending it twice changes nothing.

    Raises:
        NotAllowed: as with `make_link`.
        RuleBroken: no reason, or the link is on its way to a colleague.
    """
    current = locked_link(link)
    _require_over(actor, current.post)
    if current.ended_at is not None:
        return current
    said = one_line(reason)
    if not said or len(said) > 200:
        raise RuleBroken.at(
            "reason", said[:40], _("Say why, in at most %(most)d characters.") % {"most": 200}, "reason"
        )
    if HandOverItem.objects.with_scopes_disabled().filter(link=current, is_open=True).exists():
        raise RuleBroken.at(
            "link", current.name, _("This link is offered to a colleague; take the offer back first."), "offered"
        )
    current.ended_at, current.end_reason = max(at or timezone.now(), current.began_at), said
    current.revision += 1
    current.save(update_fields=["ended_at", "end_reason", "revision"])
    record(actor, actions.LINK_ENDED, union=current.post.union, target=current, details={"reason": said})
    return current


@transaction.atomic
def set_target(
    *, actor: Staff | Operator, union: Union, units: int | None, workers: int | None, groups: int | None
) -> LinkTarget | None:
    """Say how many links each post of `union` and those below shall have; all None: what holds above holds here.

    Raises:
        NotAllowed: the actor sets no targets there.
        RuleBroken: a number is missing or cannot be reached.
    """
    policy.require(actor, SET_LINK_TARGETS, union)
    targets = LinkTarget.objects.with_scopes_disabled()
    if units is None and workers is None and groups is None:
        targets.filter(union=union).delete()
        record(actor, actions.TARGET_SET, union=union, target=union, details={"now": "–"})
        return None
    problems = []
    for name, value, most in (("units", units, 200), ("workers", workers, 500), ("groups", groups, 100)):
        if value is None or not 0 <= value <= most:
            rule = _("Give a number from 0 to %(most)d.") % {"most": most}
            problems.append(Problem(name, value, rule, "number"))
    if problems:
        raise RuleBroken(problems)
    target: LinkTarget
    target, _is_new = targets.update_or_create(
        union=union, defaults={"units": units, "workers": workers, "groups": groups}
    )
    record(actor, actions.TARGET_SET, union=union, target=union, details={"now": f"{units}/{workers}/{groups}"})
    return target


@transaction.atomic
def save_card(*, actor: Staff, phone: str, shows_phone: bool, hours: str) -> ContactCard:
    """What the acting post lets its workers see. An empty number removes it.

    Raises:
        RuleBroken: not a phone number, nothing to show, or too many words.
    """
    policy.require(actor, HOLD_LINKS, actor.union)
    number = normal_phone(phone) if phone.strip() else ""
    said = one_line(hours)
    if shows_phone and not number:
        raise RuleBroken.at("phone", "", _("Give the number that your workers shall see."), "missing")
    if len(said) > 80:
        raise RuleBroken.at("hours", said[:40], _("At most %(most)d characters.") % {"most": 80}, "too_long")
    card: ContactCard
    card, _is_new = ContactCard.objects.with_scopes_disabled().update_or_create(
        post=actor, defaults={"phone": number, "shows_phone": shows_phone, "hours": said}
    )
    record(actor, actions.CARD_SAVED, union=actor.union, target=actor, details={"shown": shows_phone})
    return card


@transaction.atomic
def write_message(*, actor: Staff | User, link: Link, text: str, request_id: UUID) -> LinkMessage:
    """A message from the worker to the contact, or back. Idempotent in `request_id`.

    Raises:
        PermissionDenied: the writer is at neither end of the link.
        RuleBroken: the link has ended, no words or too many, or too many messages today.
    """
    current = locked_link(link)
    messages = LinkMessage.objects.with_scopes_disabled().filter(link=current)
    by_staff = isinstance(actor, Staff)
    is_mine = actor.pk == current.post_id if by_staff else _is_the_worker(actor, current)
    if not is_mine:
        raise PermissionDenied(_("Only the worker and their contact write here."))
    earlier: LinkMessage | None = messages.filter(request_id=request_id).first()
    if earlier is not None:
        return earlier
    said = text.strip()
    if not said or len(said) > LONGEST_MESSAGE or "\x00" in said:
        rule = _("Write something, in at most %(most)d characters.") % {"most": LONGEST_MESSAGE}
        raise RuleBroken.at("text", said[:40], rule, "text")
    if current.ended_at is not None:
        raise RuleBroken.at("text", "", _("This contact has ended; choose the present one."), "ended")
    since = timezone.now() - timedelta(days=1)
    if not by_staff and messages.filter(post=None, at__gte=since).count() >= MESSAGES_A_DAY:
        raise RuleBroken.at("text", "", _("Enough messages for today; please call 12351 if it is urgent."), "too_many")
    try:
        with transaction.atomic():
            message: LinkMessage = messages.create(
                link=current, post=actor if by_staff else None, text=said, request_id=request_id
            )
    except IntegrityError:
        raise RuleBroken.at("request_id", str(request_id), _("This was sent already."), "repeated") from None
    if isinstance(actor, Staff):
        record(actor, actions.MESSAGE_SENT, union=actor.union, target=current)
    else:
        send(
            title=gettext_lazy("A worker whose contact you are has written to you"),
            body=current.name,
            link=current.get_absolute_url(),
            posts=[current.post],
        )
    return message


def locked_post(post: Staff) -> Staff:
    """The post as it stands, its row locked: acts on one post's links wait for one another here."""
    found: Staff = (
        Staff.objects.with_scopes_disabled()
        .select_for_update(of=("self",), no_key=True)  # rows that merely name the post need not wait
        .select_related("union", "user")
        .get(pk=post.pk)
    )
    return found


def locked_link(link: Link) -> Link:
    """The link as it stands, its row locked."""
    found: Link = locked_row(
        Link.objects.with_scopes_disabled().filter(pk=link.pk),
        "post__union", "post__user", "linked_union", "worker__user", "worker__union",
    )  # fmt: skip
    return found


def what_does_not_fit(post: Staff, end: LinkEnd) -> list[Problem]:
    """Why `post` cannot be the contact of `end`: it lies elsewhere in the tree, or is nothing to be linked with."""
    path = post.union.path
    if end.union is not None:
        if not end.union.is_active:
            return [Problem("union", end.union.name, _("This union is no longer active."), "inactive")]
        if not end.union.path.startswith(path) or end.union.pk == post.union_id:
            return [Problem("union", end.union.name, _("Choose a union below the post's own."), "not_below")]
        return []
    if end.worker is not None:
        if end.worker.union is None or not end.worker.union.path.startswith(path):
            rule = _("This worker does not belong to the post's union or one below it.")
            return [Problem("worker", str(end.worker.public_id), rule, "elsewhere")]
        return []
    problems: list[Problem] = []
    name = one_line(end.group_name)
    if not name or len(name) > 80:
        rule = _("A group has a name of at most %(most)d characters.") % {"most": 80}
        problems.append(Problem("group_name", name[:40], rule, "name"))
    if end.group_app not in GroupApp.values:
        problems.append(Problem("group_app", end.group_app[:20], _("Choose an app."), "unknown"))
    if end.group_size is None or not 1 <= end.group_size <= LARGEST_GROUP:
        problems.append(Problem("group_size", end.group_size, _size_rule(), "size"))
    return problems


def end_of(link: Link) -> LinkEnd:
    """The other end of a link that stands."""
    return LinkEnd(
        union=link.linked_union,
        worker=link.worker,
        group_name=link.group_name,
        group_app=link.group_app,
        group_size=link.group_size,
    )


def _wrong_with_post(post: Staff) -> list[Problem]:
    if not post.is_active or not post.user.is_active:
        return [Problem("post", str(post.user), _("This post has ended."), "inactive")]
    if not policy.holds(post, HOLD_LINKS):
        return [Problem("post", str(post.user), _("A post of this role is nobody's contact."), "role")]
    return []


def _require_over(actor: Staff | Operator, post: Staff) -> None:
    if isinstance(actor, Staff) and actor.pk == post.pk:
        policy.require(actor, HOLD_LINKS, post.union)
    elif not policy.allows(actor, ASSIGN_LINKS, post.union):
        raise NotAllowed(ASSIGN_LINKS, post.union)


def _is_the_worker(user: Any, link: Link) -> bool:
    return link.worker is not None and link.worker.user_id == user.pk


def _size_rule() -> str:
    return _("Give how many members the group has, from 1 to %(most)d.") % {"most": LARGEST_GROUP}
