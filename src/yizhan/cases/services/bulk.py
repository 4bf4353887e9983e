"""The same step for many cases: each by itself, so that one that cannot take it does not keep the others from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from yizhan.cases.models import Case
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed

from .parties import urge_case
from .steps import accept_case, assign_case

MOST = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """A case that did not take the step, and why."""

    case: Case
    reason: str


def for_each(cases: Iterable[Case], take: Callable[[Case], object]) -> tuple[list[Case], list[Failed]]:
    """Take a step in each; gives those that took it and those that did not."""
    taken: list[Case] = []
    failed: list[Failed] = []
    for case in cases:
        try:
            take(case)
        except RuleBroken as broken:
            failed.append(Failed(case, " ".join(str(problem.message) for problem in broken.problems)))
        except NotAllowed as refused:
            failed.append(Failed(case, str(refused)))
        else:
            taken.append(case)
    return taken, failed


def accept_all(cases: Iterable[Case], *, actor: Staff, words: str = "") -> tuple[list[Case], list[Failed]]:
    """Accept each."""
    return for_each(cases, lambda case: accept_case(case, actor=actor, words=words))


def assign_all(
    cases: Iterable[Case], *, handler: Staff, actor: Staff, words: str = ""
) -> tuple[list[Case], list[Failed]]:
    """Give each to one person."""
    return for_each(cases, lambda case: assign_case(case, handler=handler, actor=actor, words=words))


def urge_all(cases: Iterable[Case], *, actor: Staff, words: str = "") -> tuple[list[Case], list[Failed]]:
    """Urge each."""
    return for_each(cases, lambda case: urge_case(case, actor=actor, words=words))
