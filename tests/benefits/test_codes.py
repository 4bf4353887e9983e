"""The code on a phone: the same vectors that the browser part reads (`frontend/tests/codes.test.ts`)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.benefits.make_code_vectors import FILE, HOUSE, NOON, PHONE, STEP, made
from yizhan.benefits import codes

VECTORS: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HOUSE_KEYS = {1: codes.compressed(HOUSE.public_key())}


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _result(text: str, at: float) -> str:
    keys = {int(number): _from_base64url(key) for number, key in VECTORS["house_keys"].items()}
    try:
        codes.verify(text, house_keys=keys, at=at)
    except codes.CodeRejected as refused:
        return refused.reason
    return "accepted"


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_code_is_judged_as_the_cashiers_phone_judges_it(case: dict[str, Any]) -> None:
    assert _result(case["text"], case["at"]) == case["result"]


def test_the_vectors_are_what_this_code_makes() -> None:
    fresh = made()
    for name in ("house_keys", "number", "noon", "phone_key_pkcs8"):
        assert fresh[name] == VECTORS[name]
    names = [case["name"] for case in fresh["cases"]]  # type: ignore[attr-defined]
    assert names == [case["name"] for case in VECTORS["cases"]]


def test_a_code_that_a_browser_signed_holds_here() -> None:
    assert [_result(text, NOON) for text in VECTORS["by_a_browser"]] == ["accepted", "accepted"]


def test_a_code_says_its_certificate_step_and_nonce_and_nothing_of_the_person() -> None:
    code = codes.verify(VECTORS["by_a_browser"][0], house_keys=HOUSE_KEYS, at=NOON)
    assert (code.certificate.number.hex(), code.step, code.nonce) == (VECTORS["number"], STEP, 1)
    assert code.starts_at <= NOON < code.starts_at + codes.STEP_S


def test_the_same_signature_in_its_second_form_is_still_the_same_code() -> None:
    """ECDSA: (r, n - s) holds where (r, s) does; whoever kept texts to find replays would count this one anew."""
    text = VECTORS["by_a_browser"][0]
    body = int(text[2:]).to_bytes(codes.CODE_BYTES)
    s = int.from_bytes(body[-32:])
    second = codes.digits_of(body[:-32] + (ORDER - s).to_bytes(32))
    assert second != text
    one, other = (codes.verify(said, house_keys=HOUSE_KEYS, at=NOON) for said in (text, second))
    assert one == other


def test_a_phone_proves_that_it_holds_the_key_it_wants_certified() -> None:
    point = codes.compressed(PHONE.public_key())
    assert codes.request_is_signed(point, codes.sign_request(point, PHONE))
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert not codes.request_is_signed(point, codes.sign_request(point, stranger))
    # A proof is no code and no certificate: each signature is for one purpose.
    assert not codes.request_is_signed(point, codes.sign_code(b"", PHONE, step=1, nonce=1)[-64:])


@pytest.mark.parametrize(
    "point",
    [b"", b"\4" + b"\0" * 64, bytes(range(65)), b"\2" * 33],
    ids=["nothing", "zeros", "counted up", "not on the curve"],
)
def test_what_is_no_point_of_the_curve_is_not_certified(point: bytes) -> None:
    found = codes.compressed_from_raw(point)
    assert found is None or len(found) == codes.POINT_BYTES


@given(st.text(max_size=600) | st.text("0123456789", min_size=444, max_size=446).map(lambda text: "80" + text))
def test_whatever_is_scanned_is_judged_and_nothing_breaks(text: str) -> None:
    with pytest.raises(codes.CodeRejected):
        codes.verify(text, house_keys=HOUSE_KEYS, at=NOON)


@given(st.integers(0, codes.CODE_BYTES * 8 - 1))
def test_no_bit_of_a_code_can_be_turned(bit: int) -> None:
    number = int(VECTORS["by_a_browser"][0][2:]) ^ (1 << bit)
    with pytest.raises(codes.CodeRejected):
        codes.verify(codes.PREFIX + str(number).zfill(codes.CODE_DIGITS), house_keys=HOUSE_KEYS, at=NOON)
