"""The API's document is a promise: it changes only on purpose, and whatever is asked, the answer is one it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from yizhan.site.api import api

SNAPSHOT = Path(__file__).with_name("openapi.json")


def test_the_document_is_the_one_that_was_reviewed() -> None:
    """After a change on purpose: `python -m tests.contract.write_snapshot`."""
    now = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/")))
    assert now == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


# What the hot application answers is asked of it itself: tests/contract/test_hot_document.py.
HOT = "^/api/(pings|live|feeds/|places/(nearest|search|in-box|along-route|index))"
schema = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application()).exclude(path_regex=HOT)


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests come through the WSGI door, whose end would close the test's own database connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_no_question_brings_a_server_error_or_an_undocumented_answer(case: schemathesis.Case) -> None:
    case.call_and_validate(
        headers={"Accept-Encoding": "identity"},  # what asks through the WSGI door does not unpack
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )
