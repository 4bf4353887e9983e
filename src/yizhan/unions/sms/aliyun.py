"""Codes through Aliyun's short message service, by its own SDK.

Untested live: tested against the published JSON answers on a local stub, never with a real account. The template needs
one variable, `${code}`.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from . import SmsFailed

# https://help.aliyun.com/zh/sms/developer-reference/api-error-codes: what time alone mends.
_PASSING = {
    "isv.BUSINESS_LIMIT_CONTROL",
    "isp.SYSTEM_ERROR",
    "isv.DAY_LIMIT_CONTROL",
    "Throttling",
    "ServiceUnavailable",
}


class AliyunSender:
    """Sends by the action `SendSms` of the API version 2017-05-25."""

    name = "aliyun"
    needed_options: ClassVar = ["access_key_id", "access_key_secret", "sign_name", "template_code"]
    optional_options: ClassVar = ["endpoint", "protocol", "notice_template_code"]

    def __init__(
        self,
        *,
        access_key_id: str,
        access_key_secret: str,
        sign_name: str,
        template_code: str,
        endpoint: str = "dysmsapi.aliyuncs.com",
        protocol: str = "https",
        notice_template_code: str = "",
    ) -> None:
        from alibabacloud_dysmsapi20170525.client import Client
        from alibabacloud_tea_openapi.utils_models import Config

        self._sign_name, self._template_code = sign_name, template_code
        self._notice_template_code = notice_template_code
        self._client: Any = Client(
            Config(
                access_key_id=access_key_id,
                access_key_secret=access_key_secret,
                endpoint=endpoint,
                protocol=protocol,
                connect_timeout=5000,
                read_timeout=5000,
            )
        )

    def send_code(self, *, phone: str, code: str) -> None:
        """Send the code.

        Raises:
            SmsFailed: Aliyun answered with another code than `OK`, or did not answer.
        """
        self._send(phone, self._template_code, {"code": code})

    def send_notice(self, *, phone: str, number: str, state: str) -> bool:
        """Tell what became of a case; the template needs `${number}` and `${state}`. False: no template is configured.

        Raises:
            SmsFailed: as for codes.
        """
        if not self._notice_template_code:
            return False
        self._send(phone, self._notice_template_code, {"number": number, "state": state})
        return True

    def _send(self, phone: str, template: str, values: dict[str, str]) -> None:
        from alibabacloud_dysmsapi20170525.models import SendSmsRequest
        from alibabacloud_tea_openapi.exceptions import ClientException
        from darabonba.exceptions import DaraException, UnretryableException  # type: ignore[import-untyped]
        from darabonba.runtime import RuntimeOptions  # type: ignore[import-untyped]

        request = SendSmsRequest(
            phone_numbers=phone.removeprefix("+86") if phone.startswith("+86") else phone.removeprefix("+"),
            sign_name=self._sign_name,
            template_code=template,
            template_param=json.dumps(values, ensure_ascii=False),
        )
        try:
            answer = self._client.send_sms_with_options(request, RuntimeOptions(autoretry=False))
        except (ClientException, DaraException) as refusal:
            reason = str(getattr(refusal, "code", None) or type(refusal).__name__)
            raise SmsFailed(reason, try_again_later=reason.split(".")[0] in _PASSING) from None
        except (OSError, UnretryableException) as failure:
            # Its text holds the whole request, the number included: only its kind is passed on.
            raise SmsFailed(type(failure).__name__, try_again_later=True) from None
        if answer.body.code != "OK":
            reason = str(answer.body.code)
            raise SmsFailed(reason, try_again_later=reason in _PASSING)
