"""Cases to test with, taken down through the service as every page does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from yizhan.cases.facts import CaseFacts
from yizhan.cases.models import Case, CaseSource
from yizhan.cases.services.intake import submit_case
from yizhan.unions.models import Staff, Union, Worker

SHANGHAI = timezone(timedelta(hours=8))


def shanghai(*parts: int) -> datetime:
    """A moment by the clock on the wall."""
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type, misc]


def make_case(
    union: Union,
    *,
    kind: str = "need",
    title: str = "站点没有充电口",
    text: str = "送餐途中手机没电，附近驿站没有充电口",
    actor: Staff | None = None,
    worker: Worker | None = None,
    at: datetime | None = None,
    **facts: Any,
) -> Case:
    """A case of a union."""
    fields: dict[str, Any] = {
        "rights": {"about": "wages"},
        "wish": {"item": "雨衣"},
        "mediation": {"other_party": "配送公司"},
        "consultation": {"counterpart": "平台"},
    }.get(kind, {})
    contact = {} if actor or worker else {"contact_phone": "13800138000", "contact_name": "李师傅"}
    told = CaseFacts(kind=kind, title=title, text=text, **{"fields": fields, **contact, **facts})
    source = CaseSource.CADRE if actor else CaseSource.WORKER
    return submit_case(told, union=union, source=source, actor=actor, worker=worker, at=at)
