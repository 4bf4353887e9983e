"""Expecting a rule to be broken by its code, whatever language its words are in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from yizhan.unions.errors import RuleBroken


@contextmanager
def refused(code: str) -> Iterator[None]:
    """What is done inside breaks the rule of this code, and none else."""
    with pytest.raises(RuleBroken) as broken:
        yield
    assert {problem.code for problem in broken.value.problems} == {code}
