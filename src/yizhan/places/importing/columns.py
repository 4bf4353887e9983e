"""What the columns of a file mean: guessed from their headers, or said by the person who brings it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.geo import Datum, UnknownDatum
from yizhan.unions.errors import Problem, RuleBroken

Mapping = dict[str, int]  # field → position of its column


@dataclass(frozen=True, slots=True)
class Field:
    """Something that a column may hold. `headers` are the usual names, most telling first."""

    name: str
    label: object
    headers: tuple[str, ...]
    required: bool = False


FIELDS: tuple[Field, ...] = (
    Field(
        "name",
        gettext_lazy("Name"),
        ("站点名称", "驿站名称", "场所名称", "网点名称", "名称", "站名", "驿站", "name", "title"),
        required=True,
    ),
    Field("address", gettext_lazy("Address"), ("详细地址", "地址", "位置", "地点", "address", "addr")),
    Field(
        "district",
        gettext_lazy("District"),
        (
            "所属区县",
            "所在区县",
            "区县",
            "区（县）",
            "所属区域",
            "行政区",
            "辖区",
            "区域",
            "县区",
            "district",
            "county",
        ),
    ),
    Field(
        "lon",
        gettext_lazy("Longitude"),
        ("经度", "lon", "lng", "longitude", "long", "x"),
        required=True,
    ),
    Field("lat", gettext_lazy("Latitude"), ("纬度", "lat", "latitude", "y"), required=True),
    Field(
        "hours",
        gettext_lazy("Hours"),
        ("开放时间", "营业时间", "服务时间", "时间", "openhours", "openinghours", "hours"),
    ),
    Field("kind", gettext_lazy("Kind"), ("类型", "类别", "种类", "站点类型", "kind", "type", "category")),
    Field(
        "offers", gettext_lazy("Offers"), ("服务项目", "服务内容", "设施", "服务", "offers", "services", "amenities")
    ),
    Field(
        "contact",
        gettext_lazy("Contact"),
        ("联系电话", "服务电话", "电话", "联系方式", "contact", "phone", "tel", "telephone"),
    ),
    Field("datum", gettext_lazy("Datum"), ("坐标系", "坐标系统", "基准", "datum", "crs")),
    Field(
        "source_id",
        gettext_lazy("Number at the source"),
        ("站点编号", "编号", "编码", "id", "sourceid", "number", "code"),
    ),
)
_BY_NAME = {field.name: field for field in FIELDS}
_DATUM_ENDING = re.compile(r"(?:^|[^a-z0-9])(wgs-?84|cgcs2000|gcj-?02|bd-?09(?:ll)?)[)）]?$", re.IGNORECASE)


def guess_mapping(headers: Sequence[str], datum: Datum | None) -> Mapping:
    """The columns that can be told from their headers.

    Of several columns for one field the best header wins. A longitude or latitude column that names a datum
    (`lng_gcj02`) is only taken when that is `datum`.
    """
    mapping: Mapping = {}
    for field in FIELDS:
        best: tuple[int, int] | None = None
        for position, header in enumerate(headers):
            stated = datum_in_header(header)
            if field.name in {"lon", "lat"} and stated is not None and datum is not None and stated is not datum:
                continue
            rank = _rank(field, header)
            if rank is not None and position not in mapping.values() and (best is None or (rank, position) < best):
                best = (rank, position)
        if best is not None:
            mapping[field.name] = best[1]
    return mapping


def parse_mapping(text: str, headers: Sequence[str]) -> Mapping:
    """`name=名称,lon=经度` as columns of the file.

    Raises:
        RuleBroken: a field or a column is unknown; names the ones there are.
    """
    chosen: dict[str, str] = {}
    problems: list[Problem] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, header = (piece.strip() for piece in part.partition("="))
        if not sign or name not in _BY_NAME:
            problems.append(
                Problem(
                    "columns",
                    part[:60],
                    _("Write FIELD=COLUMN, where FIELD is one of: %(fields)s.") % {"fields": ", ".join(_BY_NAME)},
                    "unknown_field",
                )
            )
        else:
            chosen[name] = header
    if problems:
        raise RuleBroken(problems)
    return mapping_of(chosen, headers)


def mapping_of(chosen: dict[str, str], headers: Sequence[str]) -> Mapping:
    """Columns by their headers.

    Raises:
        RuleBroken: the file has no such column.
    """
    problems = [
        Problem(
            "columns",
            header[:60],
            _("The file has no column “%(header)s”; it has: %(headers)s.")
            % {"header": header, "headers": "、".join(h for h in headers if h)},
            "unknown_column",
        )
        for header in chosen.values()
        if header not in headers
    ]
    if problems:
        raise RuleBroken(problems)
    return {name: headers.index(header) for name, header in chosen.items()}


def check_mapping(mapping: Mapping, headers: Sequence[str], datum: Datum | None) -> None:
    """Whether the columns suffice and agree with the datum.

    Raises:
        RuleBroken: a needed column is missing, or a column's header names another datum than the one given.
    """
    names = "、".join(header for header in headers if header)
    problems = [
        Problem(
            "columns",
            field.name,
            _("No column was found for “%(field)s”; the file has: %(headers)s.")
            % {"field": field.label, "headers": names},
            "missing_column",
        )
        for field in FIELDS
        if field.required and field.name not in mapping
    ]
    for name in ("lon", "lat"):
        stated = datum_in_header(headers[mapping[name]]) if name in mapping else None
        if stated is not None and datum is not None and stated is not datum:
            problems.append(
                Problem(
                    "datum",
                    str(datum),
                    _("The column “%(header)s” says %(stated)s, but you said %(given)s.")
                    % {"header": headers[mapping[name]], "stated": stated.value, "given": datum.value},
                    "contradicted_datum",
                )
            )
    if problems:
        raise RuleBroken(problems)


def datum_in_header(header: str) -> Datum | None:
    """The datum that a header names, as in `lng_gcj02` or “经度(WGS84)”."""
    match = _DATUM_ENDING.search(header.strip())
    if match is None:
        return None
    try:
        return Datum.parse(match.group(1))
    except UnknownDatum:
        return None


def _rank(field: Field, header: str) -> int | None:
    """How well a header fits a field, 0 is best; None: not at all."""
    plain = re.sub(r"[\s_()（）:：*-]+", "", _DATUM_ENDING.sub("", header)).casefold()
    if not plain:
        return None
    for rank, name in enumerate(field.headers):
        known = re.sub(r"[\s_()（）-]+", "", name).casefold()
        if plain == known:
            return rank
    for rank, name in enumerate(field.headers):
        if not name.isascii() and len(name) > 1 and name in plain:
            return 100 + rank
    return None
