"""The sample city's links, visits, rounds and task ledger; called by the room's `sample_city`, harmless twice."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from yizhan.cases.models import GroupApp, Link, Project, Visit, VisitKind
from yizhan.cases.services import ledger, task_passes
from yizhan.cases.services.hand_overs import offer_links
from yizhan.cases.services.links import LinkEnd, make_link, save_card, set_target
from yizhan.cases.services.rounds import StopFacts, order_stops, plan_round
from yizhan.cases.services.visits import save_visit
from yizhan.cases.visits.facts import NeedFacts, VisitFacts
from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import OPERATOR, Role

_COMPANIES: Final = ("美团（示例）", "饿了么（示例）", "顺丰（示例）", "滴滴（示例）", "")
_WORDS: Final = (
    "聊了夏天高温和跑单时间，想要站点多备一些冰块。（示例）",
    "车停在楼下没有地方充电，租房合同下个月到期。（示例）",
    "刚来郑州三个月，还不知道驿站在哪里。（示例）",
    "孩子暑假没人带，想参加夏令营。（示例）",
    "",
)
_NEEDS: Final = ("站点没有电动车充电口（示例）", "想要一件雨衣（示例）", "中午没有地方吃热饭（示例）")
_WHERE: Final = {
    VisitKind.HOME: "小哥租住的小区（示例）",
    VisitKind.GROUP: "金水骑手一群（示例）",
    VisitKind.HEART: "站点长椅上（示例）",
    VisitKind.ENTERPRISE: "配送站（示例）",
    VisitKind.STATION: "工会驿站（示例）",
}
_TASKS: Final = (
    ("走访小哥 3000 人次", 3000, "人次", "问题清单", 37),  # days from today
    ("每个街道建好小哥微信群", 40, "个", "问题清单", 21),
    ("站点充电口改造", None, "", "服务清单", -9),
    ("冬季送温暖", None, "", "服务清单", 60),
)


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Links, visits, a round and a project for `union` and a district below; returns at once where there are some."""
    if Project.objects.with_scopes_disabled().filter(union=union).exists():
        return
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    posts = [actor, *_cadres(union)]
    _link(posts, chance)
    _visit(posts, chance)
    _plan(posts, chance)
    _ledger(union, actor, posts[1:])


def _cadres(union: Union) -> list[Staff]:
    found = Staff.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, is_active=True, role__in=[Role.CADRE]
    )
    return list(found.select_related("union", "user").order_by("pk"))


def _link(posts: list[Staff], chance: random.Random) -> None:
    set_target(actor=OPERATOR, union=posts[0].union, units=8, workers=30, groups=2)
    for number, post in enumerate(posts):
        below = Union.objects.filter(path__startswith=post.union.path, is_active=True, depth=post.union.depth + 1)
        for union in below.order_by("division_code")[: 6 - 2 * number]:
            make_link(actor=OPERATOR, post=post, end=LinkEnd(union=union))
        workers = Worker.objects.with_scopes_disabled().filter(union__path__startswith=post.union.path)
        for worker in workers.select_related("union", "user").order_by("pk")[: 24 - 6 * number]:
            make_link(actor=OPERATOR, post=post, end=LinkEnd(worker=worker))
        for group in range(2):
            name = f"{post.union.name[:2]}小哥{group + 1}群（示例）"
            end = LinkEnd(group_name=name, group_app=GroupApp.WECHAT, group_size=chance.randint(60, 420))
            make_link(actor=OPERATOR, post=post, end=end)
        save_card(actor=post, phone="", shows_phone=False, hours="工作日 9:00-17:00")
    if len(posts) > 1:
        groups = list(Link.objects.with_scopes_disabled().filter(post=posts[0], kind="group")[:1])
        offer_links(actor=posts[0], from_post=posts[0], to_post=posts[1], links=groups, reason="分片调整（示例）")


def _visit(posts: list[Staff], chance: random.Random) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    for post in posts:
        links = Link.objects.with_scopes_disabled().filter(post=post, worker__isnull=False)
        workers = [link.worker for link in links.select_related("worker").order_by("pk")]
        for number in range(9):
            kind = list(VisitKind)[number % len(VisitKind)]
            at = now - timedelta(days=number * 5 + chance.randint(0, 3), hours=chance.randint(1, 6))
            met = chance.sample(workers, min(len(workers), chance.randint(0, 3)))
            request_id = UUID(int=chance.getrandbits(128), version=4)
            need = NeedFacts(
                client_id=UUID(int=chance.getrandbits(128), version=4),
                title=_NEEDS[number % len(_NEEDS)],
                worker=met[0].public_id if met else None,
            )
            facts = VisitFacts(
                kind=str(kind),
                at=at,
                where=_WHERE[kind],
                minutes=chance.choice((15, 20, 40, 60)),
                company=chance.choice(_COMPANIES),
                people=[worker.public_id for worker in met if worker],
                counted=chance.randint(0, 12),
                words=chance.choice(_WORDS),
            )
            save_visit(
                actor=post,
                client_id=request_id,
                request_id=request_id,
                base=0,
                facts=facts,
                needs=[need] if number % 4 == 0 else [],
            )


def _plan(posts: list[Staff], chance: random.Random) -> None:
    post = posts[-1]
    places = list(
        Place.objects.with_scopes_disabled().filter(
            union__path__startswith=post.union.path, status=PlaceStatus.PUBLISHED
        )[:40]
    )
    stops = [
        StopFacts(kind=VisitKind.STATION, place=place, note="看防寒物资（示例）")
        for place in chance.sample(places, min(7, len(places)))
    ]
    planned = plan_round(actor=post, title="冬季走站（示例）", day=timezone.localdate(), stops=stops)
    order_stops(actor=post, planned=planned)


def _ledger(union: Union, actor: Staff, cadres: list[Staff]) -> None:
    year = timezone.localdate().year
    project = ledger.make_project(
        actor=actor,
        union=union,
        name=f"{year}年“三走进”（示例）",
        purpose="走进家里、走进群里、走进心里，把问题清单变成成效清单。",
        begins_on=date(year, 1, 1),
        ends_on=date(year, 12, 31),
        lists=("问题清单", "服务清单"),
    )
    for title, target, unit, list_name, days in _TASKS:
        task_list = ledger.make_list(actor=actor, project=project, name=list_name)
        due = timezone.localdate() + timedelta(days=days)
        task = ledger.make_task(
            actor=actor,
            task_list=task_list,
            facts=ledger.TaskFacts(title=title, target=target, unit=unit, deadline=due, responsible=actor),
        )
        ledger.add_milestone(actor=actor, task=task, title="摸底", due_on=due - timedelta(days=60))
        if target is None:
            ledger.tell_progress(actor=actor, task=task, percent=40 if days > 0 else 75, words="正在推进（示例）")
            continue
        below = {cadre.union_id: cadre for cadre in cadres if cadre.union_id != union.pk}
        unions = Union.objects.filter(path__startswith=union.path, depth=union.depth + 1, is_active=True)[:4]
        chosen = {each.pk: each for each in [*unions, *(cadre.union for cadre in below.values())]}
        offers = task_passes.pass_down(
            actor=actor, task=task, unions=list(chosen.values()), target=target // len(chosen), words="分解到区（示例）"
        )
        for number, offer in enumerate(offers):
            cadre = below.get(offer.to_union_id)
            if number == len(offers) - 1 and cadre is None:
                continue  # one that waits
            part = task_passes.accept_task(actor=OPERATOR, offer=offer, responsible=cadre)
            done = target // len(chosen) * (number + 2) // 6
            ledger.tell_progress(actor=OPERATOR, task=part, done_count=done, words="已完成一批（示例）")
            for visit in Visit.objects.with_scopes_disabled().filter(union=part.union).order_by("pk")[:5]:
                ledger.add_evidence(actor=OPERATOR, task=part, title="", visit=visit)
