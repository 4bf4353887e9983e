"""The code on a worker's phone: its form, signing and checking. Pure: no database, no clock, no Django.

A phone makes a key pair of its own (ECDSA on P-256, which the WebCrypto of every phone in use knows) and never lets the
private half out. The house certifies the public half for some days under a number that says nothing of the person. A
code is that certificate, a time step of 30 s and a nonce, signed by the phone; so whoever knows the house's public keys
checks it without a network, and nobody reads from it who the person is.

All integers are big-endian, points are compressed (SEC 1), signatures are r and s of 32 bytes each.

    certificate  = version(1) key(2) number(8) valid_until(4, UTC epoch seconds) public_key(33)      48 bytes
    issued       = certificate signature_by_the_house(64)                                           112 bytes
    code         = issued step(4) nonce(4) signature_by_the_phone(64)                               184 bytes

In the picture a code is digits alone: `80` and the 184 bytes as one number of 444 digits. That is the densest form a QR
code has (49 modules), and the only one that a USB scanner can type through every keyboard layout and input method.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

STEP_S: Final = 30
# A code is good in its own step, two steps after it and one before: slow hands, and clocks that differ by a little.
STEPS_AFTER, STEPS_BEFORE = 2, 1
VERSION: Final = 1
PREFIX: Final = "80"
CERTIFICATE_BYTES, SIGNATURE_BYTES, POINT_BYTES = 48, 64, 33
ISSUED_BYTES: Final = CERTIFICATE_BYTES + SIGNATURE_BYTES
CODE_BYTES: Final = ISSUED_BYTES + 8 + SIGNATURE_BYTES
CODE_DIGITS: Final = 444  # of 2 ** (8 * 184)

# What is signed begins with what it is, so that no signature for one purpose does for another.
_FOR_CERTIFICATES: Final = b"yizhan certificate\0"
_FOR_CODES: Final = b"yizhan code\0"
_FOR_REQUESTS: Final = b"yizhan certificate request\0"

Reason = Literal["not_a_code", "other_version", "unknown_key", "forged", "expired", "too_old", "too_early"]


class CodeRejected(Exception):
    """A code that cannot be accepted; `reason` is stable."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the house says of a phone's key.

    Attributes:
        key: Number of the house's key that signed it.
        number: By which the house finds the worker; says nothing to others. 8 bytes.
        valid_until: UTC epoch seconds; from then on it is not valid.
        public_key: The phone's, compressed.
    """

    key: int
    number: bytes
    valid_until: int
    public_key: bytes

    def to_bytes(self) -> bytes:
        """As it is signed."""
        return bytes([VERSION]) + self.key.to_bytes(2) + self.number + self.valid_until.to_bytes(4) + self.public_key

    @classmethod
    def from_bytes(cls, body: bytes) -> Certificate:
        """Raises `CodeRejected` for what is of another version or length."""
        if len(body) != CERTIFICATE_BYTES:
            raise CodeRejected("not_a_code")
        if body[0] != VERSION:
            raise CodeRejected("other_version")
        return cls(int.from_bytes(body[1:3]), body[3:11], int.from_bytes(body[11:15]), body[15:])


@dataclass(frozen=True, slots=True)
class Code:
    """What a code says. One code is one `certificate.number`, `step` and `nonce`: the signature is no part of it,
    since anyone can write the same signature in a second way."""

    certificate: Certificate
    step: int
    nonce: int

    @property
    def starts_at(self) -> int:
        """UTC epoch seconds at which its step begins."""
        return self.step * STEP_S


def step_at(seconds: float) -> int:
    """The step in which a time lies; UTC epoch seconds."""
    return int(seconds // STEP_S)


def issue(certificate: Certificate, house_key: ec.EllipticCurvePrivateKey) -> bytes:
    """The certificate with the house's signature: what a phone keeps."""
    body = certificate.to_bytes()
    return body + _sign(house_key, _FOR_CERTIFICATES + body)


def sign_code(issued: bytes, phone_key: ec.EllipticCurvePrivateKey, *, step: int, nonce: int) -> bytes:
    """A code as bytes, as a phone makes it; phones do this in their own language."""
    said = issued[:CERTIFICATE_BYTES] + step.to_bytes(4) + nonce.to_bytes(4)
    return issued + said[CERTIFICATE_BYTES:] + _sign(phone_key, _FOR_CODES + said)


def sign_request(public_key: bytes, phone_key: ec.EllipticCurvePrivateKey) -> bytes:
    """A phone's proof that it holds the key it wants certified."""
    return _sign(phone_key, _FOR_REQUESTS + public_key)


def request_is_signed(public_key: bytes, signature: bytes) -> bool:
    """Whether the proof holds."""
    return _holds(public_key, _FOR_REQUESTS + public_key, signature)


def digits_of(code: bytes) -> str:
    """A code as the digits of its picture."""
    return PREFIX + str(int.from_bytes(code)).zfill(CODE_DIGITS)


def is_code(text: str) -> bool:
    """Whether a scanned text has the form of a code."""
    said = plain_digits(text)
    return len(said) == len(PREFIX) + CODE_DIGITS and said.startswith(PREFIX) and said.isdecimal()


def plain_digits(text: str) -> str:
    """A scanned text without what keyboards add: full-width digits are read as digits, blanks are left out."""
    return "".join(unicodedata.normalize("NFKC", text[:1000]).split())


def verify(text: str, *, house_keys: Mapping[int, bytes], at: float) -> Code:
    """Read a scanned text and check both signatures and the time.

    Args:
        text: The digits.
        house_keys: Compressed public keys by number.
        at: When it was scanned; UTC epoch seconds.

    Raises:
        CodeRejected: it is none of ours, forged, expired, too old or from the future.
    """
    code = check_signatures(text, house_keys=house_keys)
    if code.starts_at >= code.certificate.valid_until:
        raise CodeRejected("expired")
    behind = step_at(at) - code.step
    if behind > STEPS_AFTER:
        raise CodeRejected("too_old")
    if behind < -STEPS_BEFORE:
        raise CodeRejected("too_early")
    return code


def check_signatures(text: str, *, house_keys: Mapping[int, bytes]) -> Code:
    """As `verify`, but whenever it was scanned: what an upload after days without a network needs."""
    if not is_code(text):
        raise CodeRejected("not_a_code")
    number = int(plain_digits(text)[len(PREFIX) :])
    if number >> (8 * CODE_BYTES):
        raise CodeRejected("not_a_code")
    body = number.to_bytes(CODE_BYTES)
    certificate = Certificate.from_bytes(body[:CERTIFICATE_BYTES])
    house_key = house_keys.get(certificate.key)
    if house_key is None:
        raise CodeRejected("unknown_key")
    if not _holds(house_key, _FOR_CERTIFICATES + body[:CERTIFICATE_BYTES], body[CERTIFICATE_BYTES:ISSUED_BYTES]):
        raise CodeRejected("forged")
    said = body[:CERTIFICATE_BYTES] + body[ISSUED_BYTES : ISSUED_BYTES + 8]
    if not _holds(certificate.public_key, _FOR_CODES + said, body[ISSUED_BYTES + 8 :]):
        raise CodeRejected("forged")
    return Code(certificate, int.from_bytes(said[-8:-4]), int.from_bytes(said[-4:]))


def compressed(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as 33 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def compressed_from_raw(point: bytes) -> bytes | None:
    """The uncompressed point of 65 bytes that a phone exports, as 33 bytes; None when it is no point of the curve."""
    try:
        return compressed(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
    except ValueError:
        return None


def _sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def _holds(point: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        whole = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(whole, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
