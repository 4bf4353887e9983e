"""What is known of the places of a sample city: equipment, some of it broken, closures, and looks on the spot."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from yizhan.unions.models import Occupation
from yizhan.unions.rights import OPERATOR

from .models import Access, Place, PlaceKind, PlaceStatus, Users, Verification
from .services.closures import shut_place
from .services.equipment import EquipmentFacts, add_equipment
from .services.verification import ITEMS, OK

_HOSTS = ("社区居委会（示例）", "邮政储蓄银行（示例）", "中国电信营业厅（示例）", "街道党群服务中心（示例）", "")
_NOTES = {
    Access.QR: "门口扫码，开门后随手关门。",
    Access.CODE: "密码请打 12351 询问。",
    Access.ATTENDANT: "按门铃，值班人员开门。",
}
_REASONS = ("停电检修（示例）", "社区活动占用（示例）", "管道维修，停水（示例）")


def known_facts(chance: random.Random, kind: PlaceKind, lon: float, lat: float) -> dict[str, Any]:
    """Further facts of one place, as `PlaceFacts` takes them; positions are WGS-84 degrees, like `lon` and `lat`."""
    access = chance.choices(("", Access.WALK_IN, Access.QR, Access.CODE, Access.ATTENDANT), weights=(2, 5, 2, 1, 1))[0]
    facts: dict[str, Any] = {
        "access": access,
        "access_note": _NOTES.get(Access(access), ""),
        "capacity": chance.choice((None, 4, 6, 8, 12, 20)),
        "host_name": chance.choice(_HOSTS),
    }
    if kind == PlaceKind.DRIVER_HOME:
        drivers = (Occupation.TRUCK_DRIVER, Occupation.TAXI_DRIVER, Occupation.RIDE_DRIVER)
        facts |= {"users": Users.OCCUPATIONS, "occupations": drivers}
    elif chance.random() < 0.1:
        facts["users"] = Users.MEMBERS
    if chance.random() < 0.3:
        facts["entrance"] = (round(lon + 0.0002, 6), round(lat - 0.0001, 6))
    if chance.random() < 0.3:
        facts["parking"] = (round(lon - 0.0003, 6), round(lat + 0.0001, 6))
    return facts


def make_sample_facts(places: Sequence[Place], chance: random.Random) -> None:
    """Give published places of a sample city equipment, a few closures, and looks of different age."""
    published = [place for place in places if place.status == PlaceStatus.PUBLISHED]
    for place in chance.sample(published, min(80, len(published))):
        _equip(place, chance)
    now = timezone.now()
    for number, place in enumerate(chance.sample(published, min(4, len(published)))):
        starts_at = now + timedelta(days=3 if number == 3 else -1)
        shut_place(
            place,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(days=chance.randint(2, 9)),
            reason=_REASONS[number % len(_REASONS)],
            actor=OPERATOR,
        )
    _look(published, chance)


def _equip(place: Place, chance: random.Random) -> None:
    today = timezone.localdate()
    things = [
        EquipmentFacts(
            name="急救药箱", offer="medicine_box", expires_on=today + timedelta(days=chance.randint(-20, 240))
        ),
        EquipmentFacts(name="灭火器", expires_on=today + timedelta(days=chance.randint(20, 900))),
        EquipmentFacts(name="微波炉", offer="microwave", **_broken(chance)),
        EquipmentFacts(name="饮水机", offer="water", **_broken(chance)),
        EquipmentFacts(name="AED 电极片", offer="aed", expires_on=today + timedelta(days=chance.randint(-5, 700))),
    ]
    for thing in chance.sample(things, chance.randint(1, 3)):
        add_equipment(place, thing, actor=OPERATOR)


def _broken(chance: random.Random) -> dict[str, Any]:
    if chance.random() > 0.25:
        return {}
    since = timezone.localdate() - timedelta(days=chance.randint(0, 12))
    return {"state": "broken", "broken_since": since, "note": "已报修（示例）"}


def _look(published: Sequence[Place], chance: random.Random) -> None:
    """Looks in the past, which the service, whose looks are now, cannot make."""
    now = timezone.now()
    seen = chance.sample(list(published), len(published) * 4 // 5)
    looks = [
        Verification(
            place=place,
            at=now - timedelta(days=chance.randint(1, 260), minutes=chance.randint(0, 600)),
            findings=dict.fromkeys(ITEMS, OK),
            metres=chance.randint(2, 60),
            accuracy_m=chance.randint(5, 30),
            note="示例数据",
            is_sound=True,
        )
        for place in seen
    ]
    Verification.objects.with_scopes_disabled().bulk_create(looks)
    for place, look in zip(seen, looks, strict=True):
        place.verified_at = look.at
    Place.objects.with_scopes_disabled().bulk_update(seen, ["verified_at"], batch_size=500)
