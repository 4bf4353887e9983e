import numpy as np
import pytest

from tests.conftest import UnionTree
from yizhan.places import sample
from yizhan.places.divisions import districts
from yizhan.places.models import Closure, Equipment, Place
from yizhan.places.sample import make_sample_city


def test_a_sample_city_is_marked_varied_and_lies_in_its_city(tree: UnionTree) -> None:
    places = make_sample_city(tree.zhengzhou, seed=7)
    assert len(places) == 150
    assert all("示例" in place.name for place in places)
    assert 120 <= Place.published.count() < 150
    assert len({place.hours for place in places}) > 10
    found = districts().locate(np.array([place.lon for place in places]), np.array([place.lat for place in places]))
    assert all(district is not None and district.code.startswith("4101") for district in found)
    things = Equipment.published.all()
    assert things.filter(state="broken").exists()
    assert any(thing.is_expired for thing in things)
    assert Closure.published.count() == 4
    assert Place.published.filter(verified_at=None).exists()
    assert Place.published.exclude(verified_at=None).count() > 80
    homes = {place.union_id for place in places}
    assert {tree.zhengzhou.pk, tree.zhongyuan.pk, tree.jinshui.pk} <= homes


def test_the_same_seed_makes_the_same_city(tree: UnionTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "_MOST", 30)
    first = [(place.name, place.lon) for place in make_sample_city(tree.zhengzhou, seed=7)]
    second = [(place.name, place.lon) for place in make_sample_city(tree.zhengzhou, seed=7)]
    assert first == second
