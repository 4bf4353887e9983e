"""What the hot application answers is what the API's document names: asked of the served demo, through its door."""

from __future__ import annotations

import json

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.test_api_document import HOT
from tests.e2e.conftest import Site
from yizhan.site.api import api

_document = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/")))
schema = schemathesis.openapi.from_dict(_document).include(path_regex=HOT)


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_question_to_the_hot_application_brings_a_server_error_or_an_undocumented_answer(
    case: schemathesis.Case, site: Site
) -> None:
    case.call_and_validate(
        base_url=site.address,
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
        timeout=60,
    )


@pytest.mark.parametrize("name", ["places.geojson", "places.csv", "places.json", "status.json"])
def test_a_feed_is_compressed_on_its_way(site: Site, name: str) -> None:
    answer = httpx.get(f"{site.address}/api/feeds/{name}", headers={"Accept-Encoding": "gzip"}, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    kept = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]}
    assert httpx.get(f"{site.address}/api/feeds/{name}", headers=kept, timeout=60).status_code == 304
