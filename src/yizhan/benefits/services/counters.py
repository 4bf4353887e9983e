"""Who works at a merchant's counter."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.benefits.counter_actions import COUNTER_JOINED, COUNTER_LEFT
from yizhan.benefits.models import CounterPost
from yizhan.places.models import Place
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import BOUND_ROLES, MANAGE_CASHIERS, MANAGE_MERCHANTS, Operator, Right, Role, policy
from yizhan.unions.services import people

_RIGHTS = {Role.MERCHANT: MANAGE_MERCHANTS, Role.CASHIER: MANAGE_CASHIERS}


@transaction.atomic
def join_counter(
    *, actor: Staff | Operator, place: Place, role: Role, username: str, name: str = ""
) -> tuple[CounterPost, str | None]:
    """Give a person a post at a place's counter: a union makes merchants, merchants make their cashiers.

    A merchant or cashier of the same union who stands at another counter already is bound to this one, too, when the
    actor manages them there.

    Returns:
        The post, and the one-time password of a new person (shown once).

    Raises:
        NotAllowed: the actor may not give this post at this place.
        RuleBroken: the role is none of a counter; user name or name does not do; the person stands here already.
    """
    if role not in BOUND_ROLES:
        raise RuleBroken.at("role", role, _("Choose merchant or cashier."), "not_at_a_counter")
    policy.require(actor, _RIGHTS[role], place.union, within=place)
    password = None
    staff = (
        Staff.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "user")
        .filter(user__username__iexact=username.strip(), union=place.union, role=role)
        .first()
    )
    if staff is None:
        staff, password = people.create_post(
            actor=actor, union=place.union, role=role, username=username, name=name, within=place
        )
    elif not all(policy.allows(actor, _RIGHTS[role], place.union, within=bound) for bound in policy.bounds(staff)):
        raise RuleBroken.at("username", username, _("This user name is taken: choose another."), "taken")
    post, is_new = CounterPost.objects.with_scopes_disabled().get_or_create(staff=staff, place=place)
    if not is_new and post.is_active:
        raise RuleBroken.at("username", username, _("This person works at this counter already."), "taken")
    post.is_active = True
    post.save(update_fields=["is_active"])
    if not staff.is_active:
        staff.is_active = True
        staff.save(update_fields=["is_active"])
    record(actor, COUNTER_JOINED, union=place.union, target=post, details={"role": str(role), "name": place.name})
    return post, password


@transaction.atomic
def leave_counter(post: CounterPost, *, actor: Staff | Operator) -> CounterPost:
    """Take someone from a counter: their next scan is refused. Harmless twice.

    Raises:
        NotAllowed: the actor may not take this post away.
        RuleBroken: it is their own.
    """
    current, right = _locked(post)
    policy.require(actor, right, current.place.union, within=current.place)
    if isinstance(actor, Staff) and actor.user_id == current.staff.user_id:
        raise RuleBroken.at("post", "", _("This is your own post: another administrator changes it."), "own_post")
    if current.is_active:
        current.is_active = False
        current.save(update_fields=["is_active"])
        record(actor, COUNTER_LEFT, union=current.place.union, target=current, details={"name": current.place.name})
    return current


def new_password(post: CounterPost, *, actor: Staff | Operator) -> str:
    """A new one-time password for someone who forgot theirs; they are signed out everywhere.

    Raises:
        NotAllowed: the actor does not manage every post of the person.
        RuleBroken: it is the actor's own post.
    """
    return people.give_password(actor=actor, post=post.staff)


def _locked(post: CounterPost) -> tuple[CounterPost, Right]:
    current: CounterPost = (
        CounterPost.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("place__union", "staff__user")
        .get(pk=post.pk)
    )
    return current, _RIGHTS[Role(current.staff.role)]
