"""The desk: navigation by role, figures by scope."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_scopes import scope

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from tests.places.conftest import PlaceMaker
from yizhan.unions.models import Staff
from yizhan.unions.rights import Role, policy
from yizhan.unions.services import inbox
from yizhan.web import desk_cards, navigation
from yizhan.web.icons import ICONS

Acting = Callable[[Staff], Client]


def test_every_entry_of_the_navigation_leads_somewhere_and_has_a_drawing() -> None:
    for entry in navigation.offered():
        assert reverse(entry.url_name)
        assert entry.icon in ICONS, f"{entry.url_name} asks for the icon {entry.icon}"


def test_entries_stand_in_their_order_and_begin_with_the_overview() -> None:
    orders = [entry.order for entry in navigation.offered()]
    assert orders == sorted(orders)
    assert navigation.offered()[0].url_name == "web:desk"


@pytest.mark.parametrize("role", list(Role))
def test_a_post_sees_the_entries_whose_right_it_holds_and_no_other(
    tree: UnionTree, post: PostMaker, role: Role
) -> None:
    staff = post(tree.zhengzhou, role)
    with scope(union=tree.zhengzhou.path):
        shown = {entry.url for entry in navigation.shown_to(staff, "/desk/")}
    for entry in navigation.offered():
        may = entry.right is None or policy.holds(staff, entry.right)
        assert (reverse(entry.url_name) in shown) == may


def test_the_deepest_entry_above_a_page_is_the_current_one(tree: UnionTree, post: PostMaker) -> None:
    staff = post(tree.zhengzhou, Role.ADMINISTRATOR)
    with scope(union=tree.zhengzhou.path):
        for path, name in (
            ("/desk/", "web:desk"),
            ("/desk/people/workers/", "unions:workers"),
            ("/desk/inbox/somewhere/", "unions:inbox"),
        ):
            current = [entry.url for entry in navigation.shown_to(staff, path) if entry.is_current]
            assert current == [reverse(name)]


def test_what_waits_at_all_entries_is_asked_at_once_and_counted_to_a_limit(
    tree: UnionTree, post: PostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = post(tree.zhengzhou, Role.ADMINISTRATOR)
    for _message in range(3):
        inbox.send(title="甲", body="乙", posts=[staff])
    with scope(union=tree.zhengzhou.path):

        def unread() -> str:
            return navigation.waiting(staff)[reverse("unions:inbox")]

        assert unread() == "3"
        with CaptureQueriesContext(connection) as asked:  # what the post may see of cases is known by now
            assert unread() == "3"
        assert len(asked) == 1
        monkeypatch.setattr(navigation, "COUNTED_TO", 2)
        assert unread() == "2+"
        inbox.mark_read(reader=staff)
        assert unread() == ""


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    answer = client.get("/desk/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('account_login')}?next=/desk/"


def test_a_worker_has_no_desk(worker: WorkerMaker, tree: UnionTree) -> None:
    client = Client()
    client.force_login(worker(tree.shifo).user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/desk/").status_code == 403
    assert "/desk/" not in client.get("/").text


def test_the_desk_greets_with_the_acting_union(tree: UnionTree, post: PostMaker, acting: Acting) -> None:
    page = acting(post(tree.jinshui, Role.CADRE, name="李建国")).get("/desk/").text
    assert "金水区总工会" in page
    assert "李建国" in page
    assert 'aria-current="page"' in page


def _figures(staff: Staff) -> dict[str, int]:
    with scope(union=staff.union.path):
        return {card.label: card.value for card in desk_cards.cards(staff)}


def test_figures_count_the_union_and_below_and_never_the_neighbour(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan)
    make_place(tree.shifo)
    make_place(tree.shifo, publish=False)
    make_place(tree.shenzhen)
    make_place(tree.shenzhen, publish=False)
    zhongyuan = _figures(post(tree.zhongyuan, Role.CADRE))
    assert (zhongyuan["已公开站点"], zhongyuan["待公开"], zhongyuan["缺开放时间"]) == (2, 1, 2)
    jinshui = _figures(post(tree.jinshui, Role.CADRE))
    assert (jinshui["已公开站点"], jinshui["待公开"]) == (0, 0)
    assert _figures(post(tree.guangdong, Role.READER))["已公开站点"] == 1


def test_unread_messages_are_counted_at_the_entry_and_at_the_desk(
    tree: UnionTree, post: PostMaker, acting: Acting
) -> None:
    staff, other = post(tree.jinshui, Role.CADRE), post(tree.jinshui, Role.CADRE)
    inbox.send(title="甲", body="乙", posts=[staff])
    inbox.send(title="丙", body="丁", posts=[staff])
    assert _figures(staff)["未读消息"] == 2
    assert _figures(other)["未读消息"] == 0
    page = acting(staff)
    assert page.get("/desk/waiting/").json()["/desk/inbox/"] == "2"
    assert acting(other).get("/desk/waiting/").json()["/desk/inbox/"] == ""
    assert Client().get("/desk/waiting/").status_code == 302
    # Each entry that counts has the place that the script fills, in both menus and at the foot of a phone.
    shown = navigation.shown_to(staff, "/desk/")
    marks = 2 * sum(entry.counts for entry in shown) + sum(entry.counts for entry in shown[: navigation.QUICK_ENTRIES])
    assert marks
    assert page.get("/desk/").text.count("data-waiting hidden") == marks


def test_every_figure_that_counts_a_list_leads_to_it(tree: UnionTree, post: PostMaker, acting: Acting) -> None:
    staff = post(tree.zhengzhou, Role.CADRE)
    with scope(union=staff.union.path):
        cards = desk_cards.cards(staff)
    assert all(card.url for card in cards)
    client = acting(staff)
    for card in cards:
        assert client.get(card.url).status_code == 200
