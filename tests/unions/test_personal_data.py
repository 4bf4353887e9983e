"""Phone and identity numbers: normal form, masking, encryption at rest, rotation of keys."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tests.conftest import WorkerMaker
from yizhan.unions import encryption
from yizhan.unions.encryption import Undecipherable, blind_index, decrypt, encrypt, rotate
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, User, Worker
from yizhan.unions.personal_data import (
    mask_identity_number,
    mask_middle,
    mask_phone,
    normal_identity_number,
    normal_phone,
    show_phone,
)
from yizhan.unions.services.keys import rotate_keys


@pytest.mark.parametrize(
    "written", ["13812345678", "138 1234 5678", "+86 138-1234-5678", "008613812345678", " 13812345678 "]
)
def test_a_phone_is_read_as_people_write_it(written: str) -> None:
    assert normal_phone(written) == "+8613812345678"


@pytest.mark.parametrize("written", ["", "12345", "站长", "1381234567", "138123456789", "11111111111"])
def test_what_is_no_phone_is_refused_by_name(written: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        normal_phone(written)
    assert refused.value.problems[0].field == "phone"
    assert refused.value.problems[0].code == "not_a_phone"


def test_a_refused_number_is_not_repeated_whole() -> None:
    with pytest.raises(RuleBroken) as refused:
        normal_phone("138123456789")
    assert "138123456789" not in str(refused.value.problems[0].value)


@pytest.mark.parametrize(
    "wrong", ["", "11010519491231002", "110105194912310021", "11010519491331002X", "99010519491231002X"]
)
def test_an_identity_number_is_checked(wrong: str) -> None:
    assert normal_identity_number("11010519491231002x") == "11010519491231002X"
    with pytest.raises(RuleBroken):
        normal_identity_number(wrong)


def test_masks_show_what_people_need_to_recognise() -> None:
    assert mask_phone("+8613812341234") == "138****1234"
    assert mask_phone("+85291234567") == "+852 91****67"
    assert mask_phone(None) == mask_identity_number(None) == mask_phone("") == ""
    assert mask_identity_number("410102199001011234") == "4101**********1234"
    assert show_phone("+8613812341234") == "13812341234"


@given(st.text(st.characters(exclude_characters="*"), max_size=40), st.integers(0, 6), st.integers(0, 6))
def test_a_mask_never_reveals_more_than_allowed(value: str, first: int, last: int) -> None:
    masked = mask_middle(value, first=first, last=last)
    assert len(masked) == len(value)
    revealed = [place for place in range(len(value)) if masked[place] != "*"]
    assert all(place < first or place >= len(value) - last for place in revealed)
    assert all(masked[place] == value[place] for place in revealed)
    assert len(value) - len(revealed) >= min(4, len(value) / 2)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_mobile_number_shows_at_most_seven_digits(number: str) -> None:
    assert len(re.sub(r"\D", "", mask_phone(f"+86{number}"))) <= 7


@given(st.text())
def test_encryption_gives_the_text_back_and_hides_it(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    token = encrypt(text)
    assert decrypt(token) == text
    assert encrypt(text) != token
    assert len(text) < 8 or text not in token


def test_a_blind_index_tells_kinds_apart() -> None:
    assert blind_index("phone", "1") == blind_index("phone", "1") != blind_index("identity_number", "1")
    assert len(blind_index("phone", "1")) == 64


def test_the_table_holds_no_number_in_clear(worker: WorkerMaker) -> None:
    made = worker()
    made.identity_number = "11010519491231002X"
    made.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone, phone_index FROM unions_user WHERE id = %s", [made.user_id])
        stored = cursor.fetchone()
        cursor.execute("SELECT identity_number, identity_number_index FROM unions_worker WHERE id = %s", [made.pk])
        stored += cursor.fetchone()
    assert "13800138001" not in str(stored)
    assert "11010519491231002X" not in str(stored)
    assert User.objects.with_phone("+8613800138001") == made.user
    assert Worker.objects.with_scopes_disabled().get(pk=made.pk).identity_number == "11010519491231002X"


def test_an_encrypted_field_cannot_be_compared(db: None) -> None:
    with pytest.raises(FieldError, match="blind index"):
        User.objects.filter(phone="+8613800138001").first()
    assert User.objects.filter(phone__isnull=False).count() == 0


def test_two_people_cannot_have_one_number(worker: WorkerMaker) -> None:
    from django.db import IntegrityError, transaction

    made = worker()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(phone=made.user.phone)


def test_keys_are_rotated_and_the_old_one_can_go(worker: WorkerMaker, settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.PERSONAL_DATA_KEYS = [old]
    made = [worker() for _turn in range(3)]
    settings.PERSONAL_DATA_KEYS = [new, old]
    assert rotate_keys() == 3
    assert rotate_keys() == 0
    settings.PERSONAL_DATA_KEYS = [new]
    assert [User.objects.get(pk=one.user_id).phone for one in made] == [one.user.phone for one in made]
    assert AuditEntry.objects.with_scopes_disabled().filter(action="people.keys_rotated").count() == 1


def test_second_factors_survive_a_rotation_of_keys(worker: WorkerMaker, settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.PERSONAL_DATA_KEYS = [old]
    user = worker().user
    app = TOTP.activate(user, "SECRETSECRET").instance
    codes = RecoveryCodes.activate(user)
    expected = codes.generate_codes()
    settings.PERSONAL_DATA_KEYS = [new, old]
    assert rotate_keys() == 3
    settings.PERSONAL_DATA_KEYS = [new]
    assert decrypt(Authenticator.objects.get(pk=app.pk).data["secret"]) == "SECRETSECRET"
    assert RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk)).generate_codes() == expected


def test_a_value_that_no_key_opens_says_so(worker: WorkerMaker, settings: Settings) -> None:
    worker()
    settings.PERSONAL_DATA_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Undecipherable):
        rotate_keys()
    with pytest.raises(Undecipherable):
        User.objects.get(phone__isnull=False)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=30))
def test_rotation_keeps_the_text(key: bytes, text: str) -> None:
    from base64 import urlsafe_b64encode

    from django.conf import settings as django_settings
    from django.test import override_settings

    try:
        text.encode()
    except UnicodeEncodeError:
        return
    token = encrypt(text)
    with override_settings(PERSONAL_DATA_KEYS=[urlsafe_b64encode(key).decode(), *django_settings.PERSONAL_DATA_KEYS]):
        renewed = rotate(token)
        assert decrypt(renewed) == text
        assert rotate(renewed) == renewed
    assert encryption.decrypt(token) == text
