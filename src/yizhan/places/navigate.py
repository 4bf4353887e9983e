"""Links that open a place in the map programs people have, each in its own datum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from yizhan.geo import Datum

from .models import Place

_WITHOUT_SEPARATORS = str.maketrans(",:;|", "    ")


@dataclass(frozen=True, slots=True)
class Way:
    """One link: what to call it, where it leads, and the datum of the position in it."""

    label: str
    url: str
    datum: Datum


def ways_there(place: Place) -> list[Way]:
    """Links for AMap and Tencent (GCJ-02) and Baidu (BD-09), by the URI interfaces that they publish."""
    gcj_lon, gcj_lat = place.position(Datum.GCJ02)
    bd_lon, bd_lat = place.position(Datum.BD09)
    # Commas, colons and semicolons part the fields of these interfaces, so that a name cannot hold them.
    name, address = (text.translate(_WITHOUT_SEPARATORS) for text in (place.name, place.address))
    amap: dict[str, Any] = {
        "to": f"{gcj_lon:.6f},{gcj_lat:.6f},{name}",
        "mode": "ride",
        "coordinate": "gaode",
        "callnative": "1",
        "src": "yizhan",
    }
    baidu = {
        "location": f"{bd_lat:.6f},{bd_lon:.6f}",
        "title": name,
        "content": address or name,
        "coord_type": "bd09ll",
        "output": "html",
        "src": "webapp.yizhan",
    }
    tencent = {
        "type": "bike",
        "to": name,
        "tocoord": f"{gcj_lat:.6f},{gcj_lon:.6f}",
        "referer": "yizhan",
    }
    return [
        Way(_("AMap"), f"https://uri.amap.com/navigation?{_query(amap)}", Datum.GCJ02),
        Way(_("Baidu Maps"), f"https://api.map.baidu.com/marker?{_query(baidu)}", Datum.BD09),
        Way(_("Tencent Maps"), f"https://apis.map.qq.com/uri/v1/routeplan?{_query(tencent)}", Datum.GCJ02),
    ]


def _query(parts: dict[str, Any]) -> str:
    return urlencode(parts, quote_via=quote, safe=",")
