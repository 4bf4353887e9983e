"""Messages find someone who reads them."""

from __future__ import annotations

import pytest
from django.utils.translation import gettext_lazy

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.models import User
from yizhan.unions.queries.inbox import messages, unread_count
from yizhan.unions.rights import MANAGE_UNIONS, Role
from yizhan.unions.services.inbox import mark_read, send


def test_a_message_to_a_role_reaches_all_who_hold_it_at_the_union(tree: UnionTree, post: PostMaker) -> None:
    first, second = post(tree.shifo, Role.KEEPER), post(tree.shifo, Role.KEEPER)
    others = [post(tree.shifo, Role.READER), post(tree.zhongyuan, Role.KEEPER), post(tree.jinshui, Role.KEEPER)]
    sent = send(title="核实营业时间", union=tree.shifo, roles=[Role.KEEPER])
    assert {message.post for message in sent} == {first, second}
    assert [unread_count(for_staff=one) for one in (first, second, *others)] == [1, 1, 0, 0, 0]


def test_where_nobody_holds_the_role_the_nearest_union_above_gets_the_message(tree: UnionTree, post: PostMaker) -> None:
    near, far = post(tree.zhongyuan), post(tree.henan)
    assert [message.post for message in send(title="x", union=tree.shifo, right=MANAGE_UNIONS)] == [near]
    near.is_active = False
    near.save()
    assert [message.post for message in send(title="x", union=tree.shifo, right=MANAGE_UNIONS)] == [far]
    User.objects.filter(pk=far.user_id).update(is_active=False)
    assert send(title="x", union=tree.shifo, right=MANAGE_UNIONS) == []


def test_who_is_named_twice_gets_the_message_once(tree: UnionTree, post: PostMaker) -> None:
    keeper = post(tree.shifo, Role.KEEPER)
    assert len(send(title="x", posts=[keeper, keeper], union=tree.shifo, roles=[Role.KEEPER])) == 1


def test_each_receiver_reads_it_in_their_own_language(tree: UnionTree, post: PostMaker) -> None:
    chinese, english = post(tree.shifo), post(tree.shifo)
    User.objects.filter(pk=english.user_id).update(language="en")
    english.user.refresh_from_db()
    send(title=gettext_lazy("Administrator"), posts=[chinese, english])
    assert messages(for_staff=english).get().title == "Administrator"
    assert messages(for_staff=chinese).get().title == "管理员"


def test_reading_is_per_post_and_nobody_reads_for_another(tree: UnionTree, post: PostMaker) -> None:
    first, second = post(tree.shifo), post(tree.shifo)
    to_first, to_second = send(title="x", posts=[first, second])
    assert mark_read(reader=first, public_ids=[to_second.public_id]) == 0
    assert mark_read(reader=first, public_ids=[to_first.public_id]) == 1
    assert mark_read(reader=first) == 0
    assert unread_count(for_staff=second) == 1
    assert to_first not in messages(for_staff=second)


@pytest.mark.parametrize("link", ["https://elsewhere.example", "//elsewhere.example", "desk/"])
def test_a_message_links_only_to_pages_of_this_site(tree: UnionTree, post: PostMaker, link: str) -> None:
    with pytest.raises(ValueError, match="this site"):
        send(title="x", link=link, posts=[post(tree.shifo)])
