"""Cells that say more than a text: yes and no, ways of entering, who may use a place, seats, points, equipment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from django.db.models import Choices
from django.utils import translation
from django.utils.translation import gettext as _

from yizhan.places.models import Access, Equipment, Users
from yizhan.places.rules import one_line
from yizhan.unions.models import Occupation

from .columns import label_of
from .report import RowReport

MOST_EQUIPMENT = 60
_YES = frozenset(["有", "是", "提供", "配备", "√", "✓", "✔", "●", "y", "yes", "true", "x", "v"])
_NO = frozenset(["无", "没有", "否", "不提供", "未配备", "×", "✗", "✘", "○", "n", "no", "false", "-", "—", "–", "/"])
_DATE = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?")
_WITH_BRACKETS = re.compile(r"(.+?)\s*[（(]([^（()）]*)[）)]")
_BROKEN = re.compile(r"故障|损坏|坏|broken", re.IGNORECASE)
_LAST_DAY = re.compile(r"有效|valid|until", re.IGNORECASE)  # names the last good day, others the first bad one

# What people write besides the names that the pages use: the first that occurs in the cell counts.
_ACCESS = (
    (Access.QR, ("扫码", "二维码", "扫一扫")),
    (Access.CODE, ("密码",)),
    (Access.ATTENDANT, ("值守", "专人", "值班", "人工", "工作人员")),
    (Access.WALK_IN, ("推门", "直接", "自由", "随时", "敞开")),
)
_USERS = (
    (Users.EVERYONE, ("户外", "所有", "全部", "不限", "新就业", "市民")),
    (Users.MEMBERS, ("会员",)),
)
_OCCUPATIONS = (
    (Occupation.COURIER, ("快递",)),
    (Occupation.FOOD_RIDER, ("骑手", "外卖", "送餐")),
    (Occupation.RIDE_DRIVER, ("网约车",)),
    (Occupation.TAXI_DRIVER, ("出租",)),
    (Occupation.TRUCK_DRIVER, ("货车", "卡车", "卡友")),
    (Occupation.SANITATION, ("环卫", "保洁")),
    (Occupation.DOMESTIC, ("家政",)),
    (Occupation.SECURITY, ("保安",)),
    (Occupation.CONSTRUCTION, ("建筑",)),
)


@dataclass(frozen=True, slots=True)
class EquipmentCell:
    """A piece of equipment as a cell tells it. `is_broken` without `broken_since`: the day is not known."""

    name: str
    is_broken: bool = False
    broken_since: date | None = None
    expires_on: date | None = None

    def says(self, thing: Equipment) -> bool:
        """Whether the directory knows all of this already."""
        since = self.broken_since is None or self.broken_since == thing.broken_since
        return self.is_broken == thing.is_broken and since and self.expires_on == thing.expires_on


def equipment_in_words(things: list[Equipment]) -> str:
    """As `read_equipment` reads it: “微波炉（2026-11-01 起故障）；急救药箱（2027-01-01 起停用）”."""
    parts = []
    for thing in things:
        said = []
        if thing.broken_since:
            said.append(_("broken since %(day)s") % {"day": thing.broken_since.isoformat()})
        if thing.expires_on:
            said.append(_("not to be used from %(day)s") % {"day": thing.expires_on.isoformat()})
        name = re.sub(r"[;；]", ",", thing.name)
        parts.append(f"{name}（{'，'.join(said)}）" if said else name)
    return "；".join(parts)


def read_equipment(text: str, report: RowReport) -> tuple[EquipmentCell, ...]:
    """Pieces of equipment, parted by semicolons, each with what is said of it in brackets."""
    found: dict[str, EquipmentCell] = {}
    for part in filter(None, (one_line(part) for part in re.split(r"[;；\n]", text))):
        thing = _piece(part, report)
        if thing is None:
            continue
        if not 0 < len(thing.name) <= 60:
            report.refuse(_("Equipment needs a name of at most 60 characters."))
        found.setdefault(thing.name, thing)
    if len(found) > MOST_EQUIPMENT:
        report.refuse(_("At most %(limit)d pieces at one place.") % {"limit": MOST_EQUIPMENT})
    return tuple(found.values())


def _piece(part: str, report: RowReport) -> EquipmentCell | None:
    match = _WITH_BRACKETS.fullmatch(part)
    inside = match.group(2) if match else ""
    if match is None or not (_DATE.search(inside) or _BROKEN.search(inside)):
        return EquipmentCell(part)
    is_broken, since, expires = False, None, None
    for said in re.split(r"[,，、]", inside):
        try:
            day = date(*map(int, written.groups())) if (written := _DATE.search(said)) else None
        except ValueError:
            report.refuse(_("Equipment: “%(value)s” is no day.") % {"value": said[:40]})
            return None
        if _BROKEN.search(said):
            is_broken, since = True, day
        elif day is not None:
            expires = day + timedelta(days=1) if _LAST_DAY.search(said) else day
    if since is not None and since > date.today():  # noqa: DTZ011 - a day too many at midnight harms nobody
        report.refuse(_("Equipment: “%(value)s” has not come yet.") % {"value": since.isoformat()})
    return EquipmentCell(match.group(1), is_broken, since, expires)


def yes_or_no(text: str) -> bool | None:
    """What a mark in a cell says; empty says no; None: it cannot be told."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if plain in _NO or not plain:
        return False
    number = re.match(r"\d+", plain)
    if number:
        return int(number.group()) > 0
    return True if plain in _YES else None


def read_yes(name: str, text: str, report: RowReport) -> bool:
    """A cell that must say yes or no."""
    said = yes_or_no(text)
    if said is None:
        report.refuse(
            _("%(field)s: “%(value)s” is neither yes nor no.") % {"field": label_of(name), "value": text[:40]}
        )
    return bool(said)


def read_access(text: str, report: RowReport) -> str:
    """How one enters."""
    if not text:
        return ""
    found = _by_name(Access).get(text.casefold()) or _meant(text, _ACCESS)
    if found is None:
        _refuse("access", text, _labels(Access), report)
    return found or ""


def read_users(text: str, report: RowReport) -> tuple[str, tuple[str, ...]]:
    """Who may use it: everyone, members, or the occupations that the cell names."""
    if not text:
        return Users.EVERYONE, ()
    whole = _by_name(Users).get(text.casefold())
    if whole is not None and whole != Users.OCCUPATIONS:
        return whole, ()
    known = _by_name(Occupation)
    parts = [part.strip() for part in re.split(r"[,，、;；/|]+", text) if part.strip()]
    meant = [known.get(part.casefold()) or _meant(part, _OCCUPATIONS) for part in parts]
    if None not in meant and meant:
        return Users.OCCUPATIONS, tuple(dict.fromkeys(code for code in meant if code))
    if whole := _meant(text, _USERS):
        return whole, ()
    unknown = [part for part, code in zip(parts, meant, strict=True) if code is None]
    _refuse("users", "、".join(unknown) or text, [*_labels(Users)[:2], *_labels(Occupation)], report)
    return Users.EVERYONE, ()


def read_capacity(text: str, report: RowReport) -> int | None:
    """How many may sit there."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    match = re.fullmatch(r"(\d{1,6})(?:\.0+)?\s*(?:个|座|人|位|seats?)?", plain)
    if match is None:
        report.refuse(
            _("%(field)s: “%(value)s” is not a whole number.") % {"field": label_of("capacity"), "value": text[:40]}
        )
        return None
    return int(match.group(1))


def degrees(name: str, text: str, report: RowReport, *, required: bool = True) -> float | None:
    """A longitude or latitude."""
    plain = unicodedata.normalize("NFKC", text).strip().rstrip("°")
    if re.fullmatch(r"[+-]?\d{1,12}(\.\d{1,20})?", plain):
        return float(plain)
    if plain:
        report.refuse(
            _("%(field)s: “%(value)s” is not a number of degrees.") % {"field": label_of(name), "value": plain[:40]}
        )
    elif required:
        report.refuse(_("%(field)s: missing.") % {"field": label_of(name)})
    return None


def read_point(name: str, cells: dict[str, str], report: RowReport) -> tuple[float, float] | None:
    """The door, or where an e-bike may stand: both numbers or none."""
    texts = [cells.get(f"{name}_{axis}", "") for axis in ("lon", "lat")]
    if not any(texts):
        return None
    lon, lat = (degrees(f"{name}_{axis}", text, report) for axis, text in zip(("lon", "lat"), texts, strict=True))
    return None if lon is None or lat is None else (lon, lat)


def _meant(text: str, choices: Sequence[tuple[str, tuple[str, ...]]]) -> str | None:
    return next((value for value, words in choices if any(word in text for word in words)), None)


def _refuse(name: str, text: str, choices: list[str], report: RowReport) -> None:
    report.refuse(
        _("%(field)s: “%(value)s” is none of: %(choices)s.")
        % {"field": label_of(name), "value": text[:40], "choices": "、".join(choices)}
    )


def _labels(choices: type[Choices]) -> list[str]:
    return [str(label) for value, label in choices.choices if value]


@cache
def _by_name(choices: type[Choices]) -> dict[str, Any]:
    """Values by themselves and by what they are called in either language."""
    names: dict[str, Any] = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            names |= {str(label).casefold(): value for value, label in choices.choices if value}
    return names | {str(value).casefold(): value for value in choices.values if value}
