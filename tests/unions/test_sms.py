"""The SMS providers' own SDKs against a local server that speaks their published JSON; never a real account."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from yizhan.unions import sms
from yizhan.unions.sms import SmsFailed


class Provider(ThreadingHTTPServer):
    """Answers every call as told, and keeps what was asked."""

    answer: dict[str, Any]
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append({"headers": dict(self.headers), "query": query, "body": body})
        answer = json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def aliyun(provider: Provider, settings: Settings) -> sms.SmsSender:
    settings.SMS_BACKEND = "aliyun"
    settings.SMS_OPTIONS = {
        "access_key_id": "id", "access_key_secret": "secret", "sign_name": "工会驿站", "template_code": "SMS_1",
        "endpoint": provider.endpoint, "protocol": "http",
    }  # fmt: skip
    return sms.sender()


@pytest.fixture
def tencent(provider: Provider, settings: Settings) -> sms.SmsSender:
    settings.SMS_BACKEND = "tencent"
    settings.SMS_OPTIONS = {
        "secret_id": "id", "secret_key": "secret", "app_id": "1400006666", "sign_name": "工会驿站",
        "template_id": "1110", "endpoint": provider.endpoint, "protocol": "http",
    }  # fmt: skip
    return sms.sender()


def test_aliyun_is_asked_to_send_the_code(aliyun: sms.SmsSender, provider: Provider) -> None:
    provider.answer = {"Message": "OK", "RequestId": "R", "BizId": "1", "Code": "OK"}
    aliyun.send_code(phone="+8613812345678", code="123456")
    asked = provider.asked[0]
    assert asked["headers"]["x-acs-action"] == "SendSms"
    assert asked["headers"]["x-acs-version"] == "2017-05-25"
    assert asked["headers"]["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=id")
    assert asked["query"]["PhoneNumbers"] == "13812345678"
    assert asked["query"]["SignName"] == "工会驿站"
    assert json.loads(asked["query"]["TemplateParam"]) == {"code": "123456"}


@pytest.mark.parametrize(("code", "later"), [("isv.BUSINESS_LIMIT_CONTROL", True), ("isv.SMS_TEMPLATE_ILLEGAL", False)])
def test_a_refusal_by_aliyun_names_its_reason(
    aliyun: sms.SmsSender, provider: Provider, code: str, later: bool
) -> None:
    provider.answer = {"Message": "触发小时级流控", "RequestId": "R", "Code": code}
    with pytest.raises(SmsFailed) as failed:
        aliyun.send_code(phone="+8613812345678", code="123456")
    assert (failed.value.reason, failed.value.try_again_later) == (code, later)


@pytest.mark.parametrize(
    ("status", "code", "later"), [(404, "InvalidAccessKeyId.NotFound", False), (503, "ServiceUnavailable", True)]
)
def test_an_error_of_aliyuns_gateway_names_its_reason(
    aliyun: sms.SmsSender, provider: Provider, status: int, code: str, later: bool
) -> None:
    provider.status = status
    provider.answer = {"Code": code, "Message": "13812345678 …", "RequestId": "R", "HostId": "dysmsapi.aliyuncs.com"}
    with pytest.raises(SmsFailed) as failed:
        aliyun.send_code(phone="+8613812345678", code="123456")
    assert (failed.value.reason, failed.value.try_again_later) == (code, later)
    assert "13812345678" not in str(failed.value)


def test_tencent_is_asked_to_send_the_code(tencent: sms.SmsSender, provider: Provider) -> None:
    provider.answer = {
        "Response": {"SendStatusSet": [{"SerialNo": "1", "PhoneNumber": "+8613812345678", "Fee": 1,
                                        "SessionContext": "", "Code": "Ok", "Message": "send success"}],
                     "RequestId": "R"}
    }  # fmt: skip
    tencent.send_code(phone="+8613812345678", code="123456")
    asked = provider.asked[0]
    assert {name.lower(): value for name, value in asked["headers"].items()}["x-tc-action"] == "SendSms"
    assert asked["headers"]["Authorization"].startswith("TC3-HMAC-SHA256 Credential=id/")
    body = json.loads(asked["body"])
    assert body["PhoneNumberSet"] == ["+8613812345678"]
    assert body["TemplateParamSet"] == ["123456"]
    assert (body["SmsSdkAppId"], body["SignName"], body["TemplateId"]) == ("1400006666", "工会驿站", "1110")


@pytest.mark.parametrize(
    ("code", "later"),
    [("LimitExceeded.PhoneNumberDailyLimit", True), ("FailedOperation.SignatureIncorrectOrUnapproved", False)],
)
def test_a_refusal_by_tencent_names_its_reason(
    tencent: sms.SmsSender, provider: Provider, code: str, later: bool
) -> None:
    provider.answer = {
        "Response": {"SendStatusSet": [{"SerialNo": "", "PhoneNumber": "+8613812345678", "Fee": 0,
                                        "SessionContext": "", "Code": code, "Message": "no"}],
                     "RequestId": "R"}
    }  # fmt: skip
    with pytest.raises(SmsFailed) as failed:
        tencent.send_code(phone="+8613812345678", code="123456")
    assert (failed.value.reason, failed.value.try_again_later) == (code, later)


def test_an_error_of_tencents_gateway_names_its_reason(tencent: sms.SmsSender, provider: Provider) -> None:
    provider.answer = {
        "Response": {"Error": {"Code": "AuthFailure.SecretIdNotFound", "Message": "13812345678"}, "RequestId": "R"}
    }
    with pytest.raises(SmsFailed) as failed:
        tencent.send_code(phone="+8613812345678", code="123456")
    assert failed.value.reason == "AuthFailure.SecretIdNotFound"
    assert "13812345678" not in str(failed.value)


@pytest.mark.parametrize("which", ["aliyun", "tencent"])
def test_a_provider_that_cannot_be_reached_is_tried_again_later(
    which: str, request: pytest.FixtureRequest, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    with socket.socket() as unused:  # a port on which nobody listens
        unused.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setattr(Provider, "endpoint", closed)
    sender: sms.SmsSender = request.getfixturevalue(which)
    with pytest.raises(SmsFailed) as failed:
        sender.send_code(phone="+8613812345678", code="123456")
    assert failed.value.try_again_later


def test_missing_and_unknown_options_are_named(settings: Settings) -> None:
    settings.SMS_BACKEND = "aliyun"
    settings.SMS_OPTIONS = {"access_key_id": "id"}
    with pytest.raises(ImproperlyConfigured, match="access_key_secret, sign_name, template_code"):
        sms.sender()
    settings.SMS_OPTIONS = dict.fromkeys(["access_key_id", "access_key_secret", "sign_name", "template_code"], "x") | {
        "colour": "red"
    }
    with pytest.raises(ImproperlyConfigured, match="colour"):
        sms.sender()


def test_the_log_shows_the_code_but_not_the_number(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.SMS_BACKEND, settings.SMS_OPTIONS = "log", {}
    sms.sender().send_code(phone="+8613812345678", code="123456")
    assert "123456" in caplog.text
    assert "no SMS provider" in caplog.text
    assert "13812345678" not in caplog.text
