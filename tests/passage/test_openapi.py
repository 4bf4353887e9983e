"""The document of the API tells the truth about the hot doors."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.passage.conftest import Desk
from tests.passage.test_pings_door import passing
from yizhan.passage.hot import routes
from yizhan.passage.openapi import PATHS, SCHEMAS
from yizhan.passage.services.sources import NewKey
from yizhan.site.api import api


def valid(body: Any, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(body)


def test_every_hot_door_is_described_and_every_description_has_a_door() -> None:
    doors = {(route.path, method) for route in routes for method in route.methods - {"HEAD"}}  # type: ignore[attr-defined]

    assert doors == {(path, method.upper()) for path, operations in PATHS.items() for method in operations}


@pytest.mark.django_db
def test_the_document_of_the_api_holds_them_with_their_key() -> None:
    document = api.get_openapi_schema()

    assert set(PATHS) <= set(document["paths"])
    assert document["components"]["securitySchemes"]["PingSourceKey"]["scheme"] == "bearer"


def test_answers_are_as_they_are_described(desk: Desk, source: NewKey) -> None:
    taken = desk.post(source.key, [*passing(desk.clock), ["a", desk.clock.ms, 0, 0]])
    assert taken.json()["reminders"]
    valid(taken.json(), "PingAnswer")
    for refused in (desk.post("yzp_wrong", []), desk.post(source.key, [], datum="Mars"), desk.post(source.key, {})):
        valid(refused.json(), "PassageProblem")


def test_the_described_example_is_what_the_door_takes(desk: Desk, source: NewKey) -> None:
    example = PATHS["/api/pings"]["post"]["requestBody"]["content"]["application/json"]["example"]
    valid(example, "PingBatch")

    assert desk.post(source.key, example["pings"], datum=example["datum"]).json()["accepted"] == 2
