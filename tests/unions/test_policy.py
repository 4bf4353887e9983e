import pytest

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.rights import BOUND_ROLES, UNION_ROLES, Policy, Role, declare, policy

CHANGE = declare("test.change", roles=[Role.ADMINISTRATOR, Role.KEEPER])


def test_a_right_reaches_down_the_tree_but_never_up_or_beside(tree: UnionTree, post: PostMaker) -> None:
    staff = post(tree.zhongyuan, Role.KEEPER)
    assert policy.allows(staff, CHANGE, tree.zhongyuan)
    assert policy.allows(staff, CHANGE, tree.shifo)
    assert not policy.allows(staff, CHANGE, tree.zhengzhou)
    assert not policy.allows(staff, CHANGE, tree.jinshui)
    assert not policy.allows(staff, CHANGE, tree.shenzhen)


@pytest.mark.parametrize("role", sorted(BOUND_ROLES))
def test_a_bound_role_holds_its_rights_only_within_what_it_is_bound_to(
    tree: UnionTree, post: PostMaker, role: Role
) -> None:
    own = Policy()
    right = own.declare("test.counter", roles=[*Role])
    staff = post(tree.zhongyuan, role)
    own.find_bounds_by(lambda _staff: [tree.shifo])  # any row stands for a counter here
    assert own.allows(staff, right, tree.zhongyuan, within=tree.shifo)
    assert not own.allows(staff, right, tree.zhongyuan)
    assert not own.allows(staff, right, tree.zhongyuan, within=tree.jinshui)
    assert not own.allows(staff, right, tree.jinshui, within=tree.shifo)
    assert own.holds(staff, right)
    staff.is_active = False
    assert not own.allows(staff, right, tree.zhongyuan, within=tree.shifo)


def test_roles_of_a_union_are_bound_to_nothing(tree: UnionTree, post: PostMaker) -> None:
    own = Policy()
    right = own.declare("test.counter", roles=[*Role])
    own.find_bounds_by(lambda _staff: pytest.fail("nobody asks"))
    assert all(own.allows(post(tree.zhongyuan, role), right, tree.shifo) for role in UNION_ROLES)
