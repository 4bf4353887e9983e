"""Kinds of cases: what `kinds.toml` says, as the unions from the top down to one have adjusted it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, cast

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Union

from .models import CaseKind
from .models.kinds import DAY_LIMITS

FieldType = Literal["text", "choice", "number", "money", "date", "yes_no"]
FIELD_TYPES: Final = ("text", "choice", "number", "money", "date", "yes_no")
MOST_FIELDS: Final = 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a kind. `least` and `most` are in the unit of the type: a number, or fen for money."""

    name: str
    label: tuple[str, str]
    type: FieldType = "text"
    required: bool = False
    longest: int = 200
    least: int | None = None
    most: int | None = None
    choices: tuple[tuple[str, str, str], ...] = ()

    @property
    def title(self) -> str:
        """In the reader's language."""
        return in_reader_s_language(self.label)

    @property
    def choice_titles(self) -> list[tuple[str, str]]:
        """Values with their words in the reader's language."""
        return [(value, in_reader_s_language((chinese, english))) for value, chinese, english in self.choices]

    def shown(self, value: Any) -> str:
        """A stored value for people."""
        if value is None or value == "":
            return ""
        if self.type == "choice":
            return dict(self.choice_titles).get(str(value), str(value))
        if self.type == "yes_no":
            return _("yes") if value else _("no")
        if self.type == "money":
            return _("%(yuan)s yuan") % {"yuan": f"{Decimal(int(value)) / 100:.2f}"}
        return str(value)


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of case as it holds at one union. Days are working days."""

    code: str
    label: tuple[str, str]
    explains: tuple[str, str]
    is_confidential: bool
    is_anonymous: bool
    is_offered: bool
    answer_days: int
    progress_days: int
    result_days: int
    verdict_days: int
    escalate_days: int
    fields: tuple[FieldSpec, ...]

    @property
    def title(self) -> str:
        """In the reader's language."""
        return in_reader_s_language(self.label)

    @property
    def explanation(self) -> str:
        """One line for whoever chooses a kind, in the reader's language."""
        return in_reader_s_language(self.explains)


def in_reader_s_language(words: tuple[str, str]) -> str:
    """Chinese unless the reader reads English."""
    return words[1] if (get_language() or "zh").startswith("en") else words[0]


@cache
def house_kinds() -> dict[str, KindSpec]:
    """What `kinds.toml` says, by code."""
    told = tomllib.loads(files("yizhan.cases").joinpath("kinds.toml").read_text(encoding="utf-8"))
    return {
        code: KindSpec(
            code=code,
            label=(kind["label"][0], kind["label"][1]),
            explains=(kind["explains"][0], kind["explains"][1]),
            is_confidential=kind.get("confidential", False),
            is_anonymous=kind.get("anonymous", False),
            is_offered=kind.get("offered", True),
            fields=tuple(field_of(field) for field in kind.get("fields", ())),
            **{name: kind[name] for name in DAY_LIMITS},
        )
        for code, kind in told.items()
    }


def kind_of(code: str, union: Union) -> KindSpec:
    """A kind as it holds at a union.

    Raises:
        RuleBroken: there is no such kind.
    """
    house = house_kinds().get(code)
    if house is None:
        raise RuleBroken.at(
            "kind", code[:40], _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(house_kinds())}, "unknown"
        )
    return _adjusted(house, [row for row in _rows_above(union) if row.code == code])


def kinds_of(union: Union) -> dict[str, KindSpec]:
    """All kinds as they hold at a union, by code."""
    rows = _rows_above(union)
    return {code: _adjusted(house, [row for row in rows if row.code == code]) for code, house in house_kinds().items()}


def title_of(code: str) -> str:
    """What a kind is called in the reader's language."""
    house = house_kinds().get(code)
    return house.title if house else code


def confidential_codes() -> tuple[str, ...]:
    """The kinds that only their handlers see."""
    return tuple(code for code, kind in house_kinds().items() if kind.is_confidential)


def _rows_above(union: Union) -> list[CaseKind]:
    """The adjustments of a union and those above it, topmost first."""
    paths = [union.path[:end] for end in range(Union.steplen, len(union.path) + 1, Union.steplen)]
    return list(CaseKind.rules.filter(union__path__in=paths).order_by("union__path"))


def _adjusted(kind: KindSpec, rows: list[CaseKind]) -> KindSpec:
    for row in rows:
        changes: dict[str, Any] = {
            name: getattr(row, name) for name in (*DAY_LIMITS, "is_offered") if getattr(row, name) is not None
        }
        if row.fields is not None:
            own = tuple(field_of(field) for field in row.fields)
            replaced = {field.name for field in own}
            changes["fields"] = (*(field for field in kind.fields if field.name not in replaced), *own)
        kind = replace(kind, **changes)
    return kind


def field_of(told: dict[str, Any]) -> FieldSpec:
    """A field as TOML or a union's adjustment tells it; `checked_schema` has looked at the latter."""
    return FieldSpec(
        name=told["name"],
        label=(told["label"][0], told["label"][1]),
        type=cast("FieldType", told.get("type", "text")),
        required=told.get("required", False),
        longest=told.get("longest", 200),
        least=told.get("least"),
        most=told.get("most"),
        choices=tuple((choice[0], choice[1], choice[2]) for choice in told.get("choices", ())),
    )


def checked_schema(told: Any) -> list[dict[str, Any]]:
    """A union's own fields, as they may be stored.

    Raises:
        RuleBroken: at `fields`, naming what is wrong.
    """
    if not isinstance(told, list) or len(told) > MOST_FIELDS:
        raise _schema(told, _("Give a list of at most %(n)d fields.") % {"n": MOST_FIELDS})
    names: set[str] = set()
    for field in told:
        if not isinstance(field, dict) or not _NAME.fullmatch(str(field.get("name", ""))):
            raise _schema(field, _("A field needs a name of small letters, digits and underscores."))
        if field["name"] in names:
            raise _schema(field["name"], _("This name occurs twice."))
        names.add(field["name"])
        _check_field(field)
    return told


def _check_field(field: dict[str, Any]) -> None:
    label = field.get("label")
    pair = isinstance(label, list) and len(label) == 2 and all(isinstance(word, str) and word.strip() for word in label)
    if not pair:
        raise _schema(label, _("A field needs its label in Chinese and English."))
    if field.get("type", "text") not in FIELD_TYPES:
        raise _schema(field.get("type"), _("The type is one of: %(types)s.") % {"types": ", ".join(FIELD_TYPES)})
    choices = field.get("choices", [])
    rows = isinstance(choices, list) and all(
        isinstance(row, list) and len(row) == 3 and all(isinstance(word, str) for word in row) for row in choices
    )
    if not rows or (field.get("type") == "choice") != bool(choices):
        raise _schema(field["name"], _("Choices are rows of value, Chinese and English; only a choice has them."))
    if unknown := set(field) - {"name", "label", "type", "required", "longest", "least", "most", "choices"}:
        raise _schema(", ".join(sorted(unknown)), _("A field has no such property."))
    for name in ("longest", "least", "most"):
        if name in field and (isinstance(field[name], bool) or not isinstance(field[name], int)):
            raise _schema(field[name], _("“%(name)s” is a whole number.") % {"name": name})


def _schema(value: Any, message: str) -> RuleBroken:
    return RuleBroken.at("fields", str(value)[:80], message, "wrong_schema")


def checked_fields(kind: KindSpec, given: dict[str, Any], *, lenient: bool = False) -> dict[str, Any]:
    """The values of a kind's fields as they are stored; empty ones are left out.

    Args:
        kind: With the fields that hold at the union.
        given: By name, as text or as JSON values.
        lenient: A required field may be missing: the hotline and other systems know only what they were told.

    Raises:
        RuleBroken: with every problem, each at its field.
    """
    values: dict[str, Any] = {}
    known = {field.name: field for field in kind.fields}
    strange = sorted(set(given) - set(known))
    problems = [Problem(name, "", _("This kind has no such field."), "unknown") for name in strange]
    for name, field in known.items():
        told = given.get(name)
        if told is None or (isinstance(told, str) and not told.strip()):
            if field.required and not lenient:
                problems.append(Problem(name, "", _("“%(field)s” is needed.") % {"field": field.title}, "missing"))
            continue
        try:
            values[name] = _value(field, told)
        except ValueError as error:
            problems.append(Problem(name, str(told)[:40], str(error), "invalid"))
    if problems:
        raise RuleBroken(problems)
    return values


def _value(field: FieldSpec, told: Any) -> Any:
    """One value; ValueError says what is wrong."""
    text = " ".join(str(told).split())
    match field.type:
        case "choice":
            if text not in {value for value, _chinese, _english in field.choices}:
                raise ValueError(
                    _("Choose one of: %(choices)s.")
                    % {"choices": ", ".join(words for _value, words in field.choice_titles)}
                )
            return text
        case "number":
            return _within(field, _whole(text))
        case "money":
            # JSON values from our own store are fen already; what people type is yuan.
            return _within(field, told if isinstance(told, int) and not isinstance(told, bool) else _fen(text))
        case "date":
            try:
                return date.fromisoformat(text).isoformat()
            except ValueError:
                raise ValueError(_("Give a date such as 2026-05-01.")) from None
        case "yes_no":
            if text.lower() in {"true", "yes", "on", "1", "是", "有"}:
                return True
            if text.lower() in {"false", "no", "off", "0", "否", "无"}:
                return False
            raise ValueError(_("Say yes or no."))
    if len(text) > field.longest:
        raise ValueError(
            _("%(given)d characters; at most %(limit)d fit.") % {"given": len(text), "limit": field.longest}
        )
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise ValueError(_("Give a whole number."))
    return int(text)


def _fen(text: str) -> int:
    try:
        fen = Decimal(text.replace(",", "")) * 100
    except InvalidOperation:
        fen = None
    if fen is None or not fen.is_finite() or fen != fen.to_integral_value() or abs(fen) > 10**14:
        raise ValueError(_("Give an amount in yuan such as 1200 or 35.50."))
    return int(fen)


def _within(field: FieldSpec, value: int) -> int:
    if field.least is not None and value < field.least:
        raise ValueError(_("At least %(limit)s.") % {"limit": field.shown(field.least)})
    if field.most is not None and value > field.most:
        raise ValueError(_("At most %(limit)s.") % {"limit": field.shown(field.most)})
    return value
