"""The code on a paper voucher: sixteen digits, the last two of which check the others (ISO 7064 MOD 97-10)."""

from __future__ import annotations

import secrets
from typing import Final

from stdnum.iso7064 import mod_97_10

from yizhan.unions.encryption import blind_index

from .codes import plain_digits

PREFIX: Final = "82"
_RANDOM: Final = 12  # 10^12: who may ask at all is signed in, and is told of no voucher that they did not scan


def new_voucher_code() -> str:
    """Sixteen digits that nobody guesses."""
    said = PREFIX + "".join(str(secrets.randbelow(10)) for _place in range(_RANDOM))
    return said + mod_97_10.calc_check_digits(said)


def is_voucher(text: str) -> bool:
    """Whether a scanned or typed text is such a code, its check digits included; blanks and dashes don't matter."""
    said = normal(text)
    return len(said) == 16 and said.isdecimal() and said.startswith(PREFIX) and mod_97_10.is_valid(said)


def normal(text: str) -> str:
    """The digits alone."""
    return plain_digits(text).replace("-", "")


def shown(code: str) -> str:
    """In groups of four, as it is printed and read out."""
    return " ".join(code[at : at + 4] for at in range(0, 16, 4))


def digest(code: str) -> str:
    """By which a voucher is found: a keyed hash, so that codes cannot be worked out from the database."""
    return blind_index("voucher", normal(code))
