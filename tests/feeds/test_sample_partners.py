"""The demo's partners are simulated, called so, and made once."""

from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.models import Finding, Listing, Partner, PartnerExport, Push
from yizhan.feeds.sample_city import fill

from .pushes import Clock, push, verify


def test_the_sample_partners_are_simulated_and_made_once(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    verify(*(make_place(tree.zhongyuan) for _ in range(16)))
    for _again in range(2):
        fill(tree.zhengzhou, actor=post(tree.zhengzhou), seed=7)
    assert set(Partner.every.values_list("is_simulated", flat=True)) == {True}
    assert Partner.every.count() == PartnerExport.every.count() == 3
    assert Listing.every.filter(state="live").exists()
    assert push(Clock(timezone.now().timestamp())) == 0


def test_the_sample_shows_what_comparing_finds_and_two_closed_places_on_the_red_list(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    named = [f"{number}号路驿站" for number in range(29)] + ["二七广场便民服务中心旁边的工会驿站（示例）"]
    verify(*(make_place(tree.zhongyuan, name=name, lon=113.6 + k / 100) for k, name in enumerate(named)))
    fill(tree.zhengzhou, actor=post(tree.zhengzhou), seed=7)
    found = set(Finding.every.values_list("kind", flat=True))
    assert found == {"missing", "moved", "renamed", "still_shown", "unknown"}
    red = Listing.every.filter(red_since__isnull=False).values_list("partner__preset", "place__status")
    assert sorted(red) == [("amap", "closed"), ("amap", "closed"), ("baidu", "closed")]
    assert Listing.every.filter(died_at__isnull=False, partner__preset="union_app").count() == 1
    assert set(Push.every.values_list("outcome", flat=True)) == {"taken"}
