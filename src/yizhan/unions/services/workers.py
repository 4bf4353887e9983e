"""Workers: who is served, what is known of them, and who saw it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.encryption import blind_index
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, Membership, Occupation, Staff, Union, User, Worker
from yizhan.unions.personal_data import normal_identity_number
from yizhan.unions.rights import SEE_WORKERS, UNMASK, NotAllowed, policy


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
    leave_union: bool = False,
    forget_occupation: bool = False,
) -> Worker:
    """Change what is known of a worker; what is None stays, an empty identity number removes it.

    `leave_union` and `forget_occupation` empty what `None` would keep; whoever read the union's trail sees the leaving.

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
    earlier = worker.union
    changed = _apply(
        worker,
        {"union": union, "occupation": occupation, "platform_company": platform_company, "membership": membership},
    )
    emptied = {"union": None} if leave_union and union is None else {}
    emptied |= {"occupation": ""} if forget_occupation and occupation is None else {}  # type: ignore[dict-item]
    changed += _apply(worker, emptied, none_too=True)
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
            union=worker.union or earlier,
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


def _apply(row: Any, values: dict[str, Any], *, none_too: bool = False) -> list[str]:
    changed = []
    for field, value in values.items():
        if (value is not None or none_too) and getattr(row, field) != value:
            setattr(row, field, value)
            changed.append(field)
    return changed
