"""Sample reports for a sample city: some answered, some late, so that every list has something to show."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from yizhan.places.models import Place, PlaceStatus, Plate, PlateVisits
from yizhan.places.services.plates import plates_of
from yizhan.places.services.report_clock import watch_deadlines
from yizhan.places.services.reports import answer_report, judge_answer, report_fault, take_back, verify_report
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import OPERATOR

# Place by its number, kind, days ago, words, answer, its words.
_TOLD: Final = (
    (0, "door_locked", 0.1, "", "", ""),
    (0, "no_water", 0.2, "饮水机空了（示例）", "", ""),
    (1, "equipment_broken", 1.5, "微波炉不加热（示例）", "promised", "配件已订，到货就换（示例）"),
    (2, "door_locked", 12.0, "", "", ""),
    (2, "medicine_expired", 11.0, "藿香正气水过期（示例）", "", ""),
    (3, "no_water", 3.0, "", "fixed", "已换桶装水（示例）"),
    (4, "wrong_place", 6.0, "门在北侧（示例）", "not_a_fault", "地图位置已核对，入口在北门（示例）"),
    (5, "other", 2.0, "夜里灯不亮（示例）", "", ""),
    (6, "medicine_expired", 8.0, "", "fixed", "已更换药品（示例）"),
    (7, "door_locked", 0.01, "", "taken_back", ""),
)
_PLATES: Final = 12


def make_sample_reports(union: Union, *, keeper: Staff, seed: int) -> int:
    """Report sample faults about published places of `union` and below, answer some of them, and let plates be scanned.

    Args:
        union: Where the places are.
        keeper: Answers; must hold the right to.
        seed: The same one makes the same reports.

    Returns:
        How many reports there are.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    published = Place.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, status=PlaceStatus.PUBLISHED
    )
    places = _where_someone_works(published.select_related("union").order_by("union__path", "name"))[:_PLATES]
    if not places:
        return 0
    now = timezone.now()
    told = 0
    for number, kind, days, words, answer, answer_words in _TOLD:
        at = now - timedelta(days=days)
        place = places[number % len(places)]
        receipt = report_fault(place, kind=kind, request_id=_request_id(chance), words=words, at=at)
        told += 1
        if answer == "taken_back":
            take_back(receipt, at=at + timedelta(minutes=2))
        elif answer:
            until = timezone.localdate(now) + timedelta(days=9) if answer == "promised" else None
            later = at + timedelta(hours=3)
            answer_report(receipt.report, answer=answer, words=answer_words, until=until, actor=keeper, at=later)
        if kind == "medicine_expired" and answer == "fixed":
            verify_report(receipt.report, actor=OPERATOR, at=at + timedelta(days=1))
        if kind == "no_water" and answer == "fixed":
            judge_answer(receipt, fixed=True, at=at + timedelta(days=1))
    watch_deadlines(at=now)
    _scan(places, chance, now)
    return told


def _where_someone_works(places: Iterable[Place]) -> list[Place]:
    """Places of unions with posts of their own before the others, the unions taking turns."""
    staffed = set(Staff.objects.with_scopes_disabled().values_list("union_id", flat=True))
    turns: Counter[int] = Counter()

    def turn(place: Place) -> tuple[bool, int]:
        turns[place.union_id] += 1
        return place.union_id not in staffed, turns[place.union_id]

    return sorted(places, key=turn)


def _scan(places: list[Place], chance: random.Random, now: datetime) -> None:
    codes = plates_of(places, actor=OPERATOR)
    today = timezone.localdate(now)
    plates = Plate.objects.with_scopes_disabled().filter(code__in=codes.values()).order_by("code")
    PlateVisits.objects.with_scopes_disabled().bulk_create(
        PlateVisits(plate=plate, day=today - timedelta(days=day), count=chance.randint(1, 24))
        for plate in plates
        for day in range(30)
        if chance.random() < 0.8
    )


def _request_id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
