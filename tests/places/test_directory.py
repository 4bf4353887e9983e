"""The index inside a Django process: never stale where it is small, never in the way where it is not."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places import directory
from yizhan.places.snapshot import Snapshot, load_snapshot


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_held", None)


def test_the_index_is_built_once_until_something_changes(
    tree: UnionTree, make_place: PlaceMaker, django_assert_num_queries: Any
) -> None:
    make_place(tree.zhongyuan)
    first = directory.current_index()
    with django_assert_num_queries(2):
        assert directory.current_index() is first
    make_place(tree.zhongyuan)
    assert len(directory.current_index()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_slow_rebuild_keeps_no_reader_waiting(
    tree: UnionTree, make_place: PlaceMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_place(tree.zhongyuan)
    monkeypatch.setattr(directory, "MOST_AT_ONCE", 0)
    first = directory.current_index()
    make_place(tree.zhongyuan)
    may_read = threading.Event()

    def slow_load(**options: Any) -> Snapshot:
        may_read.wait(20)
        return load_snapshot(**options)

    monkeypatch.setattr(directory, "refreshed", lambda _before: slow_load())
    assert directory.current_index() is first
    assert directory.current_index() is first  # and no second thread was begun
    assert sum(thread.name == "places-index" for thread in threading.enumerate()) == 1
    may_read.set()
    deadline = timezone.now().timestamp() + 20
    while len(directory.current_index()) != 2 and timezone.now().timestamp() < deadline:
        for thread in threading.enumerate():
            if thread.name == "places-index":
                thread.join(5)
    assert len(directory.current_index()) == 2
