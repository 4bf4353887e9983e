"""Hand-overs: links pass to a colleague by a record that waits for an answer; they move only when it is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.cases import outreach_actions as actions
from yizhan.cases.models import HandOver, HandOverItem, HandOverState, Link, LinkKind
from yizhan.cases.outreach_rights import ASSIGN_LINKS, HOLD_LINKS
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed, Operator, policy
from yizhan.unions.services.inbox import send

from .links import end_of, locked_post, what_does_not_fit

MOST_AT_ONCE = 500


@transaction.atomic
def offer_links(
    *,
    actor: Staff | Operator,
    from_post: Staff,
    to_post: Staff,
    links: Sequence[Link] | None,
    reason: str,
    at: datetime | None = None,
) -> HandOver:
    """Offer links of one post to another; `links=None` offers all that stand and are not on their way elsewhere.

    Raises:
        NotAllowed: the actor neither holds `from_post` nor assigns links at its union.
        RuleBroken: the receiver cannot be a contact or lies outside the actor's unions; no reason; no link, one that
            is not of `from_post`, has ended, is on its way already, or does not fit the receiver.
    """
    first, second = sorted((from_post, to_post), key=lambda post: post.pk)
    posts = {post.pk: post for post in (locked_post(first), locked_post(second))}
    from_post, to_post = posts[from_post.pk], posts[to_post.pk]
    _require_giver(actor, from_post)
    problems = _wrong_with_receiver(actor, from_post, to_post)
    said = one_line(reason)
    if not said or len(said) > 300:
        rule = _("Say why, in at most %(most)d characters.") % {"most": 300}
        problems.append(Problem("reason", said[:40], rule, "reason"))
    standing = _locked(from_post)
    on_the_way = set(
        HandOverItem.objects.with_scopes_disabled()
        .filter(link__in=standing, is_open=True)
        .values_list("link_id", flat=True)
    )
    chosen = [link for link in standing if link.pk not in on_the_way] if links is None else list(links)
    problems += _wrong_with_links(chosen, {link.pk: link for link in standing}, on_the_way, to_post)
    if problems:
        raise RuleBroken(problems)
    hand_over: HandOver = HandOver.objects.with_scopes_disabled().create(
        from_post=from_post,
        to_post=to_post,
        reason=said,
        asked_by=actor if isinstance(actor, Staff) else None,
        asked_at=at or timezone.now(),
    )
    try:
        with transaction.atomic():
            HandOverItem.objects.with_scopes_disabled().bulk_create(
                HandOverItem(hand_over=hand_over, link=link) for link in chosen
            )
    except IntegrityError:
        raise RuleBroken.at(
            "links", "", _("One of these links is on its way to a colleague already."), "offered"
        ) from None
    record(actor, actions.HAND_OVER_OFFERED, union=from_post.union, target=hand_over, details={"links": len(chosen)})
    send(
        title=gettext_lazy("Links are offered to you"),
        body=said,
        link=hand_over.get_absolute_url(),
        posts=[to_post],
    )
    return hand_over


@transaction.atomic
def accept(*, actor: Staff, hand_over: HandOver, at: datetime | None = None) -> HandOver:
    """Take the links over: each moves if it still stands and fits; what does not move says why and stays where it is.

    Where the receiver is the contact already, the giver's link ends: two links with the same end become one.

    Raises:
        NotAllowed: the links are offered to someone else.
        RuleBroken: answered meanwhile, or the receiver's post cannot be a contact any more.
    """
    current = _of_receiver(actor, hand_over)
    to_post = locked_post(current.to_post)
    problems = _wrong_with_receiver(None, current.from_post, to_post)
    if problems:
        raise RuleBroken(problems)
    now = at or timezone.now()
    _answer(current, HandOverState.ACCEPTED, actor, "", now)
    items = list(HandOverItem.objects.with_scopes_disabled().filter(hand_over=current).order_by("link_id"))
    links = {
        link.pk: link
        for link in Link.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .filter(pk__in=[item.link_id for item in items])
        .select_related("worker__union", "worker__user", "linked_union")
        .order_by("pk")
    }
    has_already = {_key(link) for link in _locked(to_post)}
    for item in items:
        item.moved, item.remark = _move(links[item.link_id], current, to_post, has_already, now)
        item.is_open = False
    HandOverItem.objects.with_scopes_disabled().bulk_update(items, ["is_open", "moved", "remark"])
    moved = sum(item.moved for item in items)
    record(
        actor,
        actions.HAND_OVER_ACCEPTED,
        union=to_post.union,
        target=current,
        details={"links": len(items), "moved": moved},
    )
    _tell_giver(current, gettext_lazy("Your links were taken over"))
    return current


@transaction.atomic
def refuse(*, actor: Staff, hand_over: HandOver, answer: str, at: datetime | None = None) -> HandOver:
    """Refuse to take links over, with a reason; they stay where they are.

    Raises:
        NotAllowed: the links are offered to someone else.
        RuleBroken: no reason, or answered meanwhile.
    """
    current = _of_receiver(actor, hand_over)
    said = one_line(answer)
    if not said or len(said) > 300:
        raise RuleBroken.at(
            "answer", said[:40], _("Say why, in at most %(most)d characters.") % {"most": 300}, "answer"
        )
    _answer(current, HandOverState.REFUSED, actor, said, at or timezone.now())
    _release(current)
    record(actor, actions.HAND_OVER_REFUSED, union=current.to_post.union, target=current, details={"reason": said})
    _tell_giver(current, gettext_lazy("Links that you offered were refused"))
    return current


@transaction.atomic
def withdraw(*, actor: Staff | Operator, hand_over: HandOver, at: datetime | None = None) -> HandOver:
    """Take an offer back that nobody has answered.

    Raises:
        NotAllowed: as with `offer_links`.
        RuleBroken: answered meanwhile.
    """
    current = _current(hand_over)
    _require_giver(actor, current.from_post)
    by = actor if isinstance(actor, Staff) else None
    _answer(current, HandOverState.WITHDRAWN, by, "", at or timezone.now())
    _release(current)
    record(actor, actions.HAND_OVER_WITHDRAWN, union=current.from_post.union, target=current)
    return current


def _move(
    link: Link, hand_over: HandOver, to_post: Staff, has_already: set[tuple[str, object]], now: datetime
) -> tuple[bool, str]:
    if link.ended_at is not None or link.post_id != hand_over.from_post_id:
        return False, _("It had ended or moved meanwhile.")
    if wrong := what_does_not_fit(to_post, end_of(link)):
        return False, str(wrong[0].message)[:200]
    if _key(link) in has_already:
        link.ended_at, link.end_reason = max(now, link.began_at), _("Handed over; the receiver was linked already.")
        link.revision += 1
        link.save(update_fields=["ended_at", "end_reason", "revision"])
        return False, _("You are its contact already; the other link has ended.")
    moved = (
        Link.objects.with_scopes_disabled()
        .filter(pk=link.pk, post=hand_over.from_post_id, ended_at=None)
        .update(post=to_post, revision=F("revision") + 1)
    )
    return bool(moved), ""


def _key(link: Link) -> tuple[str, object]:
    end: object = link.linked_union_id or link.worker_id
    return str(link.kind), (link.group_app, link.group_name) if link.kind == LinkKind.GROUP else end


def _locked(post: Staff) -> list[Link]:
    return list(
        Link.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .filter(post=post, ended_at=None)
        .select_related("worker__union", "worker__user", "linked_union")
        .order_by("pk")
    )


def _current(hand_over: HandOver) -> HandOver:
    # Locked first of all: whoever answers second waits here, holding nothing that the first still needs.
    found: HandOver = (
        HandOver.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("from_post__union", "from_post__user", "to_post__union", "to_post__user")
        .get(pk=hand_over.pk)
    )
    return found


def _of_receiver(actor: Staff, hand_over: HandOver) -> HandOver:
    current = _current(hand_over)
    if actor.pk != current.to_post_id:
        raise NotAllowed(HOLD_LINKS, current.to_post.union)
    policy.require(actor, HOLD_LINKS, current.to_post.union)
    return current


def _answer(hand_over: HandOver, state: HandOverState, by: Staff | None, answer: str, now: datetime) -> None:
    """Only who comes first answers: the condition is part of the UPDATE."""
    changed = (
        HandOver.objects.with_scopes_disabled()
        .filter(pk=hand_over.pk, state=HandOverState.PENDING)
        .update(state=state, decided_by=by, decided_at=now, answer=answer)
    )
    if not changed:
        raise RuleBroken.at("hand_over", "", _("This was answered or taken back meanwhile."), "answered")
    hand_over.refresh_from_db(fields=["state", "decided_at", "answer", "decided_by"])


def _release(hand_over: HandOver) -> None:
    HandOverItem.objects.with_scopes_disabled().filter(hand_over=hand_over).update(is_open=False)


def _tell_giver(hand_over: HandOver, title: object) -> None:
    posts = {post.pk: post for post in (hand_over.from_post, hand_over.asked_by) if post is not None}
    send(title=title, body=hand_over.answer, link=hand_over.get_absolute_url(), posts=posts.values())


def _require_giver(actor: Staff | Operator, from_post: Staff) -> None:
    if not (isinstance(actor, Staff) and actor.pk == from_post.pk and actor.is_active):
        policy.require(actor, ASSIGN_LINKS, from_post.union)


def _wrong_with_receiver(actor: Staff | Operator | None, from_post: Staff, to_post: Staff) -> list[Problem]:
    who = str(to_post.user)
    if to_post.pk == from_post.pk:
        return [Problem("to_post", who, _("Choose another post."), "same")]
    if not to_post.is_active or not to_post.user.is_active:
        return [Problem("to_post", who, _("This post has ended."), "inactive")]
    if not policy.holds(to_post, HOLD_LINKS):
        return [Problem("to_post", who, _("A post of this role is nobody's contact."), "role")]
    if isinstance(actor, Staff) and not to_post.union.path.startswith(actor.union.path):
        return [Problem("to_post", "", _("Choose a post of your union or one below."), "elsewhere")]
    return []


def _wrong_with_links(
    chosen: Sequence[Link], standing: dict[int, Link], on_the_way: set[int], to_post: Staff
) -> list[Problem]:
    if not 1 <= len(chosen) <= MOST_AT_ONCE:
        rule = _("Choose from 1 to %(most)d links.") % {"most": MOST_AT_ONCE}
        return [Problem("links", len(chosen), rule, "number")]
    problems: list[Problem] = []
    for link in chosen:
        if link.pk not in standing:
            problems.append(Problem("links", link.name, _("It has ended or is a colleague's."), "not_standing"))
        elif link.pk in on_the_way:
            problems.append(Problem("links", link.name, _("It is on its way to a colleague already."), "offered"))
        else:
            wrong = what_does_not_fit(to_post, end_of(standing[link.pk]))
            problems += [Problem("links", link.name, item.message, item.code) for item in wrong]
    return problems
