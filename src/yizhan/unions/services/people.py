"""Posts: who may act where, and how they get and lose it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union, User, Worker
from yizhan.unions.rights import (
    BOUND_ROLES,
    MANAGE_CASHIERS,
    MANAGE_MERCHANTS,
    MANAGE_POSTS,
    NotAllowed,
    Operator,
    Role,
    policy,
)

from .tree import lock_tree

# No letters or digits that are taken for one another when read out on the phone.
_LEGIBLE: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Four groups of four legible characters, about 79 bits."""
    return "-".join("".join(secrets.choice(_LEGIBLE) for _place in range(4)) for _group in range(4))


@transaction.atomic
def create_post(
    *,
    actor: Staff | Operator,
    union: Union,
    role: Role,
    username: str,
    name: str = "",
    within: models.Model | None = None,
) -> tuple[Staff, str | None]:
    """Give a person a post; makes the person when the user name is new.

    A person who exists already gets a further post only from someone who manages all their posts; to others the
    user name is simply taken. A post of a bound role is made `within` what the caller binds it to in the same
    transaction.

    Returns:
        The post, and the one-time password of a new person (shown once; they choose their own at first sign-in).

    Raises:
        NotAllowed: the actor may not manage posts at `union`.
        RuleBroken: the user name or name does not do, or the person holds this post already.
    """
    lock_tree(shared=True)
    union = _current(union)
    _require(actor, union, role, [within] if within is not None else [])
    username, name = username.strip(), " ".join(name.split())
    _check_post(union, username, name)
    user = User.objects.select_for_update().filter(username__iexact=username).first()
    password = None
    if user is None:
        if not name:
            raise RuleBroken.at("name", name, _("Give the person's name."), "required")
        password = one_time_password()
        try:
            with transaction.atomic():
                user = User.objects.create_user(username, password, name=name, must_change_password=True)
        except IntegrityError:
            raise _taken(username) from None
    elif not _manages_all_posts(actor, user):
        raise _taken(username)
    try:
        with transaction.atomic():
            post = Staff.objects.create(user=user, union=union, role=role)
    except IntegrityError:
        raise RuleBroken.at("role", role, _("This person holds this post already."), "taken") from None
    record(actor, actions.POST_CREATED, union=union, target=post, details={"role": str(role)})
    return post, password


@transaction.atomic
def change_role(*, actor: Staff | Operator, post: Staff, role: Role) -> Staff:
    """Give a post another role.

    Raises:
        NotAllowed: the actor may not manage posts at its union.
        RuleBroken: it is the actor's own post, the person holds a post of that role there already, or one of the
            roles is bound to a counter.
    """
    post = _locked(actor, post)
    _refuse_own(actor, post)
    earlier = post.role
    if BOUND_ROLES & {Role(earlier), role}:
        raise RuleBroken.at(
            "role", role, _("Merchants and cashiers get and lose their posts on the page of their counter."), "bound"
        )
    if earlier == role:
        return post
    post.role = role
    try:
        with transaction.atomic():
            post.save(update_fields=["role"])
    except IntegrityError:
        raise RuleBroken.at("role", role, _("This person holds this post already."), "taken") from None
    record(actor, actions.POST_CHANGED, union=post.union, target=post, details={"earlier": earlier, "now": str(role)})
    return post


@transaction.atomic
def deactivate_post(*, actor: Staff | Operator, post: Staff) -> Staff:
    """Take a post away; what was done in it stays in the trail.

    Raises:
        NotAllowed: the actor may not manage posts at its union.
        RuleBroken: it is the actor's own post.
    """
    post = _locked(actor, post)
    _refuse_own(actor, post)
    if post.is_active:
        post.is_active = False
        post.save(update_fields=["is_active"])
        record(actor, actions.POST_DEACTIVATED, union=post.union, target=post)
    return post


@transaction.atomic
def reactivate_post(*, actor: Staff | Operator, post: Staff) -> Staff:
    """Give a post back.

    Raises:
        NotAllowed: the actor may not manage posts at its union.
        RuleBroken: the union is inactive.
    """
    post = _locked(actor, post)
    if not post.union.is_active:
        raise RuleBroken.at("union", post.union.name, _("This union is no longer active."), "inactive")
    if not post.is_active:
        post.is_active = True
        post.save(update_fields=["is_active"])
        record(actor, actions.POST_REACTIVATED, union=post.union, target=post)
    return post


@transaction.atomic
def give_password(*, actor: Staff | Operator, post: Staff) -> str:
    """Give the post's holder a new one-time password, for when theirs is lost; their sessions end.

    Who holds posts that the actor does not manage gets none: it would open those posts, too.

    Raises:
        NotAllowed: the actor does not manage every post of the person.
        RuleBroken: it is the actor's own post.
    """
    post = _locked(actor, post)
    _refuse_own(actor, post)
    user = User.objects.select_for_update().get(pk=post.user_id)
    if not _manages_all_posts(actor, user):
        raise NotAllowed(MANAGE_POSTS, post.union)
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    record(actor, actions.PASSWORD_GIVEN, union=post.union, target=post)
    return password


@transaction.atomic
def remove_second_factors(*, actor: Staff | Operator, post: Staff) -> int:
    """Remove the authenticator app, passkeys and recovery codes of the post's holder, for when their phone is lost.

    Returns:
        How many were removed.

    Raises:
        NotAllowed: the actor does not manage every post of the person.
        RuleBroken: it is the actor's own post.
    """
    post = _locked(actor, post)
    _refuse_own(actor, post)
    if not _manages_all_posts(actor, post.user):
        raise NotAllowed(MANAGE_POSTS, post.union)
    removed: int
    removed, _by_model = Authenticator.objects.filter(user=post.user_id).delete()
    if removed:
        details = {"removed": removed}
        record(actor, actions.SECOND_FACTOR_REMOVED, union=post.union, target=post, details=details)
    return removed


@transaction.atomic
def password_was_changed(user: User) -> None:
    """The person chose a password of their own."""
    if user.must_change_password:
        user.must_change_password = False
        user.save(update_fields=["must_change_password"])
    record(user, actions.PASSWORD_CHANGED, union=home_union(user), target=user)


@transaction.atomic
def update_person(*, user: User, name: str, language: str) -> User:
    """Change how a person is called, and in which language messages reach them."""
    user.name, user.language = " ".join(name.split())[:60], language
    user.save(update_fields=["name", "language"])
    return user


def home_union(user: User) -> Union | None:
    """Where an act of a person without an acting post belongs: the union of their first post, else of the worker."""
    post = Staff.objects.with_scopes_disabled().filter(user=user).select_related("union").order_by("pk").first()
    if post is not None:
        union: Union = post.union
        return union
    worker: Worker | None = Worker.objects.with_scopes_disabled().filter(user=user).select_related("union").first()
    return worker.union if worker else None


def _current(union: Union) -> Union:
    return Union.objects.get(pk=union.pk)


_RIGHT_OVER = {Role.MERCHANT: MANAGE_MERCHANTS, Role.CASHIER: MANAGE_CASHIERS}


def _require(actor: Staff | Operator, union: Union, role: Role, bounds: Collection[models.Model]) -> None:
    """Over a post that is bound to several counters, the actor needs the right within each."""
    if isinstance(actor, Staff):
        actor.union.refresh_from_db(fields=["path", "is_active"])
    everywhere: Collection[models.Model | None] = [None]
    for within in bounds or everywhere:
        policy.require(actor, _RIGHT_OVER.get(role, MANAGE_POSTS), union, within=within)


def _manages(actor: Staff | Operator, post: Staff) -> bool:
    right = _RIGHT_OVER.get(Role(post.role), MANAGE_POSTS)
    bounds: list[models.Model | None] = [*policy.bounds(post)] or [None]
    return all(policy.allows(actor, right, post.union, within=within) for within in bounds)


def _locked(actor: Staff | Operator, post: Staff) -> Staff:
    lock_tree(shared=True)
    locked: Staff = (
        Staff.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "user")
        .get(pk=post.pk)
    )
    _require(actor, locked.union, Role(locked.role), policy.bounds(locked))
    return locked


def _refuse_own(actor: Staff | Operator, post: Staff) -> None:
    if isinstance(actor, Staff) and actor.user_id == post.user_id:
        raise RuleBroken.at(
            "post", str(post.public_id), _("This is your own post: another administrator changes it."), "own_post"
        )


def _manages_all_posts(actor: Staff | Operator, user: User) -> bool:
    posts = Staff.objects.with_scopes_disabled().filter(user=user).select_related("union")
    return user.username is not None and all(_manages(actor, post) for post in posts)


def _taken(username: str) -> RuleBroken:
    return RuleBroken.at("username", username, _("This user name is taken: choose another."), "taken")


def _check_post(union: Union, username: str, name: str) -> None:
    problems = []
    if not union.is_active:
        problems.append(Problem("union", union.name, _("This union is no longer active."), "inactive"))
    if not (3 <= len(username) <= 60) or not all(part.isalnum() or part in "._-" for part in username):
        problems.append(
            Problem(
                "username",
                username,
                _("A user name has 3 to 60 letters, digits, dots, dashes and underscores."),
                "not_a_username",
            )
        )
    elif username.isdigit():
        problems.append(
            Problem("username", username, _("A user name is not only digits: it would be taken for a phone."), "digits")
        )
    if len(name) > 60:
        problems.append(Problem("name", name, _("A name has at most %(most)s characters.") % {"most": 60}, "too_long"))
    if problems:
        raise RuleBroken(problems)
