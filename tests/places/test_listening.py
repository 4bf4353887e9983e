"""A thread that hears what the database announces, whatever happens to its connection or to one reading."""

from __future__ import annotations

import queue
from typing import Any

import pytest
from django.db import connection

from yizhan.places import listening
from yizhan.places.listening import Listener


@pytest.mark.django_db(transaction=True)
def test_a_listener_begins_anew_after_a_lost_connection_and_after_a_failed_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "FIRST_PAUSE_S", 0.05)
    told: queue.Queue[str] = queue.Queue()

    def begin() -> None:
        told.put("begun")

    def hear(heard: Any) -> None:
        for note in heard:
            told.put(note.payload)
            if note.payload == "poison":
                raise RuntimeError(note.payload)

    listener = Listener("test-listener", ("test_listening",), begin=begin, hear=hear, failed=lambda: told.put("failed"))
    listener.start()
    try:
        assert told.get(timeout=20) == "begun"
        _run("NOTIFY test_listening, 'first'")
        assert told.get(timeout=20) == "first"
        _run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN test_listening'")
        assert [told.get(timeout=20) for _each in range(2)] == ["failed", "begun"]
        _run("NOTIFY test_listening, 'poison'")
        assert [told.get(timeout=20) for _each in range(3)] == ["poison", "failed", "begun"]
        _run("NOTIFY test_listening, 'second'")
        assert told.get(timeout=20) == "second"
    finally:
        listener.stop()


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
