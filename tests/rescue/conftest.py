"""What the tests of rescue share."""

from __future__ import annotations

import pytest

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from tests.rescue.rescue_makers import Street


@pytest.fixture
def street(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> Street:
    return Street(tree, post, worker)
