"""From a row of text to the facts of a place, with every reason why that does not work."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.geo import Datum
from yizhan.places.facts import PlaceFacts, checked
from yizhan.places.hours import HoursNotUnderstood, read_hours
from yizhan.places.models import PlaceKind, PositionSource
from yizhan.places.rules import checked_datum, one_line
from yizhan.places.spreadsheets import without_apostrophe
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union

from .cells import (
    EquipmentCell,
    degrees,
    read_access,
    read_capacity,
    read_equipment,
    read_point,
    read_users,
    read_yes,
    yes_or_no,
)
from .columns import FIELDS, OFFER, Mapping, label_of
from .report import Flag, RowReport
from .table import LONGEST_CELL, Formula, Row

_KINDS = (
    (PlaceKind.DRIVER_HOME, ("司机之家", "卡友之家", "driver")),
    (PlaceKind.RESTAURANT, ("餐", "食堂", "restaurant", "canteen")),
    (PlaceKind.REPAIR_POINT, ("修车", "救援", "维修", "repair")),
    (PlaceKind.STATION, ("驿站", "站点", "服务点", "服务站", "港湾", "station")),
    (PlaceKind.OTHER, ("其他", "other")),
)
_POINTS = {"entrance": gettext_lazy("Door"), "parking": gettext_lazy("E-bike parking")}
_TEXTS = ("name", "address", "district", "contact", "access_note")
_LABELS = {**{field.name: field.label for field in FIELDS}, "position": gettext_lazy("Position"), **_POINTS}


@dataclass(frozen=True, slots=True)
class Reading:
    """One row as it was understood. `facts` and `columns` are None when the row is refused.

    `parties` holds what the row calls host, operator and funder; `unclear` why such a name is no union's, which only
    matters when the place does not have just that party already.
    """

    report: RowReport
    facts: PlaceFacts | None = None
    columns: dict[str, Any] | None = None
    source_id: str = ""
    identifier: str = ""
    parties: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)
    equipment: tuple[EquipmentCell, ...] = ()


def read_row(
    row: Row,
    mapping: Mapping,
    *,
    datum: Datum | None,
    kind: str,
    words: Lookup[str, str],
    union_called: Callable[[str], Union],
) -> Reading:
    """The place that a row tells of.

    Args:
        row: The row.
        mapping: Which column holds what.
        datum: Of the positions; None when a column says it for each row.
        kind: For rows that do not say.
        words: Codes of offers by every name they go by.
        union_called: Finds a union by its name; raises `RuleBroken` when there is none, or several.
    """
    report = RowReport(row.line, "")
    cells = _cells(row, mapping, report)
    report.name = one_line(cells.get("name", ""))[:120]
    if report.reasons:
        return Reading(report)
    values: dict[str, Any] = {name: cells[name] for name in _TEXTS if name in cells}
    _read_position(cells, datum, values, report)
    values["kind"] = _read_kind(cells.get("kind", ""), kind, report)
    _read_hours(cells.get("hours", ""), values, report)
    values["offers"] = _read_offers(cells, words, report)
    values["access"] = read_access(cells.get("access", ""), report)
    values["users"], values["occupations"] = read_users(cells.get("users", ""), report)
    values["capacity"] = read_capacity(cells.get("capacity", ""), report)
    values["contact_is_service"] = read_yes("contact_is_service", cells.get("contact_is_service", ""), report)
    values["entrance"], values["parking"] = (read_point(name, cells, report) for name in ("entrance", "parking"))
    equipment = read_equipment(cells.get("equipment", ""), report)
    parties = {name: one_line(cells.get(name, "")) for name in ("host", "operator", "funder")}
    unclear = _read_parties(parties, union_called, values)
    if report.reasons:
        return Reading(report)
    facts = PlaceFacts(position_source=PositionSource.FILE, **values)
    try:
        columns = checked(facts)
    except RuleBroken as broken:
        for problem in broken.problems:
            report.refuse(f"{_LABELS.get(problem.field, problem.field)}: {problem.message}")
        return Reading(report)
    source_id = one_line(cells.get("source_id", ""))
    if len(source_id) > 80:
        report.refuse(_("The number at the source is longer than 80 characters."))
        return Reading(report)
    return Reading(
        report,
        replace(facts, name=columns["name"], hours=columns["hours"]),
        columns,
        source_id,
        one_line(cells.get("identifier", "")).lower(),
        parties,
        unclear,
        equipment,
    )


def _read_parties(
    parties: dict[str, str], union_called: Callable[[str], Union], values: dict[str, Any]
) -> dict[str, str]:
    """Unions by their names. Whoever lends the premises may also be anybody else; what is unclear comes back."""
    unclear: dict[str, str] = {}
    for name, text in parties.items():
        if not text:
            continue
        try:
            values[name] = union_called(text)
        except RuleBroken as broken:
            (problem,) = broken.problems
            if name == "host" and problem.code != "ambiguous":
                values["host_name"] = text
            else:
                unclear[name] = f"{_LABELS[name]}: {problem.message}"
    return unclear


def _cells(row: Row, mapping: Mapping, report: RowReport) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, position in mapping.items():
        value = row.cells[position] if position < len(row.cells) else ""
        if isinstance(value, Formula):
            report.refuse(_("%(field)s: the cell holds a formula; put its value there.") % {"field": label_of(name)})
        elif len(value) > LONGEST_CELL:
            report.refuse(
                _("%(field)s: the cell holds %(given)d characters; at most %(limit)d can be read.")
                % {"field": label_of(name), "given": len(value), "limit": LONGEST_CELL}
            )
        else:
            cells[name] = without_apostrophe(value).strip()
    return cells


def _read_position(cells: dict[str, str], datum: Datum | None, values: dict[str, Any], report: RowReport) -> None:
    for name in ("lon", "lat"):
        value = degrees(name, cells.get(name, ""), report)
        if value is not None:
            values[name] = value
    stated = cells.get("datum", "")
    if datum is not None and not stated:
        values["datum"] = datum
        return
    try:
        values["datum"] = checked_datum(stated)
    except RuleBroken as broken:
        report.refuse(f"{_LABELS['datum']}: {broken.problems[0].message}")
        return
    if datum is not None and values["datum"] is not datum:
        report.refuse(
            _("The row says %(stated)s, but you said %(given)s for the file.")
            % {"stated": values["datum"].value, "given": datum.value}
        )


def _read_kind(text: str, default: str, report: RowReport) -> str:
    if not text:
        return default
    plain = text.casefold()
    if plain in PlaceKind.values:
        return plain
    for kind, words in _KINDS:
        if text == str(kind.label) or any(word in plain for word in words):
            return kind
    report.refuse(
        _("Kind: “%(value)s” is none of: %(kinds)s.")
        % {"value": text[:40], "kinds": "、".join(str(label) for label in PlaceKind.labels)}
    )
    return default


def _read_hours(text: str, values: dict[str, Any], report: RowReport) -> None:
    try:
        reading = read_hours(text)
    except HoursNotUnderstood as error:
        report.refuse(_("Hours: %(reason)s") % {"reason": error.reason})
        return
    values["hours"] = reading.syntax
    if reading.remark:
        report.flags[Flag.VAGUE_HOURS] = reading.remark


def _read_offers(cells: Lookup[str, str], words: Lookup[str, str], report: RowReport) -> tuple[str, ...]:
    """What a list in one cell names, and what the marks in columns of their own say."""
    codes: list[str] = []
    unknown: list[str] = []
    for part in re.split(r"[,，、;；/|\s]+", cells.get("offers", "")):
        if not part:
            continue
        code = words.get(part.casefold())
        if code is None:
            unknown.append(part[:20])
        else:
            codes.append(code)
    for name, text in cells.items():
        if name.startswith(OFFER):
            there = yes_or_no(text)
            if there is None:
                unknown.append(text[:20])
            elif there:
                codes.append(name.removeprefix(OFFER))
    if unknown:
        report.flags[Flag.UNKNOWN_OFFER] = _("Unknown offers were left out: %(words)s.") % {"words": "、".join(unknown)}
    return tuple(dict.fromkeys(codes))
