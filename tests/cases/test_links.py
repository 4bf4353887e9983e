"""Links: who may make them, targets, hand-overs and races, gaps, and what a worker sees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django_scopes import scope, scopes_disabled

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.links import coverage, queries
from yizhan.cases.models import HandOverItem, HandOverState, Link
from yizhan.cases.services import hand_overs
from yizhan.cases.services.links import LinkEnd, count_group, end_link, make_link, save_card, set_target, write_message
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage, Staff
from yizhan.unions.rights import NotAllowed, Role


def codes(broken: pytest.ExceptionInfo[RuleBroken]) -> set[str]:
    return {problem.code for problem in broken.value.problems}


def group(name: str = "金水骑手一群", size: int = 120) -> LinkEnd:
    return LinkEnd(group_name=name, group_app="wechat", group_size=size)


def test_a_cadre_links_lower_unions_workers_and_groups_of_their_own_branch_only(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    make_link(actor=cadre, post=cadre, end=LinkEnd(union=tree.shifo))
    make_link(actor=cadre, post=cadre, end=LinkEnd(worker=worker(tree.shifo)))
    made = make_link(actor=cadre, post=cadre, end=group())
    assert make_link(actor=cadre, post=cadre, end=group(size=5)).pk == made.pk, "it stands already"
    wrong = [
        (LinkEnd(union=tree.zhongyuan), "not_below"),
        (LinkEnd(union=tree.jinshui), "not_below"),
        (LinkEnd(worker=worker(tree.jinshui)), "elsewhere"),
        (LinkEnd(worker=worker()), "elsewhere"),
        (group(size=0), "size"),
        (group(name=" "), "name"),
    ]
    for end, code in wrong:
        with pytest.raises(RuleBroken) as broken:
            make_link(actor=cadre, post=cadre, end=end)
        assert code in codes(broken)
    assert count_group(actor=cadre, link=made, size=131).group_size == 131


def test_only_the_post_itself_and_its_administrators_make_and_end_its_links(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, colleague = post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.CADRE)
    end = LinkEnd(worker=worker(tree.shifo))
    for stranger in (colleague, post(tree.jinshui), post(tree.shifo), post(tree.zhongyuan, Role.READER)):
        with pytest.raises(NotAllowed):
            make_link(actor=stranger, post=cadre, end=end)
    link = make_link(actor=post(tree.zhengzhou), post=cadre, end=end)
    with pytest.raises(NotAllowed):
        end_link(actor=post(tree.jinshui), link=link, reason="x")
    with pytest.raises(RuleBroken):
        end_link(actor=cadre, link=link, reason=" ")
    end_link(actor=cadre, link=link, reason="离职")
    again = make_link(actor=cadre, post=cadre, end=end)
    assert again.pk != link.pk
    with pytest.raises(RuleBroken) as broken:
        make_link(actor=post(tree.zhengzhou), post=post(tree.zhongyuan, Role.READER), end=end)
    assert codes(broken) == {"role"}


def test_a_hand_over_moves_links_only_when_it_is_accepted(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    leaving, following = post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.CADRE)
    ends = [LinkEnd(worker=worker(tree.shifo)), LinkEnd(union=tree.shifo), group()]
    links = [make_link(actor=leaving, post=leaving, end=end) for end in ends]
    offer = hand_overs.offer_links(actor=leaving, from_post=leaving, to_post=following, links=links[:2], reason="轮岗")
    assert set(Link.objects.with_scopes_disabled().values_list("post", flat=True)) == {leaving.pk}
    assert InboxMessage.objects.with_scopes_disabled().filter(post=following).count() == 1
    with pytest.raises(RuleBroken) as broken:
        hand_overs.offer_links(actor=leaving, from_post=leaving, to_post=following, links=links[1:], reason="再交")
    assert codes(broken) == {"offered"}
    with pytest.raises(RuleBroken):
        end_link(actor=leaving, link=links[0], reason="x")
    for stranger in (leaving, post(tree.jinshui), post(tree.zhengzhou)):
        with pytest.raises(NotAllowed):
            hand_overs.accept(actor=stranger, hand_over=offer)
    hand_overs.accept(actor=following, hand_over=offer)
    owners = [Link.objects.with_scopes_disabled().get(pk=link.pk).post_id for link in links]
    assert owners == [following.pk, following.pk, leaving.pk]
    with pytest.raises(RuleBroken) as broken:
        hand_overs.refuse(actor=following, hand_over=offer, answer="不接")
    assert codes(broken) == {"answered"}
    rest = hand_overs.offer_links(actor=leaving, from_post=leaving, to_post=following, links=None, reason="全部移交")
    hand_overs.refuse(actor=following, hand_over=rest, answer="群已满")
    assert Link.objects.with_scopes_disabled().get(pk=links[2].pk).post_id == leaving.pk
    hand_overs.offer_links(actor=leaving, from_post=leaving, to_post=following, links=None, reason="再请")


def test_what_does_not_fit_the_receiver_stays_and_says_why(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    giver, below = post(tree.zhengzhou, Role.CADRE), post(tree.zhongyuan, Role.CADRE)
    far = make_link(actor=giver, post=giver, end=LinkEnd(union=tree.jinshui))
    with pytest.raises(RuleBroken) as broken:
        hand_overs.offer_links(actor=giver, from_post=giver, to_post=below, links=[far], reason="x")
    assert codes(broken) == {"not_below"}
    with pytest.raises(RuleBroken) as broken:
        hand_overs.offer_links(actor=below, from_post=below, to_post=giver, links=[far], reason="x")
    assert "elsewhere" in codes(broken), "not to a post above"
    both = worker(tree.zhongyuan)
    make_link(actor=below, post=below, end=LinkEnd(worker=both))
    twice = make_link(actor=giver, post=giver, end=LinkEnd(worker=both))
    offer = hand_overs.offer_links(actor=giver, from_post=giver, to_post=below, links=[twice], reason="并入")
    hand_overs.accept(actor=below, hand_over=offer)
    item = HandOverItem.objects.with_scopes_disabled().get(hand_over=offer)
    assert not item.moved
    assert item.remark
    standing = Link.objects.with_scopes_disabled().filter(worker=both, ended_at=None)
    assert [link.post_id for link in standing] == [below.pk]


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_holds_and_no_link_is_lost(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    leaving, following = post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.CADRE)
    links = [make_link(actor=leaving, post=leaving, end=LinkEnd(worker=worker(tree.shifo))) for _ in range(4)]
    offer = hand_overs.offer_links(actor=leaving, from_post=leaving, to_post=following, links=links, reason="轮岗")

    def act(number: int) -> str:
        try:
            with scopes_disabled():
                if number % 3 == 0:
                    hand_overs.accept(actor=following, hand_over=offer)
                elif number % 3 == 1:
                    hand_overs.refuse(actor=following, hand_over=offer, answer="不接")
                else:
                    hand_overs.withdraw(actor=leaving, hand_over=offer)
        except RuleBroken:
            return "late"
        finally:
            connection.close()
        return "first"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(act, range(6))) == ["first"] + ["late"] * 5
    offer.refresh_from_db()
    owner = following.pk if offer.state == HandOverState.ACCEPTED else leaving.pk
    standing = Link.objects.with_scopes_disabled().filter(ended_at=None)
    assert [link.post_id for link in standing] == [owner] * 4
    assert not HandOverItem.objects.with_scopes_disabled().filter(is_open=True).exists()


def test_links_of_a_post_that_ended_are_listed_until_someone_has_them(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    head, leaving, following = post(tree.zhengzhou), post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.CADRE)
    someone = worker(tree.shifo)
    make_link(actor=leaving, post=leaving, end=LinkEnd(worker=someone))
    with scope(union=tree.zhengzhou.path):
        assert not queries.ownerless(for_staff=head)
        Staff.objects.filter(pk=leaving.pk).update(is_active=False)
        assert [link.worker for link in queries.ownerless(for_staff=head)] == [someone]
        assert queries.contacts_of(someone) == []
    gone = Staff.objects.with_scopes_disabled().select_related("union", "user").get(pk=leaving.pk)
    offer = hand_overs.offer_links(actor=head, from_post=gone, to_post=following, links=None, reason="离任")
    hand_overs.accept(actor=following, hand_over=offer)
    with scope(union=tree.zhengzhou.path):
        assert not queries.ownerless(for_staff=head)
    assert [contact.name for contact in queries.contacts_of(someone)] == [str(following.user)]


def test_a_worker_sees_the_number_only_when_the_contact_shows_it_and_can_write(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, someone, other = post(tree.zhongyuan, Role.CADRE), worker(tree.shifo), worker(tree.shifo)
    link = make_link(actor=cadre, post=cadre, end=LinkEnd(worker=someone))
    save_card(actor=cadre, phone="13900001111", shows_phone=False, hours="工作日 9:00-17:00")
    client = Client()
    client.force_login(someone.user)
    page = client.get("/me/contact/").content.decode()
    assert str(cadre.user) in page
    assert "工作日 9:00-17:00" in page
    assert "13900001111" not in page
    save_card(actor=cadre, phone="13900001111", shows_phone=True, hours="")
    assert "13900001111" in client.get("/me/contact/").content.decode()
    request_id = str(uuid4())
    for _ in range(2):
        answer = client.post(
            f"/me/contact/{link.public_id}/", {"text": "驿站的水没了", "request_id": request_id}, follow=True
        )
        assert "驿站的水没了" in answer.content.decode()
    told = InboxMessage.objects.with_scopes_disabled().get(post=cadre)
    assert "驿站的水没了" not in told.body, "what workers write stays sealed"
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM cases_linkmessage")
        (stored,) = [row[0] for row in cursor.fetchall()]
    assert "驿站" not in stored
    write_message(actor=cadre, link=link, text="下午送到", request_id=uuid4())
    assert "下午送到" in client.get("/me/contact/").content.decode()
    client.force_login(other.user)
    assert client.post(f"/me/contact/{link.public_id}/", {"text": "x", "request_id": uuid4()}).status_code == 404
    for stranger in (post(tree.zhongyuan), other.user):
        with pytest.raises(PermissionDenied):
            write_message(actor=stranger, link=link, text="x", request_id=uuid4())


def test_targets_come_from_the_nearest_union_and_progress_counts_each_part_once(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    head, cadre = post(tree.zhengzhou), post(tree.zhongyuan, Role.CADRE)
    set_target(actor=head, union=tree.zhengzhou, units=8, workers=30, groups=0)
    set_target(actor=head, union=tree.zhongyuan, units=1, workers=3, groups=0)
    for _ in range(2):
        make_link(actor=cadre, post=cadre, end=LinkEnd(worker=worker(tree.shifo)))
    make_link(actor=cadre, post=cadre, end=LinkEnd(union=tree.shifo))
    with scope(union=tree.zhengzhou.path):
        by_post = {row.post.pk: row for row in queries.progress(queries.posts_that_may_hold(for_staff=head))}
    assert (by_post[cadre.pk].units, by_post[cadre.pk].workers, by_post[cadre.pk].percent) == (1, 2, 75)
    assert by_post[head.pk].percent == 0
    with pytest.raises(NotAllowed):
        set_target(actor=cadre, union=tree.zhongyuan, units=1, workers=1, groups=1)


def test_coverage_counts_each_worker_once_over_levels_and_nothing_of_the_neighbour(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    head, cadre, neighbour = post(tree.zhengzhou), post(tree.zhongyuan, Role.CADRE), post(tree.shenzhen)
    linked, missing = worker(tree.shifo), worker(tree.jinshui)
    worker(tree.shenzhen)
    for who in (head, cadre):
        make_link(actor=who, post=who, end=LinkEnd(worker=linked))
    with scope(union=tree.zhengzhou.path):
        counted = coverage.coverage(for_staff=head)
        whole = counted.total
        assert (whole.workers, whole.linked, whole.units, whole.units_linked) == (2, 1, 3, 0)
        gaps = {gap.name: (gap.workers, gap.linked, gap.missing) for gap in counted.by_union}
        assert gaps == {"中原区总工会": (1, 1, 0), "金水区总工会": (1, 0, 1)}
        assert list(coverage.without_contact(for_staff=head)) == [missing]
        assert [gap.workers for gap in counted.by_occupation] == [2]
    with scope(union=tree.shenzhen.path):
        assert coverage.coverage(for_staff=neighbour).total.workers == 1
        assert not queries.links(for_staff=neighbour)
