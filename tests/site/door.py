"""What rooms register for `test_every_door`: an object to knock with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.unions.models import Staff


@dataclass(frozen=True)
class World:
    """Where the objects are made: they belong to the owner's union, 中原区, and nobody beside or below may see them."""

    tree: UnionTree
    owner: Staff
    post: PostMaker
    worker: WorkerMaker
    secret: Final[str] = "勿外传的名字"  # in every private text


@dataclass(frozen=True)
class Door:
    """How to knock.

    Attributes:
        make: Makes an object of `world.owner.union` and gives the values of the address's parameters.
        public: Everyone may see the object; only its private texts must stay unsaid.
        closed_to_all: Here the object is shown to nobody, its owner included: a draft at its public address.
        body: What a POST says, as JSON, where a door of the interface reads the words before it asks who speaks.
    """

    make: Callable[[World], dict[str, Any]]
    public: bool = False
    closed_to_all: bool = False
    body: dict[str, Any] | None = None
