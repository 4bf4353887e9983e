"""A snapshot that is brought up to date by reading what changed equals one that is read as a whole."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.geo.open_intervals import OpenIntervals
from yizhan.places import services, snapshot_changes
from yizhan.places.index import EVERYTHING, PlaceIndex
from yizhan.places.models import Place
from yizhan.places.snapshot import Snapshot, load_snapshot
from yizhan.places.snapshot_changes import refreshed
from yizhan.unions.rights import OPERATOR
from yizhan.unions.services.tree import deactivate_union, move_union


def differing(one: Snapshot, other: Snapshot) -> list[str]:
    """The parts in which two snapshots differ in value."""

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, OpenIntervals):
            return all(same(getattr(a, name), getattr(b, name)) for name in ("starts_s", "ends_s", "offsets"))
        if isinstance(a, np.ndarray):
            return np.array_equal(a, b)
        return list(a) == list(b) if isinstance(a, (list, tuple)) else bool(a == b)

    return [field.name for field in fields(Snapshot) if not same(getattr(one, field.name), getattr(other, field.name))]


def check(before: Snapshot) -> Snapshot:
    """Bring it up to date, compare with a whole reading of the same time, and search both."""
    now = refreshed(before)
    whole = load_snapshot(at=now.taken_at)
    assert differing(now, whole) == []
    like = PlaceIndex(before)
    like.text, like.by_identifier, like.identifier_order  # noqa: B018 - made, so that they can be taken over
    one, other = PlaceIndex(now, like=like), PlaceIndex(whole)
    at_s = int(timezone.now().timestamp())
    for index in (one, other):
        assert len(index.offers) == len(index)
    assert list(one.offers) == list(other.offers)
    assert one.by_identifier == other.by_identifier
    for text in ("甲", "zj", "新名"):
        assert (
            one.search(text, EVERYTHING, at_s=at_s).places.tolist()
            == other.search(text, EVERYTHING, at_s=at_s).places.tolist()
        )
    near = [index.nearest(113.62, 34.75, at_s=at_s, open_now=False).places.tolist() for index in (one, other)]
    assert near[0] == near[1]
    return now


def test_whatever_happens_reading_the_changes_equals_reading_all(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    chance = random.Random(20261124)  # noqa: S311 - a seeded walk
    cadre = post(tree.zhengzhou)
    places = [make_place(tree.zhongyuan, hours=chance.choice(["", "24/7", "Mo-Fr 08:00-20:00"])) for _n in range(8)]
    now = load_snapshot()

    def shut(place: Place) -> Any:
        at = timezone.now()
        return services.shut_place(
            place, starts_at=at + timedelta(hours=1), ends_at=at + timedelta(hours=30), reason="停水", actor=cadre
        )

    def change(place: Place) -> Any:
        place.refresh_from_db()
        facts = services.facts_of(place, offers=chance.choice([(), ("water",), ("water", "rest")]))
        values = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
        values |= chance.choice(
            [{}, {"name": f"新名{chance.random():.6f}"}, {"lon": facts.lon + 0.01}, {"hours": "Sa-Su 10:00-18:00"}]
        )
        return services.change_place(place, services.PlaceFacts(**values), revision=place.revision, actor=cadre)

    acts = [
        shut,
        change,
        change,
        lambda place: services.withdraw_place(place, actor=cadre),
        lambda _place: make_place(tree.jinshui, name=f"甲{chance.random():.6f}", offers=("shower",)),
    ]
    for _step in range(14):
        live = [place for place in places if Place.published.filter(pk=place.pk).exists()]
        made = chance.choice(acts)(chance.choice(live))
        if isinstance(made, Place) and made.pk not in {place.pk for place in places}:
            places.append(made)
        now = check(now)


def test_columns_in_which_nothing_changed_are_not_made_anew(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, hours="24/7")
    before = load_snapshot()
    at = timezone.now()
    cadre = post(tree.zhengzhou)
    services.shut_place(place, starts_at=at, ends_at=at + timedelta(hours=5), reason="停水", actor=cadre)
    now = refreshed(before)
    assert now.names is before.names
    assert now.lon is before.lon
    like = PlaceIndex(before)
    assert PlaceIndex(now, like=like).text is not None
    assert like.__dict__.get("text") is None
    like.text  # noqa: B018
    assert PlaceIndex(now, like=like).text is like.text


def test_a_moved_or_ceased_union_is_read_as_a_whole(
    tree: UnionTree, make_place: PlaceMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_place(tree.shifo)
    make_place(tree.jinshui)
    now = load_snapshot()
    move_union(actor=OPERATOR, union=tree.shifo, to=tree.jinshui)
    now = check(now)
    deactivate_union(actor=OPERATOR, union=tree.jinshui)
    assert len(check(now)) == 0


def test_many_changes_and_old_snapshots_are_read_as_a_whole(
    tree: UnionTree, make_place: PlaceMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_place(tree.shifo)
    before = load_snapshot()
    make_place(tree.shifo)
    monkeypatch.setattr(snapshot_changes, "MOST_CHANGED", 1)
    now = refreshed(before)
    assert len(now) == 2
    assert now.taken_at > before.taken_at
    old = load_snapshot(at=timezone.now() - timedelta(hours=13))
    assert refreshed(old).taken_at > old.taken_at
    assert len(refreshed(None)) == 2
