"""What must be done before a person may act in a post."""

from __future__ import annotations

from typing import Final, Literal

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from yizhan.unions.models import Staff, User
from yizhan.unions.rights import Role

# Roles that can take rights and money away from others.
SECOND_FACTOR_ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.FINANCE})

Condition = Literal["own_password", "second_factor"]


def methods(request: HttpRequest, user: User) -> list[str]:
    """By what the person proved who they are in this session: `password`, `code`, `mfa`, `socialaccount`."""
    return [str(record["method"]) for record in get_authentication_records(request, user)]


def signed_in_by_code_alone(request: HttpRequest, user: User) -> bool:
    """Whether this session rests on a code by text message: enough for a worker, not for a post."""
    return set(methods(request, user)) == {"code"}


def unmet_condition(staff: Staff) -> Condition | None:
    """What the person has to do first: choose a password of their own, or add a second factor."""
    if staff.user.must_change_password:
        return "own_password"
    if (
        settings.REQUIRE_SECOND_FACTOR
        and Role(staff.role) in SECOND_FACTOR_ROLES
        and not Authenticator.objects.filter(
            user=staff.user_id, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).exists()
    ):
        return "second_factor"
    return None
