"""The audit trail: who did, and who saw, what.

Each room declares its acts in its own `actions.py` (imported when the app is ready):

    PLACE_PUBLISHED = declare_action("places.published", _("published a place"))

and its services record them inside the transaction of the act:

    record(staff, PLACE_PUBLISHED, union=place.union, target=place, details={"name": place.name})

Details hold no personal data: name the field that changed, not the phone number.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from structlog.contextvars import get_contextvars

from .rights import Operator, Role

if TYPE_CHECKING:
    from .models import AuditEntry, Staff, Union, User

# Address of whoever asks, set by the middleware for the length of a request; None in tasks and commands.
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of act, such as `places.published`; its label completes "Wang Li …"."""

    name: str
    label: Any

    def __str__(self) -> str:
        return self.name


_actions: dict[str, Action] = {}


def declare_action(name: str, label: Any) -> Action:
    """Make a kind of act known to the trail."""
    action = Action(name, label)
    _actions[name] = action
    return action


def actions() -> dict[str, Action]:
    """All declared kinds of act by name."""
    return dict(sorted(_actions.items()))


_details: dict[str, Any] = {
    "by": _("done by"),
    "earlier": _("before"),
    "field": _("field"),
    "fields": _("fields"),
    "form": _("format"),
    "from": _("from"),
    "kind": _("kind"),
    "last_attempt": _("last attempt"),
    "level": _("level"),
    "methods": _("by means of"),
    "name": _("name"),
    "now": _("now"),
    "page": _("page"),
    "reason": _("reason"),
    "removed": _("removed"),
    "role": _("role"),
    "rows": _("rows"),
    "shown": _("shown"),
    "to": _("to"),
    "unions": _("unions"),
}


def declare_details(words: dict[str, Any]) -> None:
    """Make known how the trail's page calls the keys of `details` that a room records."""
    _details.update(words)


def details_in_words(details: dict[str, Any]) -> list[tuple[str, str]]:
    """What an entry's details say, for readers: name and value of each."""
    return [(str(_details.get(name, name)), _value_in_words(name, value)) for name, value in details.items()]


def _value_in_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return ", ".join(_value_in_words(name, item) for item in value)
    text = "–" if value is None else str(value)
    if name in {"role", "earlier", "now"} and text in Role.values:
        return str(Role(text).label)
    return str(_words.get(text, text))


# Values that are written for machines.
_words: dict[str, Any] = {
    "operator": _("the operator"),
    "password": _("password"),
    "code": _("code by text message"),
    "mfa": _("second factor"),
    "socialaccount": _("single sign-on"),
    "totp": _("authenticator app"),
    "webauthn": _("passkey"),
    "recovery_codes": _("recovery codes"),
    "wrong password": _("wrong password"),
    "wrong code": _("wrong code"),
    "wrong second factor": _("wrong second factor"),
    "phone": _("phone"),
    "identity_number": _("identity number"),
    "occupation": _("occupation"),
    "platform_company": _("platform company"),
    "membership": _("membership"),
    "union": _("union"),
    "name": _("name"),
}


def label(name: str) -> Any:
    """What an entry's action is called, also when the room that declared it is gone."""
    return _actions[name].label if name in _actions else name


def record(
    actor: Staff | User | Operator | None,
    action: Action,
    *,
    union: Union | None,
    target: models.Model | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry. Call it inside the transaction of the act, so that both stay or neither.

    Args:
        actor: The acting post, or the person when there is none (workers, sign-in), or the operator, or None for the
            system and for strangers.
        action: What was done; must be declared.
        union: Where it was done; whoever may read the trail of this union or one above sees the entry.
        target: To what it was done.
        details: What else to keep; JSON values only, no personal data.
    """
    from .models import AuditEntry, Staff

    if action.name not in _actions:
        msg = f"{action.name!r} is not a declared action"
        raise ValueError(msg)
    post = actor if isinstance(actor, Staff) else None
    if isinstance(actor, Operator):
        details = {**(details or {}), "by": "operator"}
    return AuditEntry.objects.create(
        action=action.name,
        person_id=post.user_id if post else getattr(actor, "pk", None),
        post=post,
        union=union,
        target_kind=target._meta.label_lower if target is not None else "",
        target_id=str(getattr(target, "public_id", None) or target.pk) if target is not None else "",
        target_label=str(target)[:200] if target is not None else "",
        details=details or {},
        address=client_address.get(),
        request_id=str(get_contextvars().get("request_id", "")),
    )
