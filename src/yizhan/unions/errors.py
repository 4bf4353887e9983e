"""What goes wrong when a rule is broken, said so that a page can show it at the field and the API at the pointer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.forms import BaseForm


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that one value breaks.

    Attributes:
        field: Name of the field as the caller knows it; empty when the rule is about the whole.
        value: What was given, as it was given. Personal data is masked by whoever makes the problem.
        message: A sentence for the user that says the rule; may be lazy.
        code: Stable machine-readable reason, such as `taken` or `unknown_datum`.
    """

    field: str
    value: Any
    message: Any
    code: str = "invalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else str(self.message)


class RuleBroken(Exception):
    """Input breaks one or more rules; nothing was written.

    Pages show each problem at its form field, the API answers 422 with all of them.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def at(cls, field: str, value: Any, message: Any, code: str = "invalid") -> RuleBroken:
        """The common case: one problem at one field."""
        return cls(Problem(field, value, message, code))

    def show_on(self, form: BaseForm) -> None:
        """Put each problem at the form's field of the same name, or above the form when it has none."""
        for problem in self.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
