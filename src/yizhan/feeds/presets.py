"""What is known beforehand of how a kind of partner wants the directory: datum, fields, codes, and the way to it.

Fields that are mapped are those of `showing` in `payloads.py`; `=text` gives the text itself. A dot in a partner's name
of a field makes an object within an object. None of the presets was tried against the partner's live system, since
that needs a contract and a key: each says so, and says from which public documentation it is made, or that there is
none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum

from .models.partners import Carrier, FileForm


@dataclass(frozen=True, slots=True)
class Preset:
    """How one kind of partner takes the directory.

    Attributes:
        code: Stays the same for ever.
        label: What staff call it.
        datum: Of the positions that it gets.
        carrier: How it gets them, unless agreed otherwise.
        mapping: Partner's field → ours.
        categories: Our kind of place → the partner's category; kinds that are left out keep our own code.
        platform: Whose API is spoken, for the carrier `platform`.
        address: Where that API is.
        form: Of files.
        documentation: Address of the public documentation from which this was made; empty: there is none.
        note: What whoever sets it up must know.
    """

    code: str
    label: Any
    datum: Datum
    carrier: Carrier
    mapping: Mapping[str, str]
    note: Any
    categories: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    address: str = ""
    form: FileForm = FileForm.XLSX
    documentation: str = ""


# The generic shape, in the words that places are registered with by hand; also that of our own import.
_TABLE = {
    "编号": "id",
    "名称": "name",
    "类型": "category",
    "地址": "address",
    "区县": "district",
    "经度": "lon",
    "纬度": "lat",
    "坐标系": "datum",
    "营业时间": "hours_text",
    "电话": "contact",
    "服务项目": "offers_text",
    "状态": "status_text",
    "主管工会": "union",
    "链接": "url",
    "更新时间": "changed_at",
}
# The generic shape for programs: our own names.
_OBJECT = {
    name: name
    for name in (
        "id",
        "name",
        "kind",
        "category",
        "address",
        "district",
        "lon",
        "lat",
        "datum",
        "hours",
        "hours_text",
        "contact",
        "offers",
        "access",
        "users",
        "union",
        "url",
        "changed_at",
    )
}
_NOT_PUBLIC = _("This company publishes no interface for such data, so this is our generic form.")

_KINDS_ZH = {
    "station": "工会驿站",
    "restaurant": "爱心餐厅",
    "repair_point": "爱心修车救援点",
    "driver_home": "司机之家",
    "other": "其他服务点",
}

PRESETS: dict[str, Preset] = {
    preset.code: preset
    for preset in (
        Preset(
            code="union_app",
            label=_("12351 app and the like"),
            datum=Datum.GCJ02,
            carrier=Carrier.WEBHOOK,
            mapping=_OBJECT,
            categories=_KINDS_ZH,
            note=_("The apps of the federations publish no interface, so this is our generic form."),
        ),
        Preset(
            code="amap",
            label=_("AMap"),
            datum=Datum.GCJ02,
            carrier=Carrier.PLATFORM,
            mapping={
                "_name": "name",
                "_location": "lonlat",
                "_address": "address",
                "coordtype": "=2",
                "station_id": "id",
                "category": "category",
                "telephone": "contact",
                "opentime": "hours_text",
                "services": "offers_text",
                "url": "url",
            },
            categories=_KINDS_ZH,
            platform="amap",
            address="https://yuntuapi.amap.com",
            form=FileForm.CSV,
            documentation="https://lbs.amap.com/api/yuntu/reference/cloudstorage",
            note=_(
                "Fills a table of the cloud map (云图) that belongs to your key; whether AMap shows it to everyone is "
                "agreed with AMap. Its table needs the own columns station_id (indexed for filters), category, "
                "telephone, opentime, services and url."
            ),
        ),
        Preset(
            code="baidu",
            label=_("Baidu Maps"),
            datum=Datum.BD09,
            carrier=Carrier.PLATFORM,
            mapping={
                "title": "name",
                "address": "address",
                "longitude": "lon",
                "latitude": "lat",
                "coord_type": "=3",
                "tags": "category",
                "station_id": "id",
                "telephone": "contact",
                "opentime": "hours_text",
                "services": "offers_text",
                "link": "url",
            },
            categories=_KINDS_ZH,
            platform="baidu",
            address="https://api.map.baidu.com",
            form=FileForm.CSV,
            documentation="https://lbsyun.baidu.com/index.php?title=lbscloud/api/geodataV4",
            note=_(
                "Fills a table of the LBS cloud (geotable) that belongs to your key; Baidu takes no new customers for "
                "some of its versions. Its table needs the own columns station_id (unique), telephone, opentime, "
                "services and link. Whether Baidu shows it to everyone is agreed with Baidu."
            ),
        ),
        Preset(
            code="tencent",
            label=_("Tencent Maps"),
            datum=Datum.GCJ02,
            carrier=Carrier.PLATFORM,
            mapping={
                "ud_id": "id",
                "title": "name",
                "location.lat": "lat",
                "location.lng": "lon",
                "address": "address",
                "tel": "contact",
                "x.category": "category",
                "x.opentime": "hours_text",
                "x.services": "offers_text",
                "x.url": "url",
            },
            categories=_KINDS_ZH,
            platform="tencent",
            address="https://apis.map.qq.com",
            form=FileForm.XLSX,
            documentation="https://lbs.qq.com/service/placeCloud/placeCloudGuide/cloudDataManage",
            note=_(
                "Fills a table of the place cloud (地点云) that belongs to your key; it needs unique ud_id switched on "
                "and the own fields category, opentime, services and url. Whether Tencent shows it to everyone is "
                "agreed with Tencent."
            ),
        ),
        Preset(
            code="meituan",
            label=_("Meituan"),
            datum=Datum.GCJ02,
            carrier=Carrier.EMAIL,
            mapping=_TABLE,
            categories=_KINDS_ZH,
            note=_NOT_PUBLIC,
        ),
        Preset(
            code="eleme",
            label=_("Ele.me"),
            datum=Datum.GCJ02,
            carrier=Carrier.EMAIL,
            mapping=_TABLE,
            categories=_KINDS_ZH,
            note=_NOT_PUBLIC,
        ),
        Preset(
            code="didi",
            label=_("Didi"),
            datum=Datum.GCJ02,
            carrier=Carrier.SFTP,
            mapping=_TABLE,
            categories=_KINDS_ZH,
            form=FileForm.CSV,
            note=_NOT_PUBLIC,
        ),
        Preset(
            code="generic",
            label=_("Another partner"),
            datum=Datum.WGS84,
            carrier=Carrier.WEBHOOK,
            mapping=_OBJECT,
            note=_("Our own names and codes; change them as the partner wants them."),
        ),
    )
}
