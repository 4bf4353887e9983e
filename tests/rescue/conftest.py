"""What the tests of rescue share."""

from __future__ import annotations

import pytest

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from tests.places.conftest import PlaceMaker
from tests.rescue.rescue_makers import Street
from tests.rescue.subsidy_makers import Purse


@pytest.fixture
def street(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> Street:
    return Street(tree, post, worker)


@pytest.fixture
def make_place(post: PostMaker) -> PlaceMaker:
    return PlaceMaker(post)


@pytest.fixture
def purse(street: Street, make_place: PlaceMaker) -> Purse:
    return Purse(street, make_place)
