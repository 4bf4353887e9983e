"""Codes into the server's log: for demos and for machines without a provider."""

from __future__ import annotations

import structlog

from yizhan.unions.personal_data import mask_phone

logger = structlog.get_logger(__name__)


class LogSender:
    """Writes each code to the log beside the masked number. Nobody's phone rings."""

    name = "log"

    def send_code(self, *, phone: str, code: str) -> None:
        """Log the code."""
        logger.warning("one-time code (no SMS provider is configured)", phone=mask_phone(phone), code=code)

    def send_notice(self, *, phone: str, number: str, state: str) -> bool:
        """Log the notice."""
        logger.info("notice (no SMS provider is configured)", phone=mask_phone(phone), number=number, state=state)
        return True
