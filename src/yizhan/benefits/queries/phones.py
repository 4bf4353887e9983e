"""Phones, certificates and the house's keys."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from yizhan.benefits.models import HouseKey, Phone, PhoneCertificate
from yizhan.unions.models import Staff, Worker
from yizhan.unions.queries.people import one_called, workers


def house_keys() -> dict[int, bytes]:
    """The house's compressed public keys by number, without the retired."""
    rows = HouseKey.objects.filter(retired_at__isnull=True).values_list("number", "public_key")
    return {number: bytes.fromhex(key) for number, key in rows}


def phones_of(worker: Worker) -> QuerySet[Phone]:
    """The worker's phones, the newest first; blocked ones last."""
    found: QuerySet[Phone] = Phone.objects.with_scopes_disabled().filter(worker=worker)
    return found.order_by("revoked_at", "-created_at")


def phones(*, for_staff: Staff) -> QuerySet[Phone]:
    """Phones of workers of the acting union and below."""
    found: QuerySet[Phone] = (
        Phone.objects.with_scopes_disabled()
        .filter(worker__union__path__startswith=for_staff.union.path)
        .select_related("worker__user", "worker__union")
    )
    return found


def worker_to_help(text: str, *, for_staff: Staff) -> Worker | None:
    """One worker of the acting union and below, by whole phone or identity number or by identifier."""
    return one_called(text, among=workers(for_staff=for_staff))


def certificate_numbered(number: str) -> PhoneCertificate | None:
    """The certificate with this number, its phone and worker loaded."""
    found: PhoneCertificate | None = (
        PhoneCertificate.objects.with_scopes_disabled()
        .select_related("phone__worker__user", "phone__worker__union")
        .filter(number=number)
        .first()
    )
    return found


def blocked_numbers(at: datetime) -> list[str]:
    """Numbers of certificates that would still hold but whose phone was blocked: what a counter must refuse offline."""
    found = PhoneCertificate.objects.with_scopes_disabled().filter(valid_until__gt=at, phone__revoked_at__isnull=False)
    return list(found.order_by("number").values_list("number", flat=True))
