"""What the columns of a file mean: guessed from their headers, or said by the person who brings it."""

from __future__ import annotations

import re
from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.geo import Datum, UnknownDatum
from yizhan.unions.errors import Problem, RuleBroken

Mapping = dict[str, int]  # field (or `offer:CODE`) → position of its column
OFFER = "offer:"
_LOOSE = 100


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
        "contact_is_service",
        gettext_lazy("Contact is a service number"),
        ("联系电话为服务电话", "是否服务电话", "contactisaservicenumber"),
    ),
    Field(
        "access", gettext_lazy("How to enter"), ("如何进入", "进入方式", "进门方式", "开门方式", "howtoenter", "access")
    ),
    Field("access_note", gettext_lazy("Note on entering"), ("进入说明", "进门说明", "noteonentering", "accessnote")),
    Field("users", gettext_lazy("Who may use it"), ("服务对象", "面向人群", "使用对象", "whomayuseit", "users")),
    Field("capacity", gettext_lazy("Seats"), ("座位数", "座位", "可容纳人数", "容纳人数", "seats", "capacity")),
    Field(
        "host",
        gettext_lazy("Host"),
        ("场地提供单位", "场地单位", "依托单位", "共建单位", "host"),
    ),
    Field("operator", gettext_lazy("Operator"), ("运营工会", "运营单位", "管理工会", "operator")),
    Field("funder", gettext_lazy("Funder"), ("出资工会", "出资单位", "funder")),
    Field("entrance_lon", gettext_lazy("Longitude of the door"), ("入口经度", "门口经度", "longitudeofthedoor")),
    Field("entrance_lat", gettext_lazy("Latitude of the door"), ("入口纬度", "门口纬度", "latitudeofthedoor")),
    Field(
        "parking_lon",
        gettext_lazy("Longitude of e-bike parking"),
        ("停车点经度", "电动车停放点经度", "longitudeofe-bikeparking"),
    ),
    Field(
        "parking_lat",
        gettext_lazy("Latitude of e-bike parking"),
        ("停车点纬度", "电动车停放点纬度", "latitudeofe-bikeparking"),
    ),
    Field("equipment", gettext_lazy("Equipment"), ("设备", "设备清单", "配备设备", "equipment")),
    Field("identifier", gettext_lazy("Identifier"), ("标识", "identifier", "publicid")),
    Field(
        "source_id",
        gettext_lazy("Number at the source"),
        ("站点编号", "编号", "编码", "id", "sourceid", "number", "code"),
    ),
)
_BY_NAME = {field.name: field for field in FIELDS}
_DATUM_ENDING = re.compile(r"(?:^|[^a-z0-9])(wgs-?84|cgcs2000|gcj-?02|bd-?09(?:ll)?)[)）]?$", re.IGNORECASE)


def guess_mapping(headers: Sequence[str], datum: Datum | None, words: Lookup[str, str] | None = None) -> Mapping:
    """The columns that can be told from their headers.

    Of several columns for one field the best header wins, and a header that is one field's own name is no other's. A
    longitude or latitude column that names a datum (`lng_gcj02`) is only taken when that is `datum`. Columns that are
    called like an offer (`words`: codes by name), with a mark in their cells, come as `offer:CODE`.
    """
    mapping: Mapping = {}
    ranks = [
        (rank, position, field.name)
        for field in FIELDS
        for position, header in enumerate(headers)
        if (rank := _rank(field, header)) is not None and not _other_datum(field, header, datum)
    ]
    for exact in (True, False):
        for field in FIELDS:
            fitting = [
                (rank, position)
                for rank, position, name in ranks
                if name == field.name and (rank < _LOOSE) is exact and position not in mapping.values()
            ]
            if fitting and field.name not in mapping:
                mapping[field.name] = min(fitting)[1]
    for position, header in enumerate(headers):
        code = (words or {}).get(_plain(header))
        if code is not None and position not in mapping.values():
            mapping.setdefault(f"{OFFER}{code}", position)
    return mapping


def label_of(name: str) -> str:
    """What a field is called; an offer's column by its code."""
    return str(_BY_NAME[name].label) if name in _BY_NAME else name.removeprefix(OFFER)


def parse_mapping(text: str, headers: Sequence[str]) -> Mapping:
    """`name=名称,lon=经度` as columns of the file.

    Raises:
        RuleBroken: a field or a column is unknown; names the ones there are.
    """
    chosen: dict[str, str] = {}
    problems: list[Problem] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, header = (piece.strip() for piece in part.partition("="))
        if not sign or not (name in _BY_NAME or name.startswith(OFFER)):
            problems.append(
                Problem(
                    "columns",
                    part[:60],
                    _("Write FIELD=COLUMN, where FIELD is one of: %(fields)s.")
                    % {"fields": ", ".join([*_BY_NAME, f"{OFFER}CODE"])},
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


def _other_datum(field: Field, header: str, datum: Datum | None) -> bool:
    """Whether it is a position in another datum than the one that was given."""
    stated = datum_in_header(header)
    return field.name in {"lon", "lat"} and stated is not None and datum is not None and stated is not datum


def _plain(header: str) -> str:
    return re.sub(r"[\s_()（）:：*-]+", "", _DATUM_ENDING.sub("", header)).casefold()


def _rank(field: Field, header: str) -> int | None:
    """How well a header fits a field, 0 is best, from `_LOOSE` on it only contains the name; None: not at all."""
    plain = _plain(header)
    if not plain:
        return None
    for rank, name in enumerate(field.headers):
        if plain == _plain(name):
            return rank
    for rank, name in enumerate(field.headers):
        if not name.isascii() and len(name) > 1 and name in plain:
            return _LOOSE + rank
    return None
