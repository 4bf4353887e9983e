"""Signing in: workers by phone and code, staff by password and second factor."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.unions import sms
from yizhan.unions.models import AuditEntry, Staff, User, Worker
from yizhan.unions.rights import Role

PASSWORD = "a long sentence"


class Outbox:
    """An SMS sender that keeps what it sends, or fails as told."""

    name = "outbox"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failure: sms.SmsFailed | None = None

    def send_code(self, *, phone: str, code: str) -> None:
        if self.failure:
            raise self.failure
        self.sent.append((phone, code))


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    made = Outbox()
    monkeypatch.setattr(sms, "sender", lambda: made)
    return made


@pytest.fixture(autouse=True)
def fresh_counts(db: None) -> None:
    cache.clear()


def ask_for_code(client: Client, phone: str = "138 0013 8000") -> Any:
    return client.post(reverse("account_request_login_code"), {"phone": phone})


def enter(client: Client, code: str) -> Any:
    return client.post(reverse("account_confirm_login_code"), {"code": code})


def sign_in(client: Client, username: str, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": username, "password": password})


def confirm_again(client: Client) -> None:
    """Enter the password once more, as pages that protect the account ask."""
    assert client.get(reverse("account_reauthenticate")).status_code == 200
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def trail(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.with_scopes_disabled().filter(action=action).order_by("pk"))


def test_a_workers_first_code_makes_the_account(client: Client, outbox: Outbox) -> None:
    assert ask_for_code(client).status_code == 302
    phone, code = outbox.sent[0]
    assert phone == "+8613800138000"
    assert re.fullmatch(r"\d{6}", code)
    assert not Worker.objects.with_scopes_disabled().exists()
    page = client.get(reverse("account_confirm_login_code")).content.decode()
    assert "138****8000" in page
    assert "13800138000" not in page
    answer = enter(client, code)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("web:home")
    worker = Worker.objects.with_scopes_disabled().get()
    assert (worker.user.phone, worker.user.phone_verified) == ("+8613800138000", True)
    assert not worker.user.has_usable_password()
    assert client.get(reverse("unions:account")).context["worker"] == worker
    assert [entry.action for entry in trail("people.worker_registered")] == ["people.worker_registered"]
    assert trail("people.signed_in")[0].details == {"methods": ["code"]}


def test_the_second_time_the_same_account_is_signed_in(client: Client, outbox: Outbox) -> None:
    with time_machine.travel(1_790_000_000) as clock:
        for _turn in range(2):
            ask_for_code(client)
            enter(client, outbox.sent[-1][1])
            client.logout()
            clock.shift(60)
    assert Worker.objects.with_scopes_disabled().count() == User.objects.count() == 1


def test_a_wrong_code_is_refused_recorded_and_after_three_a_new_one_is_needed(client: Client, outbox: Outbox) -> None:
    ask_for_code(client)
    right = outbox.sent[0][1]
    wrong = "000000" if right != "000000" else "000001"
    for _turn in range(3):
        enter(client, wrong)
    enter(client, right)
    assert not client.get(reverse("unions:account")).context
    assert len(trail("people.sign_in_failed")) == 3


def test_a_code_is_worth_nothing_after_five_minutes(client: Client, outbox: Outbox) -> None:
    with time_machine.travel(1_790_000_000) as clock:
        ask_for_code(client)
        clock.shift(301)
        enter(client, outbox.sent[0][1])
        assert client.get(reverse("unions:account")).status_code == 302


def test_a_number_gets_no_second_code_at_once(client: Client, outbox: Outbox) -> None:
    ask_for_code(client)
    again = ask_for_code(Client())
    assert again.status_code == 200
    assert "phone" in again.context["form"].errors
    assert len(outbox.sent) == 1


def test_what_is_no_phone_number_is_refused_at_the_field(client: Client, outbox: Outbox) -> None:
    answer = ask_for_code(client, "12345")
    assert "phone" in answer.context["form"].errors
    assert not outbox.sent
    assert not User.objects.exists()


@pytest.mark.parametrize("later", [True, False])
def test_a_failing_sms_provider_is_told_to_the_user_and_logged_without_the_number(
    client: Client, outbox: Outbox, later: bool, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.failure = sms.SmsFailed("isv.BUSINESS_LIMIT_CONTROL", try_again_later=later)
    answer = client.post(reverse("account_request_login_code"), {"phone": "13800138000"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("account_request_login_code")
    assert "toast-bad" in answer.content.decode()
    assert "isv.BUSINESS_LIMIT_CONTROL" in caplog.text
    assert "13800138000" not in caplog.text


def test_the_sign_in_page_says_when_codes_go_to_the_log(client: Client, settings: Settings) -> None:
    address = reverse("account_request_login_code")
    assert client.get(address).content.decode().count('<p class="note">') == 1
    settings.SMS_BACKEND = "aliyun"
    assert '<p class="note">' not in client.get(address).content.decode()


def test_the_session_in_the_database_does_not_show_the_number(client: Client, outbox: Outbox) -> None:
    from django.contrib.sessions.models import Session
    from django.core.signing import loads

    ask_for_code(client)
    stored = Session.objects.get().session_data
    assert "13800138000" not in stored
    with pytest.raises(Exception):  # noqa: B017 - not readable by Django's own means either
        loads(stored, salt="django.contrib.sessions.SessionStore")
    enter(client, outbox.sent[0][1])
    assert client.get(reverse("unions:account")).status_code == 200


def test_staff_sign_in_by_password_and_come_to_the_desk(client: Client, tree: UnionTree, post: PostMaker) -> None:
    staff = post(tree.zhongyuan, Role.CADRE)
    answer = sign_in(client, str(staff.user.username))
    assert answer["Location"] == reverse("web:desk")
    assert client.get(reverse("unions:inbox")).status_code == 200
    assert trail("people.signed_in")[0].union == tree.zhongyuan


def test_the_sixth_wrong_password_is_not_even_tried(client: Client, tree: UnionTree, post: PostMaker) -> None:
    username = str(post(tree.zhongyuan, Role.CADRE).user.username)
    for _turn in range(5):
        assert sign_in(client, username, "wrong").status_code == 200
    refused = sign_in(client, username)
    assert refused.status_code == 200
    assert "_auth_user_id" not in client.session
    assert len(trail("people.sign_in_failed")) == 5
    other = str(post(tree.zhongyuan, Role.CADRE).user.username)
    assert sign_in(client, other).status_code == 302


def test_the_throttle_counts_by_the_address_that_the_front_door_saw(client: Client, db: None) -> None:
    def attempt(address: str, turn: int) -> int:
        answer = client.post(
            reverse("account_login"),
            {"login": f"nobody{turn}", "password": "x"},
            headers={"x-client-address": address, "x-forwarded-for": f"6.6.6.{turn}"},  # a client may claim the second
        )
        return int(answer.status_code)

    statuses = [attempt("1.2.3.4", turn) for turn in range(31)]
    assert statuses[:30] == [200] * 30
    assert statuses[30] == 429
    assert attempt("1.2.3.5", 99) == 200
    assert {entry.address for entry in trail("people.sign_in_failed")} == {"1.2.3.4", "1.2.3.5"}


def test_who_is_throttled_sees_a_page_of_ours(client: Client, db: None) -> None:
    for _turn in range(31):
        answer = client.post(reverse("account_login"), {"login": "nobody", "password": "x"})
    assert answer.status_code == 429
    assert "main-narrow" in answer.content.decode()


def test_the_root_of_the_accounts_is_no_page(client: Client, db: None) -> None:
    assert client.get("/accounts/").status_code == 404


def test_a_failed_sign_in_of_an_unknown_name_keeps_nothing_that_was_typed(client: Client, db: None) -> None:
    sign_in(client, "MySecretPassword1", "x")
    entry = trail("people.sign_in_failed")[0]
    assert (entry.person, entry.union, entry.details) == (None, None, {"reason": "unknown user name"})


def test_a_code_by_text_message_does_not_open_the_desk(
    client: Client, outbox: Outbox, tree: UnionTree, post: PostMaker
) -> None:
    staff = post(tree.zhongyuan, Role.CADRE)
    staff.user.phone, staff.user.phone_verified = "+8613800138000", True
    staff.user.save()
    ask_for_code(client)
    enter(client, outbox.sent[0][1])
    assert client.session["_auth_user_id"] == str(staff.user_id)
    assert client.get(reverse("unions:inbox")).status_code == 403
    assert client.get("/api/me").json()["posts"][0]["is_acting"] is False


@pytest.mark.parametrize(
    ("role", "is_led_away"),
    [(Role.ADMINISTRATOR, True), (Role.FINANCE, True), (Role.CADRE, False), (Role.KEEPER, False), (Role.READER, False)],
)
def test_roles_with_power_need_a_second_factor_before_the_desk_opens(
    client: Client, tree: UnionTree, post: PostMaker, settings: Settings, role: Role, is_led_away: bool
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    staff = post(tree.zhongyuan, role)
    client.force_login(staff.user)
    answer = client.get(reverse("unions:inbox"))
    assert (answer.status_code == 302 and answer["Location"] == reverse("mfa_index")) is is_led_away
    assert client.get("/api/me").json()["posts"][0]["is_acting"] is not is_led_away
    Authenticator.objects.create(user=staff.user, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert (client.get(reverse("unions:inbox")).status_code == 302) is is_led_away
    Authenticator.objects.create(user=staff.user, type=Authenticator.Type.WEBAUTHN, data={})
    assert client.get(reverse("unions:inbox")).status_code == 200


def totp_secret(client: Client) -> str:
    return str(client.get(reverse("mfa_activate_totp")).context["form"].secret)


def current_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_an_administrator_sets_up_an_authenticator_app_and_signs_in_with_it(
    client: Client,
    tree: UnionTree,
    post: PostMaker,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    staff = post(tree.zhongyuan)
    sign_in(client, str(staff.user.username))
    confirm_again(client)
    secret = totp_secret(client)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("mfa_activate_totp"), {"code": current_code(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    stored = Authenticator.objects.get(user=staff.user, type=Authenticator.Type.TOTP)
    assert secret not in str(stored.data)  # encrypted
    assert TOTP(stored)
    assert client.get(reverse("unions:audit")).status_code == 200
    assert trail("people.second_factor_added")

    fresh = Client()
    answer = sign_in(fresh, str(staff.user.username))
    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    assert "_auth_user_id" not in fresh.session
    assert fresh.get(reverse("mfa_authenticate")).status_code == 200
    fresh.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert trail("people.sign_in_failed")[-1].details == {"reason": "wrong second factor"}
    with time_machine.travel(time.time() + 120):  # a code works once
        fresh.post(reverse("mfa_authenticate"), {"code": current_code(secret)})
        assert fresh.session["_auth_user_id"] == str(staff.user_id)
        assert fresh.get(reverse("unions:inbox")).status_code == 200


def test_a_one_time_password_must_be_replaced_before_the_desk_opens(
    client: Client, tree: UnionTree, post: PostMaker
) -> None:
    staff = post(tree.zhongyuan, Role.KEEPER)
    User.objects.filter(pk=staff.user_id).update(must_change_password=True)
    sign_in(client, str(staff.user.username))
    assert client.get(reverse("unions:inbox"))["Location"] == reverse("account_change_password")
    new = "my bicycle has two wheels"
    answer = client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert answer.status_code == 302, answer.context["form"].errors
    assert client.get(reverse("unions:inbox")).status_code == 200
    assert trail("people.password_changed")


def test_there_is_no_sign_up_page(client: Client, db: None) -> None:
    client.post(
        reverse("account_signup"), {"username": "intruder", "phone": "13800138000", "password1": "a very long sentence"}
    )
    assert not User.objects.exists()


def test_a_worker_changes_the_number_by_proving_the_new_one(
    client: Client, outbox: Outbox, worker: WorkerMaker
) -> None:
    made = worker()
    client.force_login(made.user)
    client.post(reverse("account_change_phone"), {"phone": "13900139000"})
    assert User.objects.get(pk=made.user_id).phone == made.user.phone
    assert client.get(reverse("account_verify_phone")).status_code == 200
    client.post(reverse("account_verify_phone"), {"code": outbox.sent[-1][1]})
    assert User.objects.get(pk=made.user_id).phone == "+8613900139000"


def test_the_number_of_another_account_cannot_be_taken(client: Client, outbox: Outbox, worker: WorkerMaker) -> None:
    first, second = worker(), worker()
    client.force_login(second.user)
    client.post(reverse("account_change_phone"), {"phone": str(first.user.phone)})
    for _phone, code in outbox.sent:
        client.post(reverse("account_verify_phone"), {"code": code})
    assert User.objects.get(pk=second.user_id).phone == second.user.phone
    assert User.objects.get(pk=first.user_id).phone == first.user.phone


@pytest.mark.parametrize(
    "name",
    ["mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn", "mfa_generate_recovery_codes",
     "account_change_password", "account_reauthenticate", "mfa_edit_webauthn", "mfa_remove_webauthn"],
)  # fmt: skip
def test_the_pages_of_the_second_factor_open(client: Client, tree: UnionTree, post: PostMaker, name: str) -> None:
    staff = post(tree.zhongyuan)
    sign_in(client, str(staff.user.username))
    confirm_again(client)
    keys = []
    if name in {"mfa_edit_webauthn", "mfa_remove_webauthn"}:
        webauthn = Authenticator.Type.WEBAUTHN
        keys = [Authenticator.objects.create(user=staff.user, type=webauthn, data={"name": "钥匙"}).pk]
    elif name == "mfa_generate_recovery_codes":
        client.post(reverse("mfa_activate_totp"), {"code": current_code(totp_secret(client))})
    answer = client.get(reverse(name, args=keys))
    assert answer.status_code == 200
    assert "main-narrow" in answer.content.decode()


def test_a_deactivated_union_lets_nobody_act(client: Client, tree: UnionTree, post: PostMaker) -> None:
    staff = post(tree.zhongyuan, Role.CADRE)
    client.force_login(staff.user)
    tree.zhongyuan.is_active = False
    tree.zhongyuan.save()
    assert client.get(reverse("unions:inbox")).status_code == 403
    assert Staff.objects.with_scopes_disabled().filter(pk=staff.pk, is_active=True).exists()


def test_who_chose_a_password_goes_on_to_the_desk(client: Client, tree: UnionTree, post: PostMaker) -> None:
    person = post(tree.zhengzhou, Role.CADRE).user
    person.set_password("before-4-riders")
    person.save()
    client.post(reverse("account_login"), {"login": person.username, "password": "before-4-riders"})
    said = {"oldpassword": "before-4-riders", "password1": "after-4-riders!", "password2": "after-4-riders!"}
    response = client.post(reverse("account_change_password"), said)
    assert (response.status_code, response["Location"]) == (302, reverse("web:desk"))
