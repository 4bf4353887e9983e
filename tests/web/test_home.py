"""The list of stations as the server makes it: for everyone, without position or script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tests.conftest import UnionTree
from tests.places.conftest import SHANGHAI, PlaceMaker
from yizhan.places.models import PlaceKind
from yizhan.web import nearby
from yizhan.web.nearby import Wish

pytestmark = pytest.mark.django_db
# Of today: the index in memory knows hours for the days around now.
NOON = datetime.now(SHANGHAI).replace(hour=12, minute=0, second=0, microsecond=0)


def _names(wish: Wish, at: datetime = NOON) -> set[str]:
    places = nearby.found(wish, at)
    return {places.directory.snapshot.names[place] for place in places}


def test_only_published_stations_are_listed(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="公开的驿站")
    make_place(tree.zhongyuan, name="草稿驿站", publish=False)
    page = client.get("/").text
    assert "公开的驿站" in page
    assert "草稿驿站" not in page
    assert "共 1 个站点" in page


def test_a_directory_without_stations_says_what_will_appear(client: Client, db: None) -> None:
    assert "还没有公开的驿站" in client.get("/").text


def test_a_list_that_filters_have_emptied_shows_the_way_back(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan)
    page = client.get("/?q=没有这个名字").text
    assert "没有符合条件的驿站" in page
    assert "清除条件" in page


def test_filters_narrow_together(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="甲站", hours="08:00-20:00", offers=("water", "charging"))
    make_place(tree.zhongyuan, name="乙站", hours="20:00-23:00", offers=("water",))
    make_place(tree.zhongyuan, name="丙餐厅", kind=PlaceKind.RESTAURANT, hours="24/7", address="农业路66号")
    assert _names(Wish()) == {"甲站", "乙站", "丙餐厅"}
    assert _names(Wish(open_now=True)) == {"甲站", "丙餐厅"}
    assert _names(Wish(offer="water")) == {"甲站", "乙站"}
    assert _names(Wish(offer="water", open_now=True)) == {"甲站"}
    assert _names(Wish(kind="restaurant")) == {"丙餐厅"}
    assert _names(Wish(text="农业路")) == {"丙餐厅"}
    assert _names(Wish(offer="no-such-offer")) == set()


def test_unknown_hours_are_not_open(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="不详站", hours="")
    assert _names(Wish(open_now=True)) == set()


@pytest.mark.parametrize(
    ("hours", "tone"), [("08:00-20:00", "good"), ("08:00-12:20", "warn"), ("20:00-23:00", "neutral"), ("", "neutral")]
)
def test_the_tone_repeats_the_words(tree: UnionTree, make_place: PlaceMaker, hours: str, tone: str) -> None:
    make_place(tree.zhongyuan, hours=hours)
    (place,) = places = nearby.found(Wish(), NOON)
    entry = nearby.entry(places.directory, place, NOON)
    assert entry.tone == tone
    assert entry.state


@pytest.mark.parametrize(
    "query",
    [
        "?q=" + "长" * 500,
        "?q=%25%27%22<script>",
        "?kind=harbour&offer=<b>&open=maybe",
        "?page=99999999999",
        "?page=minus",
        "?q=a&q=b&page=-1",
    ],
)
def test_a_mistyped_address_is_answered_and_never_echoed_raw(client: Client, query: str) -> None:
    answer = client.get(f"/{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("query", ["?q=%00", "?offer=%00"])
def test_what_no_text_can_hold_is_refused_with_a_page(client: Client, query: str) -> None:
    """As everywhere in the house: the database could not hold it either."""
    answer = client.get(f"/{query}")
    assert answer.status_code == 400
    assert "\x00" not in answer.text


@given(
    wish=st.builds(
        Wish,
        text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=nearby.LONGEST_SEARCH),
        open_now=st.booleans(),
        kind=st.sampled_from(["", *PlaceKind.values]),
        offer=st.sampled_from(["", "water", "charging"]),
    )
)
def test_a_wish_survives_its_address(wish: Wish) -> None:
    assert Wish.read(QueryDict(urlsplit(wish.address).query)) == wish


def test_each_choice_turns_itself_on_and_off(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, offers=("water",))
    for choices in (nearby.choices, nearby.offer_choices):
        for number, choice in enumerate(choices(Wish(text="站"))):
            assert not choice.chosen
            there = Wish.read(QueryDict(urlsplit(choice.url).query))
            back = choices(there)[number]
            assert back.chosen
            assert Wish.read(QueryDict(urlsplit(back.url).query)) == Wish(text="站")


@pytest.mark.parametrize("path", ["/", "/?open=now", "/?q=yz&offer=water", "/?page=2"])
def test_the_list_asks_the_database_only_whether_anything_has_changed(
    client: Client, tree: UnionTree, make_place: PlaceMaker, django_assert_num_queries: object, path: str
) -> None:
    for _ in range(30):
        make_place(tree.zhongyuan, hours="24/7", offers=("water", "charging"))
    client.get("/")  # the first reader after a change has the index built
    with django_assert_num_queries(2):  # type: ignore[operator]  # of places, and of unions that ceased
        page = client.get(path).text
    assert "/ 2 页" in page


def test_a_text_is_found_as_pinyin_and_initials_and_its_best_answer_comes_first(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="老高新区餐厅")
    make_place(tree.zhongyuan, name="高新区驿站")
    make_place(tree.zhongyuan, name="甲站", district="二七区")
    for text in ("gxq", "gaoxin", "高xq", "高新"):
        page = client.get("/", {"q": text}).text
        assert "共 2 个站点" in page
        assert page.index(">高新区驿站<") < page.index(">老高新区餐厅<")
    assert _names(Wish(text="二七")) == {"甲站"}


def test_a_row_is_made_in_each_language_and_anew_when_the_minute_has_passed(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="甲站", hours="08:00-20:00")
    places = nearby.found(Wish(), NOON)
    with override("zh-hans"):
        (chinese,) = nearby.rows(places.directory, places, NOON)
        (again,) = nearby.rows(places.directory, places, NOON + timedelta(seconds=20))
    with override("en"):
        (english,) = nearby.rows(places.directory, places, NOON)
    assert chinese is again
    assert chinese != english
    (late,) = nearby.rows(places.directory, places, NOON + timedelta(hours=9))
    assert late not in {chinese, english}


def test_the_words_for_the_script_have_their_gaps(db: None) -> None:
    words = nearby.vocabulary()
    assert "{time}" in words["state_open_today"]
    assert "{time}" in words["state_closed_tomorrow"]
    assert "{month}" in words["state_closed_later"]
    assert "%(" not in "".join(words.values())
    assert words["kind_station"]


def test_open_is_judged_at_the_time_of_the_question(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="夜站", hours="22:00-06:00")
    assert _names(Wish(open_now=True), NOON) == set()
    assert _names(Wish(open_now=True), (NOON + timedelta(hours=11)).astimezone(UTC)) == {"夜站"}


def test_tianditu_is_used_only_where_the_operator_has_a_key(client: Client, db: None, settings: Settings) -> None:
    settings.TIANDITU_KEY = None
    assert "data-tianditu" not in client.get("/").text
    settings.TIANDITU_KEY, settings.TIANDITU_REVIEW_NUMBER = "k<ey", "GS（2024）0650号"
    page = client.get("/").text
    assert 'data-tianditu="k&lt;ey"' in page
    assert 'data-review-number="GS（2024）0650号"' in page
