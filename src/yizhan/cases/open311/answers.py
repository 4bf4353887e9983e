"""The answers of GeoReport v2 as values, and their two forms: JSON and XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import msgspec
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from yizhan.cases.kinds import FieldSpec, KindSpec, title_of
from yizhan.cases.models import OPEN_STATES, Case
from yizhan.cases.queries.desk import due_of

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_TYPES: Final = {
    "text": "string",
    "choice": "singlevaluelist",
    "number": "number",
    "money": "number",
    "date": "datetime",
    "yes_no": "singlevaluelist",
}
# The names of one thing within a list, in XML.
_ITEMS: Final = {
    "services": "service",
    "service_requests": "request",
    "attributes": "attribute",
    "values": "value",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}


def service_of(kind: KindSpec) -> dict[str, Any]:
    """A kind as a service type."""
    return {
        "service_code": kind.code,
        "service_name": kind.title,
        "description": kind.explanation,
        "metadata": bool(kind.fields),
        "type": "realtime",
        "keywords": "",
        "group": _("Union service"),
    }


def definition_of(kind: KindSpec) -> dict[str, Any]:
    """The fields of a kind as a service definition."""
    return {
        "service_code": kind.code,
        "attributes": [_attribute(order, field) for order, field in enumerate(kind.fields, start=1)],
    }


def _attribute(order: int, field: FieldSpec) -> dict[str, Any]:
    values = [{"key": key, "name": name} for key, name in field.choice_titles]
    if field.type == "yes_no":
        values = [{"key": "yes", "name": _("Yes")}, {"key": "no", "name": _("No")}]
    return {
        "variable": True,
        "code": field.name,
        "datatype": _TYPES[field.type],
        "required": field.required,
        "datatype_description": _("Amount in yuan") if field.type == "money" else "",
        "order": order,
        "description": field.title,
        **({"values": values} if values else {}),
    }


def request_of(case: Case, *, updated_at: datetime, is_filer: bool) -> dict[str, Any]:
    """A case as a service request; what was said and where only for the system that filed it."""
    due = due_of(case)
    return {
        "service_request_id": case.number,
        "status": "open" if case.state in OPEN_STATES else "closed",
        "status_notes": case.get_state_display(),
        "service_name": title_of(case.kind),
        "service_code": case.kind,
        "description": case.text[:4000] if is_filer else None,
        "agency_responsible": case.union.name,
        "service_notice": None,
        "requested_datetime": moment(case.submitted_at),
        "updated_datetime": moment(updated_at),
        "expected_datetime": moment(due) if due else None,
        "address": case.address if is_filer else None,
        "address_id": None,
        "zipcode": None,
        "lat": case.lat if is_filer else None,
        "long": case.lon if is_filer else None,
        "media_url": None,
    }


def moment(at: datetime) -> str:
    """W3C date and time with the offset of China."""
    return at.astimezone(_SHANGHAI).isoformat(timespec="seconds")


def answer(
    root: str, content: Sequence[Mapping[str, Any]] | Mapping[str, Any], *, form: str, status: int = 200
) -> HttpResponse:
    """The content as a response.

    Raises:
        Http404: a form that is neither `json` nor `xml`.
    """
    if form == "json":
        body, kind = msgspec.json.encode(content), "application/json; charset=utf-8"
    elif form == "xml":
        body, kind = _xml(root, content), "text/xml; charset=utf-8"
    else:
        raise Http404
    response = HttpResponse(body, content_type=kind, status=status)
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "no-store"
    return response


def refusal(form: str, status: int, description: str) -> HttpResponse:
    """An error as the specification wants it: a list with code and description."""
    safe = form if form in {"json", "xml"} else "json"
    return answer("errors", [{"code": status, "description": description}], form=safe, status=status)


def _xml(root: str, content: Any) -> bytes:
    element = ET.Element(root)
    _fill(element, root, content)
    return bytes(ET.tostring(element, encoding="utf-8", xml_declaration=True))


def _fill(element: ET.Element, name: str, content: Any) -> None:
    if isinstance(content, Mapping):
        for key, value in content.items():
            _fill(ET.SubElement(element, key), key, value)
    elif isinstance(content, list | tuple):
        for item in content:
            _fill(ET.SubElement(element, _ITEMS.get(name, "item")), "", item)
    elif isinstance(content, bool):
        element.text = "true" if content else "false"
    elif content is not None:
        element.text = str(content)
