"""Two people at once, in real transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Level, Staff, Union, User
from yizhan.unions.rights import OPERATOR, NotAllowed, Role
from yizhan.unions.services.people import create_post
from yizhan.unions.services.tree import create_union, deactivate_union, move_union
from yizhan.unions.services.workers import person_with_phone

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts in threads that start together; gives results or the errors they raised."""
    start = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=10)
            results[place] = act()
        except Exception as error:  # noqa: BLE001 - it is the result
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads), "they wait for one another"
    return results


@pytest.fixture
def tree(transactional_db: None, tree: UnionTree) -> UnionTree:
    return tree


def test_two_unions_moved_below_each_other_leave_a_sound_tree(tree: UnionTree) -> None:
    first, second = (
        create_union(actor=OPERATOR, parent=tree.zhengzhou, name=name, level=Level.SECTOR) for name in ("甲", "乙")
    )
    results = at_once(
        lambda: move_union(actor=OPERATOR, union=first, to=second),
        lambda: move_union(actor=OPERATOR, union=second, to=first),
    )
    assert sorted(type(result).__name__ for result in results) == ["RuleBroken", "Union"]
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_many_unions_created_at_once_have_places_of_their_own(tree: UnionTree) -> None:
    results = at_once(
        *(
            lambda number=number: create_union(  # type: ignore[misc]
                actor=OPERATOR, parent=tree.shifo, name=f"会{number}", level=Level.ENTERPRISE
            )
            for number in range(6)
        )
    )
    assert len({union.path for union in results}) == 6
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_one_name_is_given_once(tree: UnionTree) -> None:
    results = at_once(
        *[lambda: create_union(actor=OPERATOR, parent=tree.shifo, name="同名", level=Level.ENTERPRISE)] * 3
    )
    assert sum(isinstance(result, RuleBroken) for result in results) == 2


def test_no_post_is_given_at_a_union_while_it_is_deactivated(tree: UnionTree, post: PostMaker) -> None:
    admin, above = post(tree.zhengzhou), post(tree.henan)
    results = at_once(
        lambda: deactivate_union(actor=above, union=tree.zhongyuan),
        lambda: create_post(actor=admin, union=tree.zhongyuan, role=Role.KEEPER, username="late", name="晚来"),
    )
    assert results[0] == 2
    given = Staff.objects.with_scopes_disabled().filter(user__username="late").exists()
    assert given is not isinstance(results[1], RuleBroken)


def test_who_is_moved_out_of_reach_cannot_be_changed_by_the_former_head(tree: UnionTree, post: PostMaker) -> None:
    sector = create_union(actor=OPERATOR, parent=tree.zhongyuan, name="行业", level=Level.SECTOR)
    former = post(tree.zhongyuan)
    results = at_once(
        lambda: move_union(actor=OPERATOR, union=sector, to=tree.jinshui),
        lambda: create_union(actor=former, parent=sector, name="厂", level=Level.ENTERPRISE),
    )
    assert isinstance(results[0], Union)
    assert isinstance(results[1], Union | NotAllowed)
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_a_person_gets_one_post_even_from_two_at_once(tree: UnionTree) -> None:
    results = at_once(
        *[lambda: create_post(actor=OPERATOR, union=tree.zhongyuan, role=Role.KEEPER, username="wang", name="王站长")]
        * 3
    )
    assert sum(isinstance(result, RuleBroken) for result in results) == 2
    assert Staff.objects.with_scopes_disabled().count() == User.objects.count() == 1


def test_one_phone_makes_one_person(tree: UnionTree) -> None:
    results = at_once(*[lambda: person_with_phone("+8613800138000")] * 4)
    assert len({user.pk for user in results}) == 1
