"""Phone and identity numbers: one normal form, and how much of them a screen may show."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError as NotAnIdentityNumber

from .errors import RuleBroken


def normal_phone(value: str, *, field: str = "phone") -> str:
    """A phone number in E.164 form (`+8613812345678`); numbers without a country code are read as mainland ones.

    Raises:
        RuleBroken: not a possible number.
    """
    try:
        number = phonenumbers.parse(value, "CN")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise RuleBroken.at(
            field,
            mask_middle(value),
            _("This is not a phone number: %(example)s is one.") % {"example": "138 1234 5678"},
            "not_a_phone",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_identity_number(value: str, *, field: str = "identity_number") -> str:
    """A resident identity number as 18 characters, its birth date, place code and check digit verified (GB 11643).

    Raises:
        RuleBroken: wrong length, date, place or check digit.
    """
    try:
        return str(ric.validate(value.strip().upper()))
    except NotAnIdentityNumber:
        raise RuleBroken.at(
            field,
            mask_middle(value),
            _("This is not a resident identity number: it has 18 digits of which the last checks the others."),
            "not_an_identity_number",
        ) from None


def mask_middle(value: str, *, first: int = 3, last: int = 4) -> str:
    """`value` with its middle starred: `first` and `last` characters remain where that hides four or more.

    Of shorter values at most a quarter remains at either end.
    """
    if len(value) - first - last < 4:
        first, last = min(first, len(value) // 4), min(last, len(value) // 4)
    return value[:first] + "*" * (len(value) - first - last) + (value[-last:] if last else "")


def mask_phone(value: str | None) -> str:
    """`+8613812345678` → `138****5678`; foreign numbers keep their country code; nothing stays nothing."""
    if not value:
        return ""
    country, national = _split(value)
    return f"{country}{mask_middle(national)}"


def show_phone(value: str | None) -> str:
    """A whole number as people write it here, without the mainland's country code."""
    return "".join(_split(value)) if value else ""


def mask_identity_number(value: str | None) -> str:
    """`410102199001011234` → `4101**********1234`."""
    return mask_middle(value, first=4, last=4) if value else ""


def _split(e164: str) -> tuple[str, str]:
    """Country code with a plus and a space (none for the mainland), and the national number."""
    try:
        number: Any = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return "", e164
    national = str(phonenumbers.national_significant_number(number))
    return ("", national) if number.country_code == 86 else (f"+{number.country_code} ", national)
