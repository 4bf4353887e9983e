"""Sample cases for a sample city: about 150 in every state, all through the services and all marked 示例."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import OPERATOR

from .facts import CaseFacts
from .kinds import house_kinds
from .models import By, Case, CaseEventKind, CaseSource, CaseState
from .queries.people import handlers_at, with_handlers
from .services.clock import watch_cases
from .services.history import History, PastStep, take_over
from .services.joining import merge_case
from .services.kinds import create_client, intake_code

_K = CaseEventKind
_CASES: Final = 150
# Kind, title, text, fields, what came of it.
_TOLD: Final[tuple[tuple[str, str, str, dict[str, object], str], ...]] = (
    ("need", "驿站充电口不够用", "午高峰排队充电，四个插座坏了两个。", {"about": "rest"}, "已更换插座并加装一排充电口"),
    (
        "need",
        "小区门口没有地方停电动车",
        "送餐时停车被贴条，希望划出临时停车位。",
        {"about": "traffic"},
        "与街道协商，划定十五个临时车位",
    ),
    (
        "need",
        "孩子上学办不了手续",
        "外地户口，不知道需要准备哪些材料。",
        {"about": "children"},
        "已联系教育部门，材料清单已送到本人手上",
    ),
    ("need", "想参加免费体检", "跑单三年没有体检过，腰一直疼。", {"about": "health"}, "已安排工会体检，报告由医生讲解"),
    ("need", "夏天送件太热", "希望驿站多备一些藿香正气水和冰块。", {"about": "rest"}, "驿站已配防暑药品和制冰机"),
    ("need", "想考驾驶证升级", "想学习大车驾驶，问有没有补贴。", {"about": "training"}, "已报名求学圆梦补贴班"),
    ("wish", "想要一件雨衣", "原来的雨衣破了。", {"item": "雨衣"}, "爱心企业已送达雨衣"),
    ("wish", "想要一个头盔", "头盔裂了一道缝。", {"item": "头盔", "worth": 12000}, "已送达新头盔"),
    ("wish", "想给孩子一个书包", "孩子九月上一年级。", {"item": "书包"}, "书包和文具已送到"),
    (
        "rights",
        "站点拖欠两个月报酬",
        "五月和六月的配送费没有结清。",
        {"about": "wages", "amount": 860000},
        "经协商，站点已补发",
    ),
    (
        "rights",
        "送餐途中受伤无人认账",
        "左臂骨折，平台和站点互相推。",
        {"about": "injury"},
        "法律援助律师已代理，认定程序启动",
    ),
    ("mediation", "与站长因罚款争执", "超时罚款没有依据，希望调解。", {"other_party": "配送站点"}, "双方签订调解协议"),
    ("suggestion", "驿站晚上关门太早", "夜班骑手十点以后没有地方歇脚。", {}, "三处驿站延长至凌晨一点"),
    ("suggestion", "地图上标出可以加热饭的驿站", "找微波炉要跑好几家。", {}, "地图已能按微波炉筛选"),
    (
        "consultation",
        "单价三年没有涨",
        "希望工会与平台协商配送单价。",
        {"counterpart": "外卖平台", "people": 320},
        "已列入集体协商议题并达成约定",
    ),
    ("station_fault", "驿站饮水机不出水", "上午去没有热水。", {}, "滤芯已更换"),
)
_NAMES: Final = ("赵刚", "钱丽", "孙伟", "李强", "周涛", "吴敏", "郑勇", "王磊", "冯军", "陈霞")


def make_sample_cases(union: Union, *, seed: int) -> int:
    """Take over sample cases at `union` and below, led into every state.

    Args:
        union: Where; unions with people take turns.
        seed: The same one makes the same cases.

    Returns:
        How many there are; 0 when nobody handles cases there, or some are there already.
    """
    if Case.objects.with_scopes_disabled().filter(union__path__startswith=union.path).exists():
        return 0
    homes = [home for home in with_handlers() if home.path.startswith(union.path)]
    if not homes:
        return 0
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    workers = list(Worker.objects.with_scopes_disabled().filter(union__path__startswith=union.path)[:20])
    published = Place.objects.with_scopes_disabled().filter(status=PlaceStatus.PUBLISHED)
    places = list(published.filter(union__path__startswith=union.path)[:30])
    people = {home.pk: list(handlers_at(home)) for home in homes}
    histories = [_one(number, homes, people, workers, places, chance) for number in range(_CASES)]
    made = take_over(histories, union=union, actor=OPERATOR)
    _join(made)
    create_client(union, name="城市热线平台（示例）", actor=OPERATOR)
    intake_code(union, actor=OPERATOR)
    watch_cases()
    return len(made)


def _one(
    number: int,
    homes: Sequence[Union],
    people: Mapping[int, Sequence[Staff]],
    workers: Sequence[Worker],
    places: Sequence[Place],
    chance: random.Random,
) -> History:
    kind, title, text, fields, result = _TOLD[number % len(_TOLD)]
    worker = chance.choice(workers) if workers and chance.random() < 0.6 else None
    phone = f"139{chance.randrange(10**8):08d}"
    facts = CaseFacts(
        kind=kind,
        title=f"{title}（示例）",
        text=f"{text}（示例）",
        fields=fields,
        place=chance.choice(places) if places and kind in {"station_fault", "suggestion"} else None,
        contact_name="" if worker else chance.choice(_NAMES),
        contact_phone="" if worker else phone,
    )
    home = homes[number % len(homes)]
    age = timedelta(days=chance.uniform(0.05, 60))
    return History(
        facts=facts,
        union=home,
        source=chance.choice((CaseSource.WORKER, CaseSource.QR, CaseSource.HOTLINE, CaseSource.VISIT)),
        worker=worker,
        at=timezone.now() - age,
        steps=list(_steps(kind, f"{text}{result}（示例）", home, homes, people, age, chance)),
    )


def _steps(
    kind: str,
    result: str,
    home: Union,
    homes: Sequence[Union],
    people: Mapping[int, Sequence[Staff]],
    age: timedelta,
    chance: random.Random,
) -> Iterator[PastStep]:
    """As far as its age and chance allow: most are done, some wait, some are late."""
    fate = chance.random()
    actor = chance.choice(people[home.pk])
    begin = timezone.now() - age
    if age < timedelta(days=1.5) or fate < 0.06:
        return

    def after(share: float) -> datetime:
        return begin + min(age * share, timedelta(days=14 * share))

    if fate < 0.11:
        yield PastStep(_K.REFUSED, after(0.05), actor, words="不属于工会职责，已告知应找的部门（示例）")
        return
    is_secret = house_kinds()[kind].is_confidential
    others = [other for other in homes if other.pk != home.pk]
    if fate < 0.15 and others and not is_secret:
        other = chance.choice(others)
        yield PastStep(_K.TRANSFER_OFFERED, after(0.04), actor, words="事发地在你处（示例）", data={"union": other.pk})
        if fate < 0.13:
            return
        actor = people[other.pk][0]
        yield PastStep(_K.TRANSFER_ACCEPTED, after(0.08), actor, data={"union": other.pk})
    yield PastStep(_K.ACCEPTED, after(0.1), actor)
    if fate < 0.16:
        return
    yield PastStep(_K.ASSIGNED, after(0.1), actor, data={"handler": actor.pk})
    if fate < 0.2:
        return
    yield PastStep(_K.PROGRESS, after(0.3), actor, words="已联系有关单位，正在办理（示例）")
    if fate < 0.27:
        yield from _left_open(fate, actor, None if is_secret or not others else others[0], after(0.45))
    else:
        yield from _finished(fate, actor, result, chance, is_secret, [after(0.6 + step / 10) for step in range(4)])


def _left_open(fate: float, actor: Staff, helper: Union | None, at: datetime) -> Iterator[PastStep]:
    if fate < 0.22:
        yield PastStep(_K.PAUSED, at, actor, words="等对方单位书面答复（示例）")
    elif fate < 0.24:
        yield PastStep(_K.SUPERVISED, at, actor, words="请本周内办结（示例）", data={"union": actor.union_id})
    elif helper is not None:
        yield PastStep(_K.CO_HANDLER_ADDED, at, actor, words="请协助核实（示例）", data={"union": helper.pk})


def _finished(
    fate: float, actor: Staff, result: str, chance: random.Random, is_secret: bool, moments: Sequence[datetime]
) -> Iterator[PastStep]:
    proposed, reopened, again, judged = moments
    yield PastStep(_K.PROPOSED, proposed, actor, words=result)
    if fate < 0.34:
        return
    if fate < 0.42:
        yield PastStep(_K.REOPENED, reopened, by=By.WORKER, words="只解决了一部分（示例）")
        if fate < 0.37:
            return
        yield PastStep(_K.PROPOSED, again, actor, words=result)
    if fate < 0.9:
        stars = chance.choice((5, 5, 5, 4, 4, 3))
        yield PastStep(_K.CONFIRMED, judged, by=By.WORKER, words="谢谢（示例）", data={"stars": stars})
        if not is_secret and chance.random() < 0.25:
            headline = result.split("。")[-1][:40]
            yield PastStep(_K.PUBLISHED, judged, actor, words=result, data={"title": headline})


def _join(cases: Sequence[Case]) -> None:
    """Two that told the same become one."""
    fresh = Case.objects.with_scopes_disabled().filter(
        pk__in=[case.pk for case in cases], state=CaseState.SUBMITTED, is_confidential=False, offered_to=None
    )
    by_title: dict[tuple[str, int], Case] = {}
    for case in fresh.select_related("union").order_by("pk"):
        first = by_title.setdefault((case.title, case.union_id), case)
        if first.pk != case.pk:
            merge_case(case, into=first, actor=OPERATOR, words="同一件事（示例）")
            return
