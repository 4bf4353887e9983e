"""Posts and workers: who may act where, and who is served."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.encryption import blind_index
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import AuditEntry, Membership, Occupation, Staff, Union, User, Worker
from yizhan.unions.personal_data import normal_identity_number
from yizhan.unions.rights import MANAGE_POSTS, SEE_WORKERS, UNMASK, NotAllowed, Operator, Role, policy

from .tree import lock_tree

# No letters or digits that are taken for one another when read out on the phone.
_LEGIBLE: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Four groups of four legible characters, about 79 bits."""
    return "-".join("".join(secrets.choice(_LEGIBLE) for _place in range(4)) for _group in range(4))


@transaction.atomic
def create_post(
    *, actor: Staff | Operator, union: Union, role: Role, username: str, name: str = ""
) -> tuple[Staff, str | None]:
    """Give a person a post; makes the person when the user name is new.

    A person who exists already gets a further post only from someone who manages all their posts; to others the
    user name is simply taken.

    Returns:
        The post, and the one-time password of a new person (shown once; they choose their own at first sign-in).

    Raises:
        NotAllowed: the actor may not manage posts at `union`.
        RuleBroken: the user name or name does not do, or the person holds this post already.
    """
    lock_tree(shared=True)
    union = _current(union)
    _require(actor, union)
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
        RuleBroken: it is the actor's own post, or the person holds a post of that role there already.
    """
    post = _locked(actor, post)
    _refuse_own(actor, post)
    earlier = post.role
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
def person_with_phone(phone: str) -> User:
    """Whoever has this phone number (E.164), or a new person who becomes a worker once the number is proved."""
    if found := User.objects.with_phone(phone):
        return found
    try:
        with transaction.atomic():
            return User.objects.create_user(phone=phone)
    except IntegrityError:  # someone else asked for a code for it at the same moment
        return User.objects.get(phone_index=blind_index("phone", phone))


@transaction.atomic
def forget_unproved_phones(*, older_than: timedelta = timedelta(days=1)) -> int:
    """Remove people who are nothing but a phone number that nobody proved to hold.

    Returns:
        How many were removed.
    """
    stubs = User.objects.filter(
        username=None,
        phone_verified=False,
        last_login=None,
        worker=None,
        posts=None,
        created_at__lt=timezone.now() - older_than,
    )
    kept_by_trail = AuditEntry.objects.with_scopes_disabled().filter(person__in=stubs).values("person")
    removed, _by_model = stubs.exclude(pk__in=kept_by_trail).delete()
    # Whom the trail names (a wrong code was entered) stays as a row, but without the number.
    stubs.filter(phone_index__isnull=False).update(phone=None, phone_index=None)
    return removed


@transaction.atomic
def phone_was_proved(*, user: User, phone: str) -> None:
    """The person holds the phone: keep the number, and make a worker of a person who has no post.

    Raises:
        RuleBroken: someone else has proved that they hold the number.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    other = User.objects.select_for_update().filter(phone_index=blind_index("phone", phone)).exclude(pk=user.pk)
    if holder := other.first():
        if holder.phone_verified:
            raise RuleBroken.at("phone", None, _("This number belongs to another account."), "taken")
        holder.phone = None  # it asked for a code and never entered it
        holder.save(update_fields=["phone", "phone_index"])
    if user.phone != phone or not user.phone_verified:
        user.phone, user.phone_verified = phone, True
        user.save(update_fields=["phone", "phone_index", "phone_verified"])
    if user.username is None:
        worker, is_new = Worker.objects.with_scopes_disabled().get_or_create(user=user)
        if is_new:
            record(user, actions.WORKER_REGISTERED, union=None, target=worker)


@transaction.atomic
def update_person(*, user: User, name: str, language: str) -> User:
    """Change how a person is called, and in which language messages reach them."""
    user.name, user.language = " ".join(name.split())[:60], language
    user.save(update_fields=["name", "language"])
    return user


@transaction.atomic
def update_worker(
    *,
    actor: Staff | User,
    worker: Worker,
    name: str | None = None,
    union: Union | None = None,
    occupation: Occupation | None = None,
    platform_company: str | None = None,
    membership: Membership | None = None,
    identity_number: str | None = None,
) -> Worker:
    """Change what is known of a worker; what is None stays, an empty identity number removes it.

    Workers change what is theirs, save for their membership; staff who see the worker change all of it.

    Raises:
        PermissionDenied: neither the worker nor staff who may see them.
        RuleBroken: a value does not do; the identity number belongs to another worker.
    """
    worker = Worker.objects.with_scopes_disabled().select_for_update().get(pk=worker.pk)
    by_staff = isinstance(actor, Staff)
    if isinstance(actor, Staff):
        for place in (worker.union, union):
            if place is not None:
                policy.require(actor, SEE_WORKERS, place)
        if worker.union is None and union is None:
            raise NotAllowed(SEE_WORKERS, actor.union)
    elif actor.pk != worker.user_id or membership is not None:
        raise PermissionDenied(_("You may change only what is yours."))
    changed = _apply(
        worker,
        {"union": union, "occupation": occupation, "platform_company": platform_company, "membership": membership},
    )
    if identity_number is not None:
        number = normal_identity_number(identity_number) if identity_number.strip() else None
        changed += _apply(worker, {"identity_number": number}, none_too=True)
    if name is not None and worker.user.name != " ".join(name.split()):
        worker.user.name = " ".join(name.split())[:60]
        worker.user.save(update_fields=["name"])
        changed.append("name")
    try:
        with transaction.atomic():
            worker.save()
    except IntegrityError:
        raise RuleBroken.at("identity_number", None, _("Another worker has this identity number."), "taken") from None
    if changed:
        record(
            actor,
            actions.WORKER_CHANGED,
            union=worker.union,
            target=worker if by_staff else None,
            details={"fields": sorted(changed)},
        )
    return worker


@transaction.atomic
def unmask(*, actor: Staff, worker: Worker, field: str, reason: str) -> str:
    """Show one personal value in full; who saw it, whose it is and why stays in the trail.

    Args:
        field: `phone` or `identity_number`.
        reason: Why it is needed; kept with the act.

    Raises:
        NotAllowed: the actor may not unmask at the worker's union.
        RuleBroken: no reason, an unknown field, or nothing is stored.
    """
    if worker.union is None:
        raise NotAllowed(UNMASK, actor.union)
    policy.require(actor, UNMASK, worker.union)
    reason = " ".join(reason.split())
    if len(reason) < 4:
        raise RuleBroken.at("reason", reason, _("Say why you need to see it; the reason is kept."), "required")
    values = {"phone": worker.user.phone, "identity_number": worker.identity_number}
    if field not in values:
        raise RuleBroken.at("field", field, _("Only the phone and the identity number are masked."), "unknown")
    value = values[field]
    if not value:
        raise RuleBroken.at("field", field, _("Nothing is stored here."), "empty")
    record(actor, actions.UNMASKED, union=worker.union, target=worker, details={"field": field, "reason": reason[:200]})
    return str(value)


def home_union(user: User) -> Union | None:
    """Where an act of a person without an acting post belongs: the union of their first post, else of the worker."""
    post = Staff.objects.with_scopes_disabled().filter(user=user).select_related("union").order_by("pk").first()
    if post is not None:
        union: Union = post.union
        return union
    worker: Worker | None = Worker.objects.with_scopes_disabled().filter(user=user).select_related("union").first()
    return worker.union if worker else None


def _apply(row: Any, values: dict[str, Any], *, none_too: bool = False) -> list[str]:
    changed = []
    for field, value in values.items():
        if (value is not None or none_too) and getattr(row, field) != value:
            setattr(row, field, value)
            changed.append(field)
    return changed


def _current(union: Union) -> Union:
    return Union.objects.get(pk=union.pk)


def _require(actor: Staff | Operator, union: Union) -> None:
    if isinstance(actor, Staff):
        actor.union.refresh_from_db(fields=["path", "is_active"])
    policy.require(actor, MANAGE_POSTS, union)


def _locked(actor: Staff | Operator, post: Staff) -> Staff:
    lock_tree(shared=True)
    locked: Staff = (
        Staff.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "user")
        .get(pk=post.pk)
    )
    _require(actor, locked.union)
    return locked


def _refuse_own(actor: Staff | Operator, post: Staff) -> None:
    if isinstance(actor, Staff) and actor.user_id == post.user_id:
        raise RuleBroken.at(
            "post", str(post.public_id), _("This is your own post: another administrator changes it."), "own_post"
        )


def _manages_all_posts(actor: Staff | Operator, user: User) -> bool:
    posts = Staff.objects.with_scopes_disabled().filter(user=user).select_related("union")
    return user.username is not None and all(policy.allows(actor, MANAGE_POSTS, post.union) for post in posts)


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
