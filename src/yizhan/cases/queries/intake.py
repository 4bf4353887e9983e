"""Codes and clients by which cases come in."""

from __future__ import annotations

from django.db.models import QuerySet

from yizhan.cases.models import IntakeClient, IntakeCode
from yizhan.cases.numbers import digest
from yizhan.unions.models import Staff


def code_of(code: str) -> IntakeCode:
    """A printed code, for whoever scans it. Raises IntakeCode.DoesNotExist."""
    found: IntakeCode = IntakeCode.objects.with_scopes_disabled().select_related("union", "place__union").get(code=code)
    return found


def codes(staff: Staff) -> QuerySet[IntakeCode]:
    """The codes of a post's union and below."""
    found: QuerySet[IntakeCode] = IntakeCode.objects.filter(union__path__startswith=staff.union.path)
    return found.select_related("union", "place__union").order_by("union__path", "place__name", "pk")


def clients(staff: Staff) -> QuerySet[IntakeClient]:
    """The systems that file cases at a post's union and below."""
    found: QuerySet[IntakeClient] = IntakeClient.objects.filter(union__path__startswith=staff.union.path)
    return found.select_related("union").order_by("union__path", "name", "pk")


def client_with(key: str) -> IntakeClient | None:
    """The system that holds this key and may still file."""
    found: IntakeClient | None = (
        IntakeClient.objects.with_scopes_disabled()
        .filter(key_digest=digest(key), revoked_at=None)
        .select_related("union")
        .first()
    )
    return found
