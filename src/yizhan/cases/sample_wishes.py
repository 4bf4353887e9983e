"""The sample city's wishes, sponsors, stock, roster and a consultation; called by the room's `sample_city`, harmless
twice, and marked 示例."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from django.utils import timezone

from yizhan.cases.models import Case, HelperKind, ItemOutcome, Meeting, PartySide, Sponsor, WishState
from yizhan.cases.models.case import OPEN_STATES, WORKED_ON, CaseState
from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

from .queries.counsel import slots_of
from .services import counsel, meetings, stock, wishes
from .services.roster import save_helper
from .services.sponsors import save_sponsor

_SPONSORS: Final = ("爱心超市（示例）", "暖心保险公司（示例）", "邻里修车行（示例）")
_STOCK: Final = (
    ("充电宝", "个", True, 40),
    ("雨衣", "件", False, 120),
    ("头盔", "顶", True, 25),
    ("藿香正气水", "盒", False, 60),
)
_NAMESPACE: Final = UUID("0192f1d0-7c5e-7000-8000-000000000006")


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Wishes in every state, things that are lent, a lawyer's duty and a consultation with tasks."""
    if Sponsor.rules.filter(union=union).exists():
        return
    _wishes(union)
    _stock(union, seed)
    _rights(union, actor)
    _meeting(union, actor)


def _wishes(union: Union) -> None:
    sponsors = [
        save_sponsor(union=union, actor=OPERATOR, name=name, contact_name="王经理", contact_phone=f"1390000000{number}")
        for number, name in enumerate(_SPONSORS)
    ]
    found = Case.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, kind="wish", offered_to=None, is_paused=False
    )
    fresh = list(found.filter(state__in=[CaseState.SUBMITTED, *WORKED_ON]).order_by("pk")[:8])
    for number, case in enumerate(fresh):
        title = str(case.fields.get("item", "")) or case.title
        wish = wishes.publish_wish(
            case, title=f"{title}（示例）", words="跑单用得上，谢谢好心人。（示例）", actor=OPERATOR
        )
        if number % 4 == 0:
            continue
        wishes.claim_wish(wish, sponsor=sponsors[number % len(sponsors)], actor=OPERATOR)
        if number % 4 == 2:
            delivered = wishes.deliver_wish(wish, words="已送到驿站（示例）", actor=OPERATOR)
            if case.worker and delivered.state == WishState.DELIVERED:
                wishes.thank_for_wish(delivered, worker=case.worker, words="很合用，谢谢！（示例）")
                wishes.publish_thanks(delivered, words="很合用，谢谢！（示例）", actor=OPERATOR)


def _stock(union: Union, seed: int) -> None:
    workers = list(
        Worker.objects.with_scopes_disabled()
        .filter(union__path__startswith=union.path)
        .select_related("user")
        .order_by("pk")[:6]
    )
    place = _place(union)
    for name, unit, is_lent, quantity in _STOCK:
        item = stock.make_item(
            union=union, actor=OPERATOR, name=f"{name}（示例）", unit=unit, is_lent=is_lent, quantity=quantity,
            place=place if name == "充电宝" else None, lent_days=3,
        )  # fmt: skip
        for number, worker in enumerate(workers[:4]):
            stock.issue_item(
                item, quantity=1, actor=OPERATOR, worker=worker,
                request_id=uuid5(_NAMESPACE, f"{seed} {name} {number}"),
                at=timezone.now() - timedelta(days=2 * number),
            )  # fmt: skip


def _place(union: Union) -> Place | None:
    places = Place.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, status=PlaceStatus.PUBLISHED
    )
    found: Place | None = places.select_related("union").order_by("pk").first()
    return found


def _rights(union: Union, actor: Staff) -> None:
    place = _place(union)
    helper = save_helper(
        post=actor, kind=HelperKind.LAWYER, hours="Mo-Fr 09:00-12:00,14:00-17:00", actor=OPERATOR,
        firm="同心律师事务所（示例）", place=place,
    )  # fmt: skip
    case = (
        Case.objects.with_scopes_disabled()
        .filter(union=union, kind="rights", state__in=OPEN_STATES, worker__isnull=False)
        .order_by("pk")
        .first()
    )
    if case is None:
        return
    words = ("合同和工资条我都有照片。（示例）", "请带上合同原件，我们当面谈。（示例）")
    try:
        counsel.write_message(case, text=words[0], request_id=uuid5(_NAMESPACE, f"{case.pk} 1"))
        counsel.write_message(case, text=words[1], request_id=uuid5(_NAMESPACE, f"{case.pk} 2"), actor=actor)
        slots = slots_of(helper, since=timezone.now() + timedelta(hours=12))
        if slots and place is not None:
            counsel.book_appointment(case, helper=helper, starts_at=slots[0].starts_at, words="带合同（示例）")
    except (RuleBroken, NotAllowed):
        return  # the actor is not in the circle of that case


def _meeting(union: Union, actor: Staff) -> None:
    if Meeting.objects.with_scopes_disabled().filter(union=union).exists():
        return
    at = timezone.now().replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=12)
    meeting = meetings.plan_meeting(
        union=union, title="外卖配送单价集体协商（示例）", starts_at=at, where="市总工会三楼（示例）", actor=actor,
        chair=actor if actor.role == Role.ADMINISTRATOR else None,
    )  # fmt: skip
    meetings.add_party(meeting, side=PartySide.WORKERS, body=union.name, person="骑手代表（示例）", actor=actor)
    meetings.add_party(meeting, side=PartySide.COMPANY, body="外卖平台城市公司（示例）", person="王经理", actor=actor)
    cases = Case.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, kind="consultation", state__in=[CaseState.SUBMITTED, *WORKED_ON]
    )
    items = [
        meetings.add_item(meeting, actor=actor, case=case, proposal="恶劣天气每单加一元（示例）")
        for case in cases.select_related("union").order_by("pk")[:2]
    ]
    items.append(meetings.add_item(meeting, actor=actor, title="取餐超时不扣款（示例）"))
    for item in items:
        meetings.decide_item(
            item, actor=actor, outcome=ItemOutcome.AGREED, proposal=item.proposal, reply="同意（示例）",
            result="平台下月起执行（示例）",
        )  # fmt: skip
    meetings.record_agreement(
        meeting,
        text="双方同意以上事项，平台每季度通报执行情况。（示例）",
        agreed_on=timezone.localdate(at),
        actor=actor,
    )
    due = timezone.localdate() + timedelta(days=30)
    meetings.follow_up(items[-1], title="核对平台执行情况（示例）", actor=actor, responsible=actor, deadline=due)
