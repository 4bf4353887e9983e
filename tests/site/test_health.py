"""What machines ask: alive, ready, metrics."""

from pathlib import Path

import pytest
from django.test import Client


def test_alive_touches_no_database(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


@pytest.mark.django_db
def test_ready_says_that_database_and_migrations_are_in_order(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "checks": {"database": "ok", "migrations": "ok"}}


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_pending(client: Client) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="places").delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "pending"


@pytest.mark.django_db
def test_not_ready_before_the_hot_application_answers(client: Client, settings: object, tmp_path: Path) -> None:
    settings.HOT_SOCKET = str(tmp_path / "hot.sock")  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["hot"]) == (503, "starting")


def test_metrics_are_for_this_machine_or_the_token_only(client: Client, settings: object) -> None:
    settings.METRICS_TOKEN = "token-of-the-monitoring"  # type: ignore[attr-defined]
    assert b"django_http_requests" in client.get("/metrics").content
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.7"}).status_code == 404
    allowed = client.get(
        "/metrics",
        headers={"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer token-of-the-monitoring"},
    )
    assert allowed.status_code == 200
    refused = client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer wrong"})
    assert refused.status_code == 404


@pytest.mark.django_db
def test_logs_hold_the_path_but_not_the_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        client.get("/nowhere?phone=13812341234", headers={"User-Agent": "secret-agent"})
    text = str([record.msg for record in caplog.records])
    assert "/nowhere" in text
    assert "13812341234" not in text
    assert "secret-agent" not in text
