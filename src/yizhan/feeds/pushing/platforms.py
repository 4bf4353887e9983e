"""The carrier `platform`: tables of places that map platforms keep for whoever has a key.

Made from public documentation, and tried against receivers that were written from the same documentation; never against
the platforms themselves, which needs a contract and a key. Presets say where the documentation is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec

from yizhan.feeds.models import Partner
from yizhan.feeds.payloads import mapped
from yizhan.feeds.presets import PRESETS
from yizhan.unions.webhooks import Answer, Receivers

from .loads import Item, Load, Result

_FORM, _JSON = "application/x-www-form-urlencoded; charset=utf-8", "application/json"
_AGENT = "yizhan-push/1"
_OURS = "station_id"  # the column of the table that holds our number


class Platform(Protocol):
    """What one platform wants to hear, and what its answer means."""

    def call(self, partner: Partner, item: Item) -> tuple[str, str, bytes]:
        """Path, content type and body with which a place is created, changed or removed."""

    def refusal(self, told: Mapping[str, Any]) -> str:
        """Why the platform did not do it; empty: it did."""

    def is_about_the_place(self, told: Mapping[str, Any]) -> bool:
        """Whether a refusal is about what was said of the place, not about the key, the quota or the platform."""

    def their_id(self, told: Mapping[str, Any]) -> str:
        """What it calls the place from now on; empty: it does not say."""

    def look_up(self, partner: Partner, item: Item) -> str:
        """Path and query of a GET that finds a place by our own number."""

    def found(self, told: Mapping[str, Any]) -> str:
        """What it calls the place that was looked up; empty: it has none."""


class Amap:
    """AMap's cloud map (云图 datamanage): forms, one place a request, an id of its own for each."""

    def call(self, partner: Partner, item: Item) -> tuple[str, str, bytes]:
        """See `Platform`."""
        fields = {"key": partner.platform_key or "", "tableid": partner.platform_table}
        if item.gone:
            return "/datamanage/data/delete", _FORM, urlencode({**fields, "ids": item.their_id}).encode()
        data = mapped(item.shown, partner.fields)
        if item.their_id:
            data["_id"] = item.their_id
        fields |= {"loctype": "1", "data": msgspec.json.encode(data).decode()}
        return f"/datamanage/data/{'update' if item.their_id else 'create'}", _FORM, urlencode(fields).encode()

    def refusal(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return "" if str(told.get("status")) == "1" else f"{told.get('infocode', '')} {told.get('info', '')}".strip()

    def is_about_the_place(self, told: Mapping[str, Any]) -> bool:
        """See `Platform`."""
        return str(told.get("infocode", "")).startswith("2")

    def their_id(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return str(told.get("_id") or "")

    def look_up(self, partner: Partner, item: Item) -> str:
        """See `Platform`."""
        asked = {"key": partner.platform_key or "", "tableid": partner.platform_table, "limit": "1", "page": "1"}
        return "/datamanage/data/list?" + urlencode({**asked, "filter": f"{_OURS}:{item.place}"})

    def found(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return _first(told.get("datas"), "_id")


class Baidu:
    """Baidu's LBS cloud (geodata v4): forms, one place a request, an id of its own for each."""

    def call(self, partner: Partner, item: Item) -> tuple[str, str, bytes]:
        """See `Platform`."""
        fields: dict[str, Any] = {"ak": partner.platform_key or "", "geotable_id": partner.platform_table}
        if item.their_id:
            fields["id"] = item.their_id
        if item.gone:
            return "/geodata/v4/poi/delete", _FORM, urlencode(fields).encode()
        fields |= mapped(item.shown, partner.fields)
        return f"/geodata/v4/poi/{'update' if item.their_id else 'create'}", _FORM, urlencode(fields).encode()

    def refusal(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return "" if str(told.get("status")) == "0" else f"{told.get('status', '')} {told.get('message', '')}".strip()

    def is_about_the_place(self, told: Mapping[str, Any]) -> bool:
        """See `Platform`."""
        status = _number(told.get("status"))
        return status in {2, 21, 31} or status >= 1_000

    def their_id(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return str(told.get("id") or "")

    def look_up(self, partner: Partner, item: Item) -> str:
        """See `Platform`."""
        asked = {"ak": partner.platform_key or "", "geotable_id": partner.platform_table, _OURS: str(item.place)}
        return "/geodata/v4/poi/list?" + urlencode(asked)

    def found(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return _first(told.get("pois"), "id")


class Tencent:
    """Tencent's place cloud (地点云): JSON, found again by our own number (`ud_id`)."""

    def call(self, partner: Partner, item: Item) -> tuple[str, str, bytes]:
        """See `Platform`."""
        told: dict[str, Any] = {"key": partner.platform_key or "", "table_id": partner.platform_table}
        if item.gone or item.their_id:
            told["filter"] = f'ud_id in("{item.place}")'
        if item.gone:
            return "/place_cloud/data/delete", _JSON, msgspec.json.encode(told)
        data = mapped(item.shown, partner.fields)
        if item.their_id:
            return "/place_cloud/data/update", _JSON, msgspec.json.encode({**told, "data": data})
        return "/place_cloud/data/create", _JSON, msgspec.json.encode({**told, "data": [data]})

    def refusal(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        if str(told.get("status")) != "0":
            return f"{told.get('status', '')} {told.get('message', '')}".strip()
        failed = _list_in(told, "failure")
        return str(failed[0].get("message") or "refused") if failed else ""

    def is_about_the_place(self, told: Mapping[str, Any]) -> bool:
        """See `Platform`."""
        status = _number(told.get("status"))
        return status == 0 or (300 <= status < 400 and status != 311)

    def their_id(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        done = _list_in(told, "success")
        return str(done[0].get("id") or "") if done else ""

    def look_up(self, partner: Partner, item: Item) -> str:
        """See `Platform`."""
        asked = {"key": partner.platform_key or "", "table_id": partner.platform_table}
        return "/place_cloud/data/list?" + urlencode({**asked, "filter": f'ud_id in("{item.place}")'})

    def found(self, told: Mapping[str, Any]) -> str:
        """See `Platform`."""
        return _first(_list_in(told, "data"), "id")


PLATFORMS: dict[str, Platform] = {"amap": Amap(), "baidu": Baidu(), "tencent": Tencent()}


async def carry(load: Load, receivers: Receivers) -> Result:
    """One request a place, in order, until one fails; before a place is created it is looked up.

    A worker may have been killed between creating a place and noting what the platform calls it: creating it again
    would leave one that nobody takes down. An answer that is not the platform's (a page of a proxy, nothing at all)
    counts as a failure, whatever its status.
    """
    partner = load.partner
    platform = PLATFORMS[PRESETS[partner.preset].platform]
    taken: list[Item] = []
    refused: dict[int, str] = {}
    theirs: dict[int, str] = {}
    answer = Answer(200, "HTTP 200")
    base = partner.address.rstrip("/")
    for item in load.items:
        known = item
        if not item.their_id:
            answer = await receivers.get(base + platform.look_up(partner, item), {"User-Agent": _AGENT})
            answer, told = _checked(answer)
            if told is None:
                break
            # A table in which our number cannot be looked up refuses; the place is created all the same.
            name = "" if platform.refusal(told) else platform.found(told)
            if not name and item.gone:
                taken.append(item)  # it never had it
                continue
            if name:
                theirs[item.listing] = name
                known = replace(item, their_id=name)
        path, kind, body = platform.call(partner, known)
        answer = await receivers.post(base + path, body, {"Content-Type": kind, "User-Agent": _AGENT})
        answer, told = _checked(answer)
        if told is None:
            break
        if why := platform.refusal(told):
            if not platform.is_about_the_place(told):
                answer = Answer(None, why)
                break
            refused[item.listing] = why
            continue
        taken.append(item)
        if name := platform.their_id(told):
            theirs[item.listing] = name
    return Result(answer, taken, refused, theirs)


def _checked(answer: Answer) -> tuple[Answer, Mapping[str, Any] | None]:
    """What the platform told; None: it was not the platform, and the answer says so."""
    told = _told(answer) if answer.is_taken else None
    if told is None and answer.is_taken:
        return Answer(None, f"{answer.words}: not an answer of the platform"), None
    return answer, told


def _told(answer: Answer) -> Mapping[str, Any] | None:
    try:
        told = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return told if isinstance(told, dict) and "status" in told else None


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdigit() and len(text) < 10 else -1


def _first(rows: Any, name: str) -> str:
    row = rows[0] if isinstance(rows, list) and rows else None
    return str(row.get(name) or "") if isinstance(row, dict) else ""


def _list_in(told: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    result = told.get("result")
    found = result.get(name) if isinstance(result, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
