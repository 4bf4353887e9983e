"""Codes through Tencent Cloud's short message service, by its own SDK.

Untested live: tested against the published JSON answers on a local stub, never with a real account. The template needs
one variable, `{1}`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from . import SmsFailed

# https://cloud.tencent.com/document/api/382/55981: what time alone mends.
_PASSING_BEGINNINGS = ("LimitExceeded", "InternalError", "RequestLimitExceeded", "ClientNetworkError")


class TencentSender:
    """Sends by the action `SendSms` of the API version 2021-01-11."""

    name = "tencent"
    needed_options: ClassVar = ["secret_id", "secret_key", "app_id", "sign_name", "template_id"]
    optional_options: ClassVar = ["region", "endpoint", "protocol", "notice_template_id"]

    def __init__(
        self,
        *,
        secret_id: str,
        secret_key: str,
        app_id: str,
        sign_name: str,
        template_id: str,
        region: str = "ap-guangzhou",
        endpoint: str = "sms.tencentcloudapi.com",
        protocol: str = "https",
        notice_template_id: str = "",
    ) -> None:
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile
        from tencentcloud.sms.v20210111.sms_client import SmsClient

        self._app_id, self._sign_name, self._template_id = app_id, sign_name, template_id
        self._notice_template_id = notice_template_id
        http = HttpProfile(protocol=protocol, endpoint=endpoint, reqTimeout=5)
        self._client: Any = SmsClient(Credential(secret_id, secret_key), region, ClientProfile(httpProfile=http))

    def send_code(self, *, phone: str, code: str) -> None:
        """Send the code.

        Raises:
            SmsFailed: Tencent answered with an error, or with another status than `Ok`, or did not answer.
        """
        self._send(phone, self._template_id, [code])

    def send_notice(self, *, phone: str, number: str, state: str) -> bool:
        """Tell what became of a case; the template needs `{1}` (number) and `{2}` (state). False: none is configured.

        Raises:
            SmsFailed: as for codes.
        """
        if not self._notice_template_id:
            return False
        self._send(phone, self._notice_template_id, [number, state])
        return True

    def _send(self, phone: str, template: str, values: list[str]) -> None:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
        from tencentcloud.sms.v20210111.models import SendSmsRequest

        request = SendSmsRequest()
        request.SmsSdkAppId = self._app_id
        request.SignName = self._sign_name
        request.TemplateId = template
        request.TemplateParamSet = values
        request.PhoneNumberSet = [phone]
        try:
            answer = self._client.SendSms(request)
        except TencentCloudSDKException as refusal:
            raise self._failed(str(refusal.code)) from None
        status = answer.SendStatusSet[0]
        if status.Code != "Ok":
            raise self._failed(str(status.Code))

    @staticmethod
    def _failed(reason: str) -> SmsFailed:
        return SmsFailed(reason, try_again_later=reason.startswith(_PASSING_BEGINNINGS))
