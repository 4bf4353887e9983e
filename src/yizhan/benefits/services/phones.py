"""Certifying workers' phones, and blocking them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits import codes
from yizhan.benefits.counter_actions import CODE_KEY_MADE, CODE_KEY_RETIRED, PHONE_BLOCKED, PHONE_CERTIFIED
from yizhan.benefits.models import HouseKey, Phone, PhoneCertificate
from yizhan.benefits.queries.phones import house_keys
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.rights import OPERATOR, SEE_WORKERS, Operator, policy

# How long a phone may go without a network and still show codes; and how long a blocked one may deceive a cashier who
# has none. Phones renew from half of it on.
CERTIFIED_FOR: Final = timedelta(days=7)
MOST_PHONES: Final = 3


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as the phone keeps it."""

    phone: Phone
    content: bytes
    number: str
    valid_until: datetime


@transaction.atomic
def certify(worker: Worker, *, point: bytes, proof: bytes, name: str = "", at: datetime | None = None) -> Issued:
    """Certify a phone's public key for some days; the same key again is a renewal.

    A worker has at most three phones: the one that was certified longest ago makes room for a fourth.

    Args:
        worker: Who shows codes on it.
        point: The public key, an uncompressed point of 65 bytes.
        proof: The phone's signature that it holds the private half (`codes.sign_request`).
        name: What the worker recognises the phone by.
        at: The time, for tests.

    Raises:
        RuleBroken: not a key, not its holder, someone else's key, or a phone that was blocked.
    """
    now = at or timezone.now()
    public_key = codes.compressed_from_raw(point)
    if public_key is None:
        raise RuleBroken.at("public_key", point.hex()[:20], _("This is not a key on the curve P-256."), "not_a_key")
    if not codes.request_is_signed(public_key, proof):
        raise RuleBroken.at("proof", "", _("The signature does not show that the phone holds this key."), "no_proof")
    Worker.objects.with_scopes_disabled().select_for_update().get(pk=worker.pk)  # one phone after the other
    phone = Phone.objects.with_scopes_disabled().filter(public_key=public_key.hex()).first()
    if phone is not None and (phone.worker_id != worker.pk or phone.revoked_at is not None):
        raise RuleBroken.at("public_key", "", _("This key cannot be used: make a new one."), "used_before")
    if phone is None:
        phone = Phone.objects.with_scopes_disabled().create(
            worker=worker, public_key=public_key.hex(), name=" ".join(name.split())[:60]
        )
        _make_room(worker, phone, now)
        record(worker.user, PHONE_CERTIFIED, union=worker.union, target=phone)
    key = _signing_key()
    until = int((now + CERTIFIED_FOR).timestamp())
    certificate = codes.Certificate(key.number, secrets.token_bytes(8), until, public_key)
    row = PhoneCertificate.objects.with_scopes_disabled().create(
        phone=phone,
        key=key,
        number=certificate.number.hex(),
        issued_at=now,
        valid_until=datetime.fromtimestamp(until, tz=now.tzinfo),
    )
    private_key = load_pem_private_key(key.private_key.encode(), password=None)
    assert isinstance(private_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it
    return Issued(phone, codes.issue(certificate, private_key), row.number, row.valid_until)


@transaction.atomic
def block(phone: Phone, *, actor: User | Staff | Operator, at: datetime | None = None) -> Phone:
    """Block a phone: its codes are refused from now on; counters without a network learn of it with their next pack.

    Raises:
        PermissionDenied: neither the worker's own nor that of a worker whom the staff may see.
    """
    current: Phone = (
        Phone.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("worker__union")
        .get(pk=phone.pk)
    )
    worker = current.worker
    if isinstance(actor, Staff):
        policy.require(actor, SEE_WORKERS, worker.union or actor.union)
        if worker.union is None:
            raise PermissionDenied(_("You may change only what is yours."))
    elif isinstance(actor, User) and actor.pk != worker.user_id:
        raise PermissionDenied(_("You may change only what is yours."))
    if current.revoked_at is None:
        current.revoked_at = at or timezone.now()
        current.save(update_fields=["revoked_at"])
        record(actor, PHONE_BLOCKED, union=worker.union, target=current)
    return current


@transaction.atomic
def new_house_key(*, actor: Operator = OPERATOR) -> HouseKey:
    """Make a new key that signs from now on. Earlier ones stay known until their last certificate has ended.

    Safe when two do so at once: numbers are unique, and the greater one signs.
    """
    private_key = ec.generate_private_key(ec.SECP256R1())
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    while True:
        last = HouseKey.objects.aggregate(last=Max("number"))["last"] or 0
        try:
            with transaction.atomic():
                made = HouseKey.objects.create(
                    number=last + 1, private_key=pem, public_key=codes.compressed(private_key.public_key()).hex()
                )
        except IntegrityError:
            continue
        record(actor, CODE_KEY_MADE, union=None, target=made)
        return made


@transaction.atomic
def rotate_house_key(*, at_once: bool = False, actor: Operator = OPERATOR, at: datetime | None = None) -> list[int]:
    """Make a new key, and retire earlier ones whose certificates ended a week ago; says the numbers of those retired.

    Phones get certificates of the new key by themselves, at the latest in the second half of a week.

    Args:
        at_once: Retire all earlier keys now, because one is lost: their codes are refused at every counter that has a
            network, and elsewhere with the day's next pack, until the phone has been online once.
        at: The time, for tests.
    """
    now = at or timezone.now()
    made = new_house_key(actor=actor)
    earlier = HouseKey.objects.select_for_update().filter(retired_at__isnull=True, number__lt=made.number)
    if not at_once:
        # A week more than they hold: what was redeemed offline is told of later, and its code must be readable then.
        rows = PhoneCertificate.objects.with_scopes_disabled().filter(valid_until__gt=now - CERTIFIED_FOR)
        earlier = earlier.exclude(pk__in=rows.values("key"))
    retired = []
    for key in earlier.order_by("number"):
        key.retired_at = now
        key.save(update_fields=["retired_at"])
        record(actor, CODE_KEY_RETIRED, union=None, target=key, details={"reason": "at once" if at_once else "unused"})
        retired.append(key.number)
    return retired


def public_keys() -> dict[int, bytes]:
    """The house's public keys by number; makes the first one."""
    known = house_keys()
    if not known:
        new_house_key()
        known = house_keys()
    return known


def _signing_key() -> HouseKey:
    newest = HouseKey.objects.filter(retired_at__isnull=True).order_by("-number").first()
    return newest or new_house_key()


def _make_room(worker: Worker, fresh: Phone, now: datetime) -> None:
    phones = Phone.objects.with_scopes_disabled().filter(worker=worker, revoked_at__isnull=True).exclude(pk=fresh.pk)
    for surplus in phones.annotate(last=Max("certificates__issued_at")).order_by("-last", "-pk")[MOST_PHONES - 1 :]:
        surplus.revoked_at = now
        surplus.save(update_fields=["revoked_at"])
        record(worker.user, PHONE_BLOCKED, union=worker.union, target=surplus, details={"reason": "too many phones"})
