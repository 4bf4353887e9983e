"""From a row of text to the facts of a place, with every reason why that does not work."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, replace
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

from .columns import FIELDS, Mapping
from .report import Flag, RowReport
from .table import LONGEST_CELL, Formula, Row

_KINDS = (
    (PlaceKind.DRIVER_HOME, ("司机之家", "卡友之家", "driver")),
    (PlaceKind.RESTAURANT, ("餐", "食堂", "restaurant", "canteen")),
    (PlaceKind.REPAIR_POINT, ("修车", "救援", "维修", "repair")),
    (PlaceKind.STATION, ("驿站", "站点", "服务点", "服务站", "港湾", "station")),
    (PlaceKind.OTHER, ("其他", "other")),
)
_LABELS = {**{field.name: field.label for field in FIELDS}, "position": gettext_lazy("Position")}


@dataclass(frozen=True, slots=True)
class Reading:
    """One row as it was understood. `facts` and `columns` are None when the row is refused."""

    report: RowReport
    facts: PlaceFacts | None = None
    columns: dict[str, Any] | None = None
    source_id: str = ""


def read_row(row: Row, mapping: Mapping, *, datum: Datum | None, kind: str, words: Lookup[str, str]) -> Reading:
    """The place that a row tells of.

    Args:
        row: The row.
        mapping: Which column holds what.
        datum: Of the positions; None when a column says it for each row.
        kind: For rows that do not say.
        words: Codes of offers by every name they go by.
    """
    report = RowReport(row.line, "")
    cells = _cells(row, mapping, report)
    report.name = one_line(cells.get("name", ""))[:120]
    if report.reasons:
        return Reading(report)
    values: dict[str, Any] = {name: cells[name] for name in ("name", "address", "district", "contact") if name in cells}
    _read_position(cells, datum, values, report)
    values["kind"] = _read_kind(cells.get("kind", ""), kind, report)
    _read_hours(cells.get("hours", ""), values, report)
    values["offers"] = _read_offers(cells.get("offers", ""), words, report)
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
    return Reading(report, replace(facts, name=columns["name"], hours=columns["hours"]), columns, source_id)


def _cells(row: Row, mapping: Mapping, report: RowReport) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, position in mapping.items():
        value = row.cells[position] if position < len(row.cells) else ""
        if isinstance(value, Formula):
            report.refuse(_("%(field)s: the cell holds a formula; put its value there.") % {"field": _LABELS[name]})
        elif len(value) > LONGEST_CELL:
            report.refuse(
                _("%(field)s: the cell holds %(given)d characters; at most %(limit)d can be read.")
                % {"field": _LABELS[name], "given": len(value), "limit": LONGEST_CELL}
            )
        else:
            cells[name] = without_apostrophe(value).strip()
    return cells


def _read_position(cells: dict[str, str], datum: Datum | None, values: dict[str, Any], report: RowReport) -> None:
    for name in ("lon", "lat"):
        text = unicodedata.normalize("NFKC", cells.get(name, "")).strip().rstrip("°")
        if not re.fullmatch(r"[+-]?\d{1,12}(\.\d{1,20})?", text):
            report.refuse(
                _("%(field)s: “%(value)s” is not a number of degrees.") % {"field": _LABELS[name], "value": text[:40]}
                if text
                else _("%(field)s: missing.") % {"field": _LABELS[name]}
            )
        else:
            values[name] = float(text)
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


def _read_offers(text: str, words: Lookup[str, str], report: RowReport) -> tuple[str, ...]:
    codes: list[str] = []
    unknown: list[str] = []
    for part in re.split(r"[,，、;；/|\s]+", text):
        if not part:
            continue
        code = words.get(part.casefold())
        if code is None:
            unknown.append(part[:20])
        elif code not in codes:
            codes.append(code)
    if unknown:
        report.flags[Flag.UNKNOWN_OFFER] = _("Unknown offers were left out: %(words)s.") % {"words": "、".join(unknown)}
    return tuple(codes)
