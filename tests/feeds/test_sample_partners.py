"""The demo's partners are simulated, called so, and made once."""

from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.models import Evidence, Listing, Partner
from yizhan.feeds.sample_city import fill

from .pushes import Clock, push, verify


def test_the_sample_partners_are_simulated_and_made_once(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    verify(*(make_place(tree.zhongyuan) for _ in range(12)))
    for _again in range(2):
        fill(tree.zhengzhou, actor=post(tree.zhengzhou), seed=7)
    assert set(Partner.every.values_list("is_simulated", flat=True)) == {True}
    assert Partner.every.count() == 3
    assert Listing.every.filter(state="live").exists()
    assert set(Evidence.every.values_list("answer", flat=True)) == {"simulated"}
    assert push(Clock(timezone.now().timestamp())) == 0
