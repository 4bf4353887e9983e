"""How many pings a source may send."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk
from tests.passage.test_pages import signed_in
from yizhan.passage.models import PingSource
from yizhan.passage.runtime.limits import Limits, TooFast
from yizhan.passage.services.sources import NewKey, limit_source
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import NotAllowed, Role


def test_a_bucket_lets_ten_seconds_in_at_once_and_then_the_rate() -> None:
    clock = Clock(0.0)
    limits = Limits(clock)
    limits.admit(1, 100)
    limits.charge(1, 100, 1_000)
    with pytest.raises(TooFast) as too_fast:
        limits.admit(1, 100)
    assert too_fast.value.retry_after_s == 1
    limits.admit(2, 100)  # another source has a bucket of its own

    clock.now = 1.0
    limits.admit(1, 100)
    limits.charge(1, 100, 1_100)  # one batch may run into debt
    with pytest.raises(TooFast) as too_fast:
        limits.admit(1, 100)
    assert too_fast.value.retry_after_s == 11
    clock.now = 1_000.0
    limits.admit(1, 100)


def test_a_source_that_sends_too_fast_is_asked_to_wait_and_its_neighbour_is_not(
    desk: Desk, source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    limit_source(staff=post(tree.henan), source=source.source, pings_per_second=1)
    desk.stream.read_keys()
    rows = [["a", desk.clock.ms, 113.0, 34.0]] * 15
    assert desk.post(source.key, rows).json()["accepted"] == 15

    refused = desk.post(source.key, rows)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_fast")
    assert 1 <= int(refused.headers["retry-after"]) <= 6


def test_the_limit_is_set_on_the_desk_by_who_may(tree: UnionTree, post: PostMaker, source: NewKey) -> None:
    page = reverse("passage:source", args=[source.source.public_id])
    limit = reverse("passage:limit_source", args=[source.source.public_id])
    desk = signed_in(post(tree.henan))
    assert "20000" in desk.get(page).content.decode()

    assert desk.post(limit, {"pings_per_second": "0"}).context["rate"].errors
    assert desk.post(limit, {"pings_per_second": "77"})["Location"] == page
    assert PingSource.every.get().pings_per_second == 77

    assert signed_in(post(tree.shenzhen)).post(limit, {"pings_per_second": "5"}).status_code == 404
    assert signed_in(post(tree.henan, Role.KEEPER)).get(page).status_code == 403
    with pytest.raises(NotAllowed):
        limit_source(staff=post(tree.shenzhen), source=source.source, pings_per_second=5)
    with pytest.raises(RuleBroken):
        limit_source(staff=post(tree.henan), source=source.source, pings_per_second=0)
    assert PingSource.every.get().pings_per_second == 77
