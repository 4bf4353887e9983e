"""The union tree: changes, rules, and that rights follow the tree wherever it moves."""

from __future__ import annotations

import pytest
from django_scopes import scope
from django_scopes.exceptions import ScopeError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, Level, Staff, Union, User
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import OPERATOR, NotAllowed, Role, declare, policy
from yizhan.unions.services.tree import (
    create_union,
    deactivate_union,
    move_union,
    reactivate_union,
    rename_union,
)

SEE = declare("test.see", roles=[*Role])


def fresh(union: Union) -> Union:
    return Union.objects.get(pk=union.pk)


def code_of(broken: pytest.ExceptionInfo[RuleBroken]) -> tuple[str, str]:
    problem = broken.value.problems[0]
    return problem.field, problem.code


def test_an_administrator_creates_unions_below_but_not_beside_or_above(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhongyuan)
    made = create_union(actor=admin, parent=tree.shifo, name=" 快驿  工会 ", level=Level.ENTERPRISE)
    assert made.name == "快驿 工会"
    assert made.path.startswith(tree.shifo.path)
    for elsewhere in (tree.zhengzhou, tree.jinshui, tree.shenzhen):
        with pytest.raises(NotAllowed):
            create_union(actor=admin, parent=elsewhere, name="x", level=Level.ENTERPRISE)
    entry = AuditEntry.objects.with_scopes_disabled().get()
    assert (entry.action, entry.person, entry.target_label) == ("unions.created", admin.user, "快驿 工会")


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_other_roles_change_nothing_in_the_tree(tree: UnionTree, post: PostMaker, role: Role) -> None:
    staff = post(tree.henan, role)
    with pytest.raises(NotAllowed):
        create_union(actor=staff, parent=tree.shifo, name="x", level=Level.ENTERPRISE)
    with pytest.raises(NotAllowed):
        rename_union(actor=staff, union=tree.shifo, name="x")
    with pytest.raises(NotAllowed):
        move_union(actor=staff, union=tree.shifo, to=tree.jinshui)
    with pytest.raises(NotAllowed):
        deactivate_union(actor=staff, union=tree.shifo)


def test_broken_rules_name_their_field(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.henan)
    for fields, expected in [
        ({"name": "  ", "level": Level.ENTERPRISE}, ("name", "required")),
        ({"name": "长" * 121, "level": Level.ENTERPRISE}, ("name", "too_long")),
        ({"name": "郑州\u202e工会", "level": Level.ENTERPRISE}, ("name", "invisible")),
        ({"name": "金水区总工会", "level": Level.DISTRICT}, ("name", "taken")),
        ({"name": "省", "level": Level.PROVINCE}, ("level", "level_too_high")),
        ({"name": "市", "level": Level.CITY}, ("level", "level_too_high")),
        ({"name": "区", "level": Level.DISTRICT, "division_code": "410102"}, ("division_code", "taken")),
        ({"name": "区", "level": Level.DISTRICT, "division_code": "41x"}, ("division_code", "not_a_division_code")),
    ]:
        with pytest.raises(RuleBroken) as broken:
            create_union(actor=admin, parent=tree.zhengzhou, **fields)  # type: ignore[arg-type]
        assert code_of(broken) == expected
    assert Union.objects.count() == 7


def test_enterprises_hang_anywhere_and_carry_streets_only_where_those_belong(tree: UnionTree) -> None:
    sector = create_union(actor=OPERATOR, parent=tree.henan, name="快递行业工会", level=Level.SECTOR)
    create_union(actor=OPERATOR, parent=sector, name="市", level=Level.CITY)
    below = create_union(actor=OPERATOR, parent=tree.shifo, name="厂", level=Level.ENTERPRISE)
    with pytest.raises(RuleBroken):
        create_union(actor=OPERATOR, parent=below, name="街", level=Level.STREET)


def test_only_the_operator_adds_at_the_top(tree: UnionTree, post: PostMaker) -> None:
    with pytest.raises(RuleBroken):
        create_union(actor=post(tree.henan), parent=None, name="x", level=Level.PROVINCE)
    assert create_union(actor=OPERATOR, parent=None, name="湖北省总工会", level=Level.PROVINCE).depth == 1


def test_a_union_moves_with_all_below_and_rights_move_with_it(tree: UnionTree, post: PostMaker) -> None:
    sector = create_union(actor=OPERATOR, parent=tree.jinshui, name="行业", level=Level.SECTOR)
    below = create_union(actor=OPERATOR, parent=sector, name="厂", level=Level.ENTERPRISE)
    old_head, new_head = post(tree.jinshui), post(tree.zhongyuan)
    move_union(actor=post(tree.zhengzhou), union=sector, to=tree.zhongyuan)
    for union in (fresh(sector), fresh(below)):
        assert policy.allows(new_head, SEE, union)
        assert not policy.allows(old_head, SEE, union)
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_a_union_moves_neither_below_itself_nor_out_of_reach_nor_below_its_own_level(
    tree: UnionTree, post: PostMaker
) -> None:
    admin = post(tree.zhengzhou)
    for union, to, expected in [
        (tree.zhongyuan, tree.shifo, ("to", "below_itself")),
        (tree.zhongyuan, tree.zhongyuan, ("to", "below_itself")),
        (tree.zhongyuan, tree.jinshui, ("to", "level_too_high")),
    ]:
        with pytest.raises(RuleBroken) as broken:
            move_union(actor=admin, union=union, to=to)
        assert code_of(broken) == expected
    for union, to in [(tree.zhongyuan, tree.shenzhen), (tree.zhengzhou, tree.jinshui), (tree.shenzhen, tree.jinshui)]:
        with pytest.raises(NotAllowed):
            move_union(actor=admin, union=union, to=to)


def test_deactivating_takes_all_below_and_bringing_back_returns_just_those(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhengzhou)
    create_union(actor=admin, parent=tree.zhongyuan, name="早已停用", level=Level.ENTERPRISE)
    deactivate_union(actor=admin, union=Union.objects.get(name="早已停用"))
    assert deactivate_union(actor=admin, union=tree.zhongyuan) == 2
    assert deactivate_union(actor=admin, union=tree.zhongyuan) == 0
    assert not fresh(tree.shifo).is_active
    with pytest.raises(RuleBroken):
        reactivate_union(actor=admin, union=tree.shifo)
    assert reactivate_union(actor=admin, union=tree.zhongyuan) == 2
    assert fresh(tree.shifo).is_active
    assert not Union.objects.get(name="早已停用").is_active


def test_nobody_deactivates_or_moves_the_union_of_their_own_post(tree: UnionTree, post: PostMaker) -> None:
    with pytest.raises(NotAllowed):
        deactivate_union(actor=post(tree.zhongyuan), union=tree.zhongyuan)
    with pytest.raises(NotAllowed):
        deactivate_union(actor=post(tree.henan), union=tree.henan)


def test_an_administrator_of_a_deactivated_union_changes_nothing_more(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhongyuan)
    deactivate_union(actor=post(tree.zhengzhou), union=tree.zhongyuan)
    with pytest.raises(NotAllowed):
        create_union(actor=admin, parent=tree.shifo, name="x", level=Level.ENTERPRISE)


def test_scoped_unions_are_those_at_and_below_and_without_a_scope_none(tree: UnionTree) -> None:
    with scope(union=tree.zhongyuan.path):
        assert set(Union.scoped.all()) == {tree.zhongyuan, tree.shifo}
    with pytest.raises(ScopeError):
        list(Union.scoped.all())


def test_a_union_is_found_by_code_or_name_and_doubt_is_cleared_by_the_code(tree: UnionTree) -> None:
    for text in ("410102", "中原区总工会", " 中原区 "):
        assert union_called(text, field="union") == tree.zhongyuan
    with pytest.raises(RuleBroken) as broken:
        union_called("中原区", field="union", below=tree.jinshui)
    assert code_of(broken) == ("union", "unknown")
    create_union(
        actor=OPERATOR, parent=tree.shenzhen, name="中原区总工会", level=Level.DISTRICT, division_code="440399"
    )
    with pytest.raises(RuleBroken) as broken:
        union_called("中原区", field="union")
    assert code_of(broken) == ("union", "ambiguous")
    assert "郑州市总工会 中原区总工会 410102" in str(broken.value)
    assert "440399" in str(broken.value)


class AnyMoves(TestCase):
    """Whatever is moved where: a head sees just what hangs at and below the own union, and the tree stays sound."""

    @hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(moves=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=8))
    def test_the_scope_follows_the_tree(self, moves: list[tuple[int, int]]) -> None:
        unions = [create_union(actor=OPERATOR, parent=None, name="根", level=Level.SECTOR)]
        for number in range(1, 9):
            unions.append(
                create_union(actor=OPERATOR, parent=unions[(number - 1) // 2], name=f"会{number}", level=Level.SECTOR)
            )
        above = {number: (number - 1) // 2 for number in range(1, 9)}
        for moved, to in moves:
            line = [to]
            while line[-1] in above:
                line.append(above[line[-1]])
            if moved == 0 or moved in line:
                with pytest.raises((RuleBroken, NotAllowed)):
                    move_union(actor=OPERATOR, union=unions[moved], to=unions[to]) if moved else move_union(
                        actor=_head_of(unions[0]), union=unions[0], to=unions[to]
                    )
            else:
                move_union(actor=OPERATOR, union=unions[moved], to=unions[to])
                above[moved] = to
        assert Union.objects.find_problems() == ([], [], [], [], [])
        now = [fresh(union) for union in unions]
        for number, union in enumerate(now):
            expected = {n for n in range(9) if number in _line(n, above)}
            with scope(union=union.path):
                assert {int(found.name[1:] or 0) for found in Union.scoped.all()} == expected
            head = Staff(user=User(), union=union, role=Role.READER)
            assert {n for n in range(9) if policy.allows(head, SEE, now[n])} == expected


def _line(number: int, above: dict[int, int]) -> list[int]:
    line = [number]
    while line[-1] in above:
        line.append(above[line[-1]])
    return line


def _head_of(union: Union) -> Staff:
    user = User.objects.create_user(username=f"head{User.objects.count()}", name="头")
    return Staff.objects.create(user=user, union=fresh(union), role=Role.ADMINISTRATOR)
