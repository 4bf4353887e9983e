"""The audit trail: who did, and who saw, what.

Each room declares its acts in its own `actions.py` (imported when the app is ready):

    PLACE_PUBLISHED = declare_action("places.published", _("published a place"))

and its services record them inside the transaction of the act:

    record(staff, PLACE_PUBLISHED, union=place.union, target=place, details={"name": place.name})

Details hold no personal data: name the field that changed, not the phone number.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import pgettext_lazy
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
    label: Any = field(compare=False)  # a lazy text: its hash differs from one language to the next

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
    "by": pgettext_lazy("trail", "done by"),
    "earlier": pgettext_lazy("trail", "before"),
    "field": pgettext_lazy("trail", "field"),
    "fields": pgettext_lazy("trail", "fields"),
    "form": pgettext_lazy("trail", "format"),
    "from": pgettext_lazy("trail", "from"),
    "kind": pgettext_lazy("trail", "kind"),
    "last_attempt": pgettext_lazy("trail", "last attempt"),
    "level": pgettext_lazy("trail", "level"),
    "methods": pgettext_lazy("trail", "by means of"),
    "name": pgettext_lazy("trail", "name"),
    "now": pgettext_lazy("trail", "now"),
    "page": pgettext_lazy("trail", "page"),
    "reason": pgettext_lazy("trail", "reason"),
    "removed": pgettext_lazy("trail", "removed"),
    "role": pgettext_lazy("trail", "role"),
    "rows": pgettext_lazy("trail", "rows"),
    "shown": pgettext_lazy("trail", "shown"),
    "to": pgettext_lazy("trail", "to"),
    "unions": pgettext_lazy("trail", "unions"),
}


def declare_details(words: Mapping[str, Any], *, values: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Make known how the trail's page calls the keys of `details` that a room records, and the codes under a key."""
    _details.update(words)
    for name, labels in (values or {}).items():
        _values.setdefault(name, {}).update(labels)


# What codes mean that are recorded under a key; several rooms may record under the same.
_values: dict[str, dict[str, Any]] = {}


def details_in_words(details: dict[str, Any]) -> list[tuple[str, str]]:
    """What an entry's details say, for readers: name and value of each."""
    return [(str(_details.get(name, name)), _value_in_words(name, value)) for name, value in details.items()]


def _value_in_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(pgettext_lazy("trail", "yes") if value else pgettext_lazy("trail", "no"))
    if isinstance(value, list):
        return ", ".join(_value_in_words(name, item) for item in value)
    text = "–" if value is None else str(value)
    if name in {"role", "earlier", "now"} and text in Role.values:
        return str(Role(text).label)
    return str(_values.get(name, {}).get(text) or _words.get(text, text))


# Values that are written for machines.
_words: dict[str, Any] = {
    "operator": pgettext_lazy("trail", "the operator"),
    "password": pgettext_lazy("trail", "password"),
    "code": pgettext_lazy("trail", "code by text message"),
    "mfa": pgettext_lazy("trail", "second factor"),
    "socialaccount": pgettext_lazy("trail", "single sign-on"),
    "totp": pgettext_lazy("trail", "authenticator app"),
    "webauthn": pgettext_lazy("trail", "passkey"),
    "recovery_codes": pgettext_lazy("trail", "recovery codes"),
    "wrong password": pgettext_lazy("trail", "wrong password"),
    "wrong code": pgettext_lazy("trail", "wrong code"),
    "wrong second factor": pgettext_lazy("trail", "wrong second factor"),
    "phone": pgettext_lazy("trail", "phone"),
    "identity_number": pgettext_lazy("trail", "identity number"),
    "occupation": pgettext_lazy("trail", "occupation"),
    "platform_company": pgettext_lazy("trail", "platform company"),
    "membership": pgettext_lazy("trail", "membership"),
    "union": pgettext_lazy("trail", "union"),
    "name": pgettext_lazy("trail", "name"),
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
