"""Takes an uploaded file into memory only: Django would put a larger one into a file on the disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest

MOST_BYTES = 16 * 1024 * 1024
FORM_BYTES = 64 * 1024  # the other fields and the frame around all of them


class InMemoryUploadHandler(MemoryFileUploadHandler):
    """Takes files of any size; whoever uses it asks `is_too_big` first."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django hands it over by this name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Take whatever comes."""
        self.activated = True


def is_too_big(request: HttpRequest) -> bool:
    """Whether a request says that it brings more than a page takes, or does not say how much; nothing is read."""
    stated = request.META.get("CONTENT_LENGTH") or ""
    return not stated.isdigit() or int(stated) > MOST_BYTES + FORM_BYTES
