from tests.conftest import PostMaker, UnionTree
from yizhan.unions.rights import Role, declare, policy

CHANGE = declare("test.change", roles=[Role.ADMINISTRATOR, Role.KEEPER])


def test_a_right_reaches_down_the_tree_but_never_up_or_beside(tree: UnionTree, post: PostMaker) -> None:
    staff = post(tree.zhongyuan, Role.KEEPER)
    assert policy.allows(staff, CHANGE, tree.zhongyuan)
    assert policy.allows(staff, CHANGE, tree.shifo)
    assert not policy.allows(staff, CHANGE, tree.zhengzhou)
    assert not policy.allows(staff, CHANGE, tree.jinshui)
    assert not policy.allows(staff, CHANGE, tree.shenzhen)
