"""Make `code_vectors.json`, which the tests of both languages read: `python -m tests.benefits.make_code_vectors`.

Keys are fixed, so that the same people appear again; signatures are drawn anew each time. The codes that a browser
signed (`by_a_browser`) are kept as they are.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from yizhan.benefits import codes

FILE = Path(__file__).with_name("code_vectors.json")
HOUSE = ec.derive_private_key(0x5EED_0001, ec.SECP256R1())
OTHER_HOUSE = ec.derive_private_key(0x5EED_0002, ec.SECP256R1())
PHONE = ec.derive_private_key(0x5EED_0003, ec.SECP256R1())
OTHER_PHONE = ec.derive_private_key(0x5EED_0004, ec.SECP256R1())
NOON = 1_795_492_800  # 2026-11-24 12:00 in Shanghai
STEP = codes.step_at(NOON)


def _certificate(until: int = NOON + 86_400, *, key: int = 1) -> codes.Certificate:
    return codes.Certificate(key, bytes.fromhex("0102030405060708"), until, codes.compressed(PHONE.public_key()))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def made() -> dict[str, object]:
    """All vectors: a text, when it is scanned, and what comes of it."""
    issued = codes.issue(_certificate(), HOUSE)
    good = codes.sign_code(issued, PHONE, step=STEP, nonce=7)
    expired = codes.issue(_certificate(NOON), HOUSE)
    ends_later = codes.issue(_certificate(NOON + 30), HOUSE)
    strange = codes.issue(_certificate(key=9), HOUSE)
    altered = bytearray(good)
    altered[-70] ^= 1  # the nonce
    longer_life = bytearray(good)
    longer_life[11] ^= 1  # valid_until
    version_2 = bytes([2]) + good[1:]
    cases = [
        ("good", codes.digits_of(good), NOON, "accepted"),
        ("at the end of its step", codes.digits_of(good), NOON + 29, "accepted"),
        ("two steps later", codes.digits_of(good), NOON + 89, "accepted"),
        ("three steps later", codes.digits_of(good), NOON + 90, "too_old"),
        ("one step before", codes.digits_of(good), NOON - 30, "accepted"),
        ("two steps before", codes.digits_of(good), NOON - 31, "too_early"),
        ("typed in full width with blanks", _full_width(codes.digits_of(good)), NOON, "accepted"),
        ("another nonce", codes.digits_of(bytes(altered)), NOON, "forged"),
        ("a longer life", codes.digits_of(bytes(longer_life)), NOON, "forged"),
        ("another phone", codes.digits_of(codes.sign_code(issued, OTHER_PHONE, step=STEP, nonce=7)), NOON, "forged"),
        (
            "another house",
            codes.digits_of(codes.sign_code(codes.issue(_certificate(), OTHER_HOUSE), PHONE, step=STEP, nonce=7)),
            NOON,
            "forged",
        ),
        ("an unknown key", codes.digits_of(codes.sign_code(strange, PHONE, step=STEP, nonce=7)), NOON, "unknown_key"),
        ("on its last second", codes.digits_of(codes.sign_code(expired, PHONE, step=STEP, nonce=7)), NOON, "expired"),
        (
            "a step before its end",
            codes.digits_of(codes.sign_code(ends_later, PHONE, step=STEP, nonce=7)),
            NOON,
            "accepted",
        ),
        ("another version", codes.digits_of(version_2), NOON, "other_version"),
        ("a number too large", codes.PREFIX + "9" * codes.CODE_DIGITS, NOON, "not_a_code"),
        ("one digit short", codes.digits_of(good)[:-1], NOON, "not_a_code"),
        ("an address", "https://example.cn/p/abcd2345", NOON, "not_a_code"),
        ("nothing", "", NOON, "not_a_code"),
    ]
    return {
        "house_keys": {"1": _base64url(codes.compressed(HOUSE.public_key()))},
        "issued": _base64url(issued),
        "phone_key_pkcs8": _base64url(_pkcs8(PHONE)),
        "noon": NOON,
        "number": "0102030405060708",
        "cases": [{"name": name, "text": text, "at": at, "result": result} for name, text, at, result in cases],
    }


def _full_width(digits: str) -> str:
    return " ".join(digits[at : at + 50] for at in range(0, len(digits), 50)).translate(
        {ord("0") + n: ord("\uff10") + n for n in range(10)}
    )


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


if __name__ == "__main__":
    kept = json.loads(FILE.read_text("utf-8"))["by_a_browser"] if FILE.exists() else []
    FILE.write_text(json.dumps({**made(), "by_a_browser": kept}, indent=1, ensure_ascii=False) + "\n", "utf-8")
