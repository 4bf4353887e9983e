from tests.conftest import UnionTree
from tests.places.conftest import PlaceMaker, shanghai
from yizhan.places.services import withdraw_place
from yizhan.places.snapshot import load_snapshot


def test_the_snapshot_holds_the_published_places_with_their_hours_and_offers(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    day = make_place(tree.zhongyuan, hours="08:00-22:00", offers=("water", "rest"))
    make_place(tree.zhongyuan, publish=False)
    always = make_place(tree.shenzhen, hours="24/7", offers=("water",))
    silent = make_place(tree.jinshui)

    snapshot = load_snapshot(at=shanghai(2026, 11, 24, 12, 0))

    assert list(snapshot.ids) == [day.pk, always.pk, silent.pk]
    assert list(snapshot.public_ids) == [day.public_id, always.public_id, silent.public_id]
    assert snapshot.union_paths[0] == tree.zhongyuan.path
    noon, night = (int(shanghai(2026, 11, 24, hour).timestamp()) for hour in (12, 23))
    assert list(snapshot.open.is_open_at(noon)) == [True, True, False]
    assert list(snapshot.open.is_open_at(night)) == [False, True, False]
    assert list(snapshot.unknown.is_open_at(noon)) == [False, False, True]
    water = snapshot.offers[snapshot.offer_codes.index("water")]
    rest = snapshot.offers[snapshot.offer_codes.index("rest")]
    assert list(water) == [True, True, False]
    assert list(rest) == [True, False, False]


def test_a_withdrawn_place_leaves_the_snapshot(tree: UnionTree, make_place: PlaceMaker, post) -> None:
    place = make_place(tree.zhongyuan)
    withdraw_place(place, actor=post(tree.zhengzhou), reason="停电检修")
    assert len(load_snapshot()) == 0


def test_the_snapshot_takes_seven_queries_whatever_there_is(
    tree: UnionTree, make_place: PlaceMaker, django_assert_num_queries
) -> None:
    for _n in range(5):
        make_place(tree.zhongyuan, hours="Mo-Fr 09:00-17:00", offers=("water",))
    with django_assert_num_queries(7):
        load_snapshot()
