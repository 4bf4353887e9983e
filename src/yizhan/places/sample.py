"""A sample city: plausible places in Zhengzhou, each marked 示例, for the demo and for trying things out.

Positions are drawn around real crossroads, so that they lie where a city is; names, hours and offers are made up.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from yizhan.geo import Datum
from yizhan.unions.models import Union
from yizhan.unions.rights import OPERATOR

from .facts import PlaceFacts
from .models import Place, PlaceKind, PlaceStatus, PositionSource
from .sample_facts import known_facts, make_sample_facts
from .services.bulk import enter_places

SOURCE = "sample"
_MOST = 150


@dataclass(frozen=True, slots=True)
class _Area:
    """Somewhere in the city: WGS-84 degrees, and the district that its people would name."""

    name: str
    district: str
    lon: float
    lat: float


_AREAS = (
    _Area("二七广场", "二七区", 113.6613, 34.7520),
    _Area("大学路", "二七区", 113.6378, 34.7372),
    _Area("京广中路", "二七区", 113.6500, 34.7260),
    _Area("嵩山南路", "二七区", 113.6290, 34.7150),
    _Area("碧沙岗", "中原区", 113.6289, 34.7478),
    _Area("桐柏路", "中原区", 113.6071, 34.7476),
    _Area("秦岭路", "中原区", 113.5905, 34.7497),
    _Area("五龙口", "中原区", 113.6010, 34.7680),
    _Area("科学大道", "高新区", 113.5570, 34.8110),
    _Area("翠竹街", "高新区", 113.5480, 34.7990),
    _Area("长椿路", "高新区", 113.5400, 34.7890),
    _Area("紫荆山", "金水区", 113.6800, 34.7605),
    _Area("花园路", "金水区", 113.6805, 34.7860),
    _Area("经三路", "金水区", 113.6900, 34.7800),
    _Area("文化路", "金水区", 113.6640, 34.7820),
    _Area("国基路", "金水区", 113.6830, 34.8180),
    _Area("会展中心", "郑东新区", 113.7240, 34.7755),
    _Area("郑州东站", "郑东新区", 113.7735, 34.7585),
    _Area("龙子湖", "郑东新区", 113.8010, 34.7990),
    _Area("商都路", "郑东新区", 113.7600, 34.7480),
    _Area("城东路", "管城回族区", 113.6840, 34.7440),
    _Area("航海东路", "经开区", 113.7330, 34.7210),
    _Area("明湖", "经开区", 113.7510, 34.7190),
    _Area("南曹", "管城回族区", 113.7420, 34.6900),
    _Area("江山路", "惠济区", 113.6210, 34.8450),
    _Area("开元路", "惠济区", 113.6340, 34.8600),
    _Area("中心路", "上街区", 113.2990, 34.8020),
    _Area("新港大道", "航空港区", 113.8300, 34.5350),
)
_HOSTS = (
    "社区党群服务中心",
    "便民服务中心",
    "电信营业厅",
    "邮政储蓄银行",
    "大药房",
    "加油站",
    "图书馆",
    "公园游园",
    "物流园",
    "商圈",
)
_STATION_HOURS = (
    "24/7",
    "24/7",
    "07:30-22:30",
    "08:00-20:00",
    "08:00-20:00",
    "08:30-18:00",
    "06:00-23:00",
    "08:00-22:00",
    "Mo-Fr 08:30-12:00,14:00-18:00; PH off",
    "Mo-Fr 09:00-17:00; PH off",
    "Mo-Sa 08:30-19:00; Su 10:00-16:00; PH 10:00-16:00",
    "22:00-08:00",
    "",
)
_MEALS = ("06:30-09:00,11:00-14:00,17:00-20:30", "10:30-21:00", "Mo-Sa 11:00-14:00,17:00-20:00; PH off")
_REPAIRS = ("08:00-19:00", "Mo-Sa 08:30-18:30; PH off", "24/7")
_USUAL = ("water", "rest", "charging")
_FURTHER = (
    "microwave",
    "medicine_box",
    "air_conditioning",
    "toilet",
    "reading",
    "umbrella",
    "wifi",
    "fridge",
    "aed",
    "battery_swap",
    "legal_advice",
    "sewing_kit",
    "heating",
)
_DRIVERS = ("parking", "shower", "meal", "rest", "water", "toilet", "wifi")


@transaction.atomic
def make_sample_city(union: Union, *, seed: int) -> list[Place]:
    """Enter about 150 sample places around Zhengzhou; the same `seed` makes the same city.

    Places go to the district unions below `union` where there are such, else to `union` itself. A few are drafts and a
    few suspended, so that lists have something to show.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    below = {child.name[:2]: child for child in Union.objects.filter(path__startswith=union.path).exclude(pk=union.pk)}
    by_home: dict[tuple[int, PlaceStatus], list[PlaceFacts]] = defaultdict(list)
    homes: dict[int, Union] = {union.pk: union}
    for facts in _all(chance):
        home = below.get(facts.district[:2], union)
        homes[home.pk] = home
        status = chance.choices((PlaceStatus.PUBLISHED, PlaceStatus.DRAFT, PlaceStatus.SUSPENDED), weights=(93, 4, 3))[
            0
        ]
        entered = len(by_home.get((home.pk, PlaceStatus.PUBLISHED), ()))
        if status == PlaceStatus.PUBLISHED and entered == 4 and (home.pk, PlaceStatus.SUSPENDED) not in by_home:
            status = PlaceStatus.SUSPENDED  # so that every union has one to show
        by_home[home.pk, status].append(facts)
    made: list[Place] = []
    for (home_id, status), group in sorted(by_home.items()):
        note = "设备检修（示例）" if status == PlaceStatus.SUSPENDED else ""
        made += enter_places(
            group, union=homes[home_id], actor=OPERATOR, source=SOURCE, status=status, status_note=note
        )
    make_sample_facts(made, chance)
    return made


def _all(chance: random.Random) -> Iterator[PlaceFacts]:
    names: set[str] = set()
    for number in range(_MOST):
        area = _AREAS[number % len(_AREAS)]
        kind = chance.choices(
            (PlaceKind.STATION, PlaceKind.RESTAURANT, PlaceKind.REPAIR_POINT, PlaceKind.DRIVER_HOME),
            weights=(74, 13, 9, 4),
        )[0]
        name = _name(chance, area, kind, names)
        lon, lat = round(area.lon + chance.gauss(0, 0.006), 6), round(area.lat + chance.gauss(0, 0.005), 6)
        yield PlaceFacts(
            name=name,
            kind=kind,
            address=f"郑州市{area.district}{area.name}{chance.randint(1, 320)}号",
            district=area.district,
            lon=lon,
            lat=lat,
            datum=Datum.WGS84,
            hours=_hours(chance, kind),
            contact="12351",
            position_source=PositionSource.SAMPLE,
            offers=_offers(chance, kind),
            **known_facts(chance, kind, lon, lat),
        )


def _name(chance: random.Random, area: _Area, kind: PlaceKind, taken: set[str]) -> str:
    ending = {
        PlaceKind.STATION: f"{chance.choice(_HOSTS)}工会驿站",
        PlaceKind.RESTAURANT: chance.choice(("惠骑餐厅", "爱心惠骑面馆", "惠骑快餐店", "惠骑烩面馆")),
        PlaceKind.REPAIR_POINT: chance.choice(("爱心修车点", "爱心修车救援点")),
        PlaceKind.DRIVER_HOME: "司机之家",
    }[kind]
    name = f"{area.name}{ending}（示例）"
    number = 2
    while name in taken:
        name = f"{area.name}{ending}{number}号（示例）"
        number += 1
    taken.add(name)
    return name


def _hours(chance: random.Random, kind: PlaceKind) -> str:
    choices: Sequence[str] = {
        PlaceKind.RESTAURANT: _MEALS,
        PlaceKind.REPAIR_POINT: _REPAIRS,
        PlaceKind.DRIVER_HOME: ("24/7",),
    }.get(kind, _STATION_HOURS)
    return chance.choice(choices)


def _offers(chance: random.Random, kind: PlaceKind) -> tuple[str, ...]:
    if kind == PlaceKind.RESTAURANT:
        return ("meal", *chance.sample(("water", "charging", "rest", "air_conditioning"), chance.randint(1, 3)))
    if kind == PlaceKind.REPAIR_POINT:
        return ("repair", "air_pump", *chance.sample(("water", "ebike_charging", "battery_swap"), chance.randint(0, 2)))
    if kind == PlaceKind.DRIVER_HOME:
        return _DRIVERS
    return (*_USUAL, *chance.sample(_FURTHER, chance.randint(1, 7)))
