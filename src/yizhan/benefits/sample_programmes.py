"""What the demo shows of programmes: nine-yuan, ten-yuan and one-yuan meals at the city's rider restaurants.

Everything is marked 示例. Meals of the last days are eaten through the same service as at a counter.
"""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from yizhan.places.models import Place, PlaceKind, PlaceStatus
from yizhan.unions.models import Membership, Staff, Union, User, Worker
from yizhan.unions.rights import OPERATOR

from .clock import SHANGHAI
from .models import AccountKind, Allotment, BenefitOffer, PartyKind, Programme, ProgrammeState, Span
from .refusals import Refused
from .services.budgets import set_budget
from .services.exclusions import appeal, exclude
from .services.ledger import account_of
from .services.lotteries import enter, open_lottery
from .services.offers import set_offer
from .services.programmes import PeriodFacts, ProgrammeFacts, create_programme, step_programme
from .services.redeeming import redeem
from .services.sealing import seal_all
from .split import Part

_RIDERS: Final = 60
_DAYS: Final = 8
_MEALS_A_DAY: Final = 26
_COMPANIES: Final = ("示例外卖", "示例快送", "示例快递")
_FAMILY: Final = "王李张刘陈杨赵黄周吴"
_GIVEN: Final = ("建军", "伟", "强", "海涛", "小磊", "志刚", "俊杰", "浩", "鹏飞", "春生")
_PERIODS: Final = (PeriodFacts("早餐", 360, 570), PeriodFacts("午餐", 630, 870), PeriodFacts("晚餐", 1020, 1230))


def fill_programmes(union: Union, *, actor: Staff, seed: int) -> None:
    """Three programmes with offers, budgets and a week of meals, and a draft; harmless when called twice."""
    if Programme.objects.with_scopes_disabled().filter(union__path__startswith=union.path).exists():
        return
    places = list(
        Place.objects.with_scopes_disabled()
        .filter(union__path__startswith=union.path, kind=PlaceKind.RESTAURANT, status=PlaceStatus.PUBLISHED)
        .select_related("union")
        .order_by("pk")
    )
    if not places:
        return
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    riders = _make_riders(union, chance)
    offers = _make_programmes(union, places)
    _let_eat(offers, riders, chance)
    _make_the_rest(union, places, riders)
    seal_all()


def _make_riders(union: Union, chance: random.Random) -> list[Worker]:
    homes = [union, *Union.objects.filter(path__startswith=union.path, level="district")]
    people = User.objects.bulk_create(
        User(name=f"{chance.choice(_FAMILY)}{chance.choice(_GIVEN)}（示例）") for _number in range(_RIDERS)
    )
    riders: list[Worker] = Worker.objects.with_scopes_disabled().bulk_create(
        Worker(
            user=person,
            union=chance.choice(homes),
            occupation=chance.choices(["food_rider", "courier", "sanitation"], weights=[7, 2, 1])[0],
            platform_company=chance.choice(_COMPANIES),
            membership=chance.choice([Membership.MEMBER, Membership.MEMBER, Membership.NONE]),
        )
        for person in people
    )
    return riders


def _make_programmes(union: Union, places: list[Place]) -> list[BenefitOffer]:
    """九元餐 everywhere, 十元餐 at every second place, 一元早餐 at every third."""
    first = timezone.localdate() - timedelta(days=60)
    account = account_of(AccountKind.UNION, union=union)
    offers = []
    plans = [
        ("九元餐（示例）", "工友付 9 元, 一荤两素, 午晚餐都有", 1500, 1, _PERIODS[1:], [200, 400, 0], 2_000_000_00),
        ("十元餐（示例）", "工友付 10 元, 两荤两素", 1800, 2, _PERIODS[1:], [300, 300, 200], 800_000_00),
        ("一元早餐（示例）", "工友付 1 元, 豆浆、鸡蛋、包子", 600, 3, _PERIODS[:1], [100, 400, 0], 300_000_00),
    ]
    for name, summary, price, every, periods, (merchant, paid, sponsor), cap in plans:
        programme = create_programme(
            ProgrammeFacts(
                name=name,
                summary=summary,
                starts_on=first,
                periods=periods,
                occupations=["food_rider", "courier", "ride_driver", "sanitation"],
                quota_period=1,
                quota_day=2,
                quota_month=40,
                place_quota_day=300,
                takes_paper=every == 1,
            ),
            union=union,
            actor=OPERATOR,
        )
        parts = [
            Part(PartyKind.WORKER, None),
            Part(PartyKind.MERCHANT, merchant),
            Part(PartyKind.UNION, paid, union=union),
        ]
        if sponsor:
            parts.append(Part(PartyKind.SPONSOR, sponsor, name="示例爱心企业"))
        offers += [
            set_offer(programme, place=place, name=name[:-4], list_price_fen=price, parts=parts, actor=OPERATOR)
            for place in places[::every]
        ]
        set_budget(account=account, programme=programme, span=Span.TOTAL, cap_fen=cap, actor=OPERATOR)
        set_budget(account=account, programme=programme, span=Span.DAY, cap_fen=cap // 100, actor=OPERATOR)
        step_programme(programme, ProgrammeState.OPEN, actor=OPERATOR)
    return offers


def _let_eat(offers: list[BenefitOffer], riders: list[Worker], chance: random.Random) -> None:
    rows = BenefitOffer.objects.with_scopes_disabled().select_related("place__union", "programme")
    meals = list(rows.filter(pk__in=[offer.pk for offer in offers]))
    now = timezone.localtime(timezone=SHANGHAI)
    for back in range(_DAYS, -1, -1):
        day = now.date() - timedelta(days=back)
        for number in range(_MEALS_A_DAY):
            offer = chance.choice(meals)
            period = _PERIODS[0] if offer.list_price_fen == 600 else chance.choice(_PERIODS[1:])
            minute = chance.randrange(period.starts_minute, period.ends_minute)
            at = datetime.combine(day, time(minute // 60, minute % 60, chance.randrange(60)), SHANGHAI)
            if at > now:
                continue
            try:
                redeem(
                    offer=offer,
                    worker=chance.choice(riders),
                    request_id=UUID(int=chance.getrandbits(128), version=4),
                    device=f"sample-{number}",
                    actor=OPERATOR,
                    at=at,
                )
            except Refused:  # a quota did what it is there for
                continue


def _make_the_rest(union: Union, places: list[Place], riders: list[Worker]) -> None:
    """A programme that draws lots, open for entries, and a worker who was kept out and appeals."""
    today = timezone.localdate()
    feast = create_programme(
        ProgrammeFacts(
            name="年夜饭（示例）",
            summary="除夕不打烊, 抽签 50 桌",
            starts_on=today + timedelta(days=60),
            ends_on=today + timedelta(days=75),
            allotment=Allotment.LOTTERY,
            quota_month=1,
        ),
        union=union,
        actor=OPERATOR,
    )
    parts = [Part(PartyKind.WORKER, 100), Part(PartyKind.UNION, None, union=union)]
    set_offer(feast, place=places[0], name="年夜饭", list_price_fen=6800, parts=parts, actor=OPERATOR)
    lottery = open_lottery(
        feast,
        places=50,
        closes_at=timezone.now() + timedelta(days=30),
        valid_from=today + timedelta(days=60),
        valid_until=today + timedelta(days=75),
        actor=OPERATOR,
    )
    step_programme(feast, ProgrammeState.OPEN, actor=OPERATOR)
    for rider in riders[:24]:
        enter(lottery, worker=rider)
    kept = exclude(
        union=union, programme=None, worker=riders[-1], reason="一周内多次代他人核销（示例）", actor=OPERATOR
    )
    appeal(kept, worker=riders[-1], words="那几次是和工友一起吃饭, 用我的手机点的, 下次各用各的（示例）")
