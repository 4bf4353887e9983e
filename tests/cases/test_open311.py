"""GeoReport v2 as its clients use it. The schemas say what the specification says of each answer; the published ones of
the Open311 project are used, too, where the folder `YIZHAN_TEST_OPEN311_SCHEMAS` holds them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from django.test import Client

from tests.cases.case_makers import make_case
from tests.conftest import PostMaker, UnionTree
from yizhan.cases.models import Case, CaseState
from yizhan.cases.services.kinds import create_client, revoke_client
from yizhan.cases.services.steps import accept_case, propose_result
from yizhan.cases.services.verdict import confirm_result

_TEXT = {"type": ["string", "null"]}
_TIME = {"type": ["string", "null"], "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
SERVICE = {
    "type": "object",
    "required": ["service_code", "service_name", "metadata", "type"],
    "properties": {
        "service_code": {"type": "string"},
        "service_name": {"type": "string"},
        "description": _TEXT,
        "metadata": {"type": "boolean"},
        "type": {"enum": ["realtime", "batch", "blackbox"]},
        "keywords": _TEXT,
        "group": _TEXT,
    },
}
DEFINITION = {
    "type": "object",
    "required": ["service_code", "attributes"],
    "properties": {
        "attributes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["variable", "code", "datatype", "required"],
                "properties": {
                    "variable": {"type": "boolean"},
                    "required": {"type": "boolean"},
                    "datatype": {"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
                    "order": {"type": "integer"},
                    "values": {"type": "array", "items": {"type": "object", "required": ["key", "name"]}},
                },
            },
        }
    },
}
REQUEST = {
    "type": "object",
    "required": ["service_request_id", "status", "service_code", "requested_datetime"],
    "properties": {
        "service_request_id": {"type": "string"},
        "status": {"enum": ["open", "closed"]},
        "description": {"type": ["string", "null"], "maxLength": 4000},
        "requested_datetime": {**_TIME, "type": "string"},
        "updated_datetime": _TIME,
        "expected_datetime": _TIME,
        "lat": {"type": ["number", "null"]},
        "long": {"type": ["number", "null"]},
    },
}
_PUBLISHED = os.environ.get("YIZHAN_TEST_OPEN311_SCHEMAS", "")


def valid(schema: dict[str, Any], name: str, content: Any) -> None:
    """Each item fits the specification's schema, and the published one where it is at hand."""
    schemas = [schema]
    if _PUBLISHED:
        schemas.append(json.loads((Path(_PUBLISHED) / f"{name}.json").read_text()))
    for one in schemas:
        for item in content if isinstance(content, list) else [content]:
            jsonschema_rs.validate(one, item)


@pytest.fixture
def key(tree: UnionTree, post: PostMaker) -> str:
    return create_client(tree.zhongyuan, name="城市热线", actor=post(tree.zhongyuan))[1]


def file(key: str, form: str = "json", **told: str) -> Any:
    values = {"service_code": "need", "description": "没有热水", "lat": "34.75", "long": "113.62", **told}
    return Client().post(f"/open311/v2/requests.{form}", {"api_key": key, **values})


def test_kinds_are_listed_but_no_confidential_one(tree: UnionTree, post: PostMaker) -> None:
    services = Client().get("/open311/v2/services.json", {"jurisdiction_id": "410102"}).json()
    valid(SERVICE, "service", services)
    assert {service["service_code"] for service in services} == {
        "need", "wish", "suggestion", "consultation", "station_fault",
    }  # fmt: skip
    for service in services:
        told = Client().get(f"/open311/v2/services/{service['service_code']}.json").json()
        valid(DEFINITION, "service-definition", told)
        assert bool(told["attributes"]) is service["metadata"]
    assert Client().get("/open311/v2/services/rights.json").status_code == 404
    assert Client().get("/open311/v2/services.json", {"jurisdiction_id": "999999"}).status_code == 404
    assert Client().get("/open311/discovery.json").json()["endpoints"][0]["specification"]


def test_a_case_is_filed_followed_and_closed(tree: UnionTree, post: PostMaker, key: str) -> None:
    made = file(key, **{"attribute[about]": "rest", "first_name": "刚", "last_name": "赵", "phone": "13800138000"})
    assert made.status_code == 201
    number = made.json()[0]["service_request_id"]
    case = Case.objects.with_scopes_disabled().get(number=number)
    assert (case.union, case.fields, case.lon, case.contact_name) == (
        tree.zhongyuan,
        {"about": "rest"},
        113.62,
        "赵 刚",
    )
    public = Client().get(f"/open311/v2/requests/{number}.json").json()
    valid(REQUEST, "request", public)
    assert public[0]["description"] is None
    assert public[0]["lat"] is None
    mine = Client().get(f"/open311/v2/requests/{number}.json", {"api_key": key}).json()
    valid(REQUEST, "request", mine)
    assert (mine[0]["description"], mine[0]["status"]) == ("没有热水", "open")
    boss = post(tree.zhongyuan)
    accept_case(case, actor=boss)
    propose_result(case, actor=boss, words="已接通")
    confirm_result(case, stars=5)
    closed = Client().get("/open311/v2/requests.json", {"status": "closed"}).json()
    valid(REQUEST, "request", closed)
    assert [one["service_request_id"] for one in closed] == [number]
    assert Client().get("/open311/v2/requests.json", {"status": "open"}).json() == []
    token = Client().get(f"/open311/v2/tokens/{case.public_id}.json").json()
    assert token[0]["service_request_id"] == number


def test_xml_says_the_same(tree: UnionTree, post: PostMaker, key: str) -> None:
    root = ET.fromstring(Client().get("/open311/v2/services.xml").content)  # noqa: S314 - our own answer
    assert root.tag == "services"
    assert {service.findtext("metadata") for service in root.iter("service")} <= {"true", "false"}
    made = ET.fromstring(file(key, "xml").content)  # noqa: S314 - our own answer
    number = made.findtext("request/service_request_id")
    shown = ET.fromstring(Client().get(f"/open311/v2/requests/{number}.xml").content)  # noqa: S314 - our own answer
    assert (shown.tag, shown.findtext("request/status")) == ("service_requests", "open")
    refused = ET.fromstring(file("wrong", "xml").content)  # noqa: S314 - our own answer
    assert (refused.tag, refused.findtext("error/code")) == ("errors", "403")


def test_what_is_wrong_is_refused_as_the_specification_wants(tree: UnionTree, post: PostMaker, key: str) -> None:
    for status, told in (
        (400, {"description": ""}),
        (400, {"lat": "north"}),
        (400, {"lat": "91"}),
        (400, {"attribute[about]": "nonsense"}),
        (400, {"attribute[unknown]": "1"}),
        (404, {"service_code": "rights"}),
        (400, {"service_code": ""}),
        (404, {"jurisdiction_id": "999999"}),
        (403, {"jurisdiction_id": "410105"}),
    ):
        response = file(key, **told)
        assert response.status_code == status, told
        assert response.json()[0]["code"] == status
        assert response.json()[0]["description"]
    assert Client().get("/open311/v2/requests.json", {"start_date": "yesterday"}).status_code == 400
    assert Client().get("/open311/v2/requests/1.json").status_code == 404
    assert Client().get("/open311/v2/tokens/1.json").status_code == 404
    assert not Case.objects.with_scopes_disabled().exists()


def test_a_revoked_key_files_no_more_and_cases_from_elsewhere_are_not_shown(tree: UnionTree, post: PostMaker) -> None:
    boss = post(tree.zhongyuan)
    client, key = create_client(tree.zhongyuan, name="热线", actor=boss)
    revoke_client(client, actor=boss)
    assert file(key).status_code == 403
    case = make_case(tree.zhongyuan, actor=boss)
    assert Client().get(f"/open311/v2/requests/{case.number}.json").status_code == 404
    assert Client().get("/open311/v2/requests.json").json() == []
    assert case.state == CaseState.SUBMITTED
