"""Text that people wrote, as it may be kept."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from .errors import RuleBroken

_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean_words(words: str, *, longest: int, field: str = "words") -> str:
    """Text without invisible characters, lines kept, at most `longest` characters.

    Raises:
        RuleBroken: too long; names `field`.
    """
    return fitting(_UNPRINTABLE.sub("", words.replace("\r\n", "\n")).strip(), longest=longest, field=field)


def fitting(text: str, *, longest: int, field: str) -> str:
    """The text, if it has at most `longest` characters.

    Raises:
        RuleBroken: too long; names `field`.
    """
    if len(text) > longest:
        raise RuleBroken.at(
            field,
            f"{text[:40]}…",
            _("%(given)d characters; at most %(limit)d fit.") % {"given": len(text), "limit": longest},
            "too_long",
        )
    return text
