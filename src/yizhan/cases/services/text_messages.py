"""Text messages to whoever brought a case: taken on, refused, result proposed; never what it is about."""

from __future__ import annotations

from typing import Final

from yizhan.cases.models import Case, CaseEventKind
from yizhan.unions.sms import sender

WORTH_TELLING: Final = (CaseEventKind.ACCEPTED, CaseEventKind.REFUSED, CaseEventKind.PROPOSED)
_WORDS: Final = {
    CaseEventKind.ACCEPTED: "已受理",
    CaseEventKind.REFUSED: "未受理，请查看理由",
    CaseEventKind.PROPOSED: "已办结，请评价",
}
NEWS: Final = {
    "message": "有新留言，请查看",
    "appointment": "一天内有面谈，请查看",
    "call": "已按电话回访登记，如与您所说不符，请查看",
}


def text_news(case_id: int, news: str) -> bool:
    """Send word of a message or an appointment; False when the person left no number, or no template is configured.

    Raises:
        SmsFailed: the provider did not take it.
    """
    case = Case.objects.with_scopes_disabled().select_related("worker__user").get(pk=case_id)
    phone = case.worker.user.phone if case.worker else case.contact_phone
    if not phone:
        return False
    return sender().send_notice(phone=phone, number=case.number, state=NEWS[news])


def text_worker(case_id: int, kind: str) -> bool:
    """Send the message for a step; False when the person left no number, or no template is configured.

    Raises:
        SmsFailed: the provider did not take it.
    """
    case = Case.objects.with_scopes_disabled().select_related("worker__user").get(pk=case_id)
    phone = case.worker.user.phone if case.worker else case.contact_phone
    if not phone:
        return False
    return sender().send_notice(phone=phone, number=case.number, state=_WORDS[CaseEventKind(kind)])
