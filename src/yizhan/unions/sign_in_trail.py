"""Sign-ins, failures and changes of how one signs in go to the audit trail."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from django.contrib.auth import signals as auth_signals
from django.dispatch import receiver
from django.http import HttpRequest

from . import actions
from .audit import Action, record
from .models import User
from .services import people


def _record(user: User, action: Action, **details: Any) -> None:
    record(user, action, union=people.home_union(user), target=user, details=details)


@receiver(auth_signals.user_logged_in)
def _signed_in(*, request: HttpRequest, user: User, **_options: Any) -> None:
    from .sign_in.gate import methods

    _record(user, actions.SIGNED_IN, methods=methods(request, user))


@receiver(auth_signals.user_logged_out)
def _signed_out(*, user: User | None, **_options: Any) -> None:
    if user is not None:
        _record(user, actions.SIGNED_OUT)


@receiver(auth_signals.user_login_failed)
def _failed(*, credentials: dict[str, Any], **_options: Any) -> None:
    # What was typed is not kept: people type passwords and phone numbers into the wrong field.
    username = credentials.get("username")
    user = User.objects.filter(username__iexact=username).first() if username else None
    if user is None:
        record(None, actions.SIGN_IN_FAILED, union=None, details={"reason": "unknown user name"})
    else:
        _record(user, actions.SIGN_IN_FAILED, reason="wrong password")


@receiver(account_signals.login_code_rejected)
def _code_rejected(*, user: User, last_attempt: bool, **_options: Any) -> None:
    _record(user, actions.SIGN_IN_FAILED, reason="wrong code", last_attempt=last_attempt)


@receiver(mfa_signals.authentication_failed)
def _second_factor_failed(*, user: User, **_options: Any) -> None:
    _record(user, actions.SIGN_IN_FAILED, reason="wrong second factor")


@receiver([account_signals.password_changed, account_signals.password_set])
def _password_changed(*, user: User, **_options: Any) -> None:
    people.password_was_changed(user)


@receiver(mfa_signals.authenticator_added)
def _factor_added(*, user: User, authenticator: Any, **_options: Any) -> None:
    _record(user, actions.SECOND_FACTOR_ADDED, kind=str(authenticator.type))


@receiver(mfa_signals.authenticator_removed)
def _factor_removed(*, user: User, authenticator: Any, **_options: Any) -> None:
    _record(user, actions.SECOND_FACTOR_REMOVED, kind=str(authenticator.type))
