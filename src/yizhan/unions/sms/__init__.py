"""One-time codes and short notices by text message: one interface, several carriers of it.

`settings.SMS_BACKEND` chooses: `log` (default) writes the code to the server's log and says so, `aliyun` and `tencent`
send it through the provider's own SDK.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class SmsFailed(Exception):
    """The provider did not take the message.

    Attributes:
        reason: The provider's own error code, without numbers of people.
        try_again_later: Whether it may work later (limits, network), or needs the operator (account, template).
    """

    def __init__(self, reason: str, *, try_again_later: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.try_again_later = try_again_later


class SmsSender(Protocol):
    """Sends one-time codes."""

    name: str

    def send_code(self, *, phone: str, code: str) -> None:
        """Send `code` to `phone` (E.164).

        Raises:
            SmsFailed: the provider did not take it.
        """

    def send_notice(self, *, phone: str, number: str, state: str) -> bool:
        """Tell `phone` (E.164) that the case `number` is in `state` now; False when no template is configured for it.

        Raises:
            SmsFailed: the provider did not take it.
        """


def sender() -> SmsSender:
    """The configured sender."""
    return _made(settings.SMS_BACKEND, tuple(sorted(settings.SMS_OPTIONS.items())))


@lru_cache(maxsize=4)
def _made(backend: str, options: tuple[tuple[str, str], ...]) -> SmsSender:
    # Providers' SDKs are optional: only the chosen one is imported.
    if backend == "log":
        from .log import LogSender

        return LogSender()
    if backend == "aliyun":
        from .aliyun import AliyunSender

        return AliyunSender(**_checked(AliyunSender, dict(options)))
    if backend == "tencent":
        from .tencent import TencentSender

        return TencentSender(**_checked(TencentSender, dict(options)))
    msg = f"YIZHAN_SMS_BACKEND: {backend!r} is none of log, aliyun, tencent"
    raise ImproperlyConfigured(msg)


def _checked(kind: type, options: dict[str, str]) -> dict[str, str]:
    needed = set(kind.needed_options)  # type: ignore[attr-defined]
    optional = set(kind.optional_options)  # type: ignore[attr-defined]
    if missing := sorted(needed - options.keys()):
        msg = f"YIZHAN_SMS_OPTIONS lacks {', '.join(missing)}"
        raise ImproperlyConfigured(msg)
    if unknown := sorted(options.keys() - needed - optional):
        msg = f"YIZHAN_SMS_OPTIONS has unknown options: {', '.join(unknown)}"
        raise ImproperlyConfigured(msg)
    return options
