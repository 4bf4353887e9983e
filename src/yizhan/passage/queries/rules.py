"""Which rules hold where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yizhan.passage.models import PassageSettings
from yizhan.unions.models import Union


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The rules that hold at a union, and whose they are.

    Attributes:
        rules: never saved where they are the defaults.
        own: whether the union itself has set them.
        set_by: the union that did; None for the defaults.
    """

    rules: PassageSettings
    own: bool
    set_by: Union | None


class RulesTree:
    """All rules by the union's place in the tree: a union follows itself, else the nearest above, else defaults."""

    def __init__(self, settings: Iterable[PassageSettings]) -> None:
        self._by_path = {each.union.path: each for each in settings}
        self._defaults = PassageSettings()

    @classmethod
    def load(cls) -> Self:
        """Read all of them: rules reach down into every scope."""
        return cls(PassageSettings.rules.select_related("union"))

    def changed(self, **values: int) -> RulesTree:
        """The same rules, but for these values everywhere; for simulations, never saved."""
        for each in (*self._by_path.values(), self._defaults):
            for name, value in values.items():
                setattr(each, name, value)
        return self

    def at(self, path: str) -> PassageSettings:
        """The rules in force at the union whose place in the tree is `path`."""
        for length in range(len(path), 0, -Union.steplen):
            if found := self._by_path.get(path[:length]):
                return found
        return self._defaults


def rules_in_force(union: Union) -> RulesInForce:
    """What holds at a union, for a page to show."""
    path = union.path
    above = [path[:length] for length in range(Union.steplen, len(path) + 1, Union.steplen)]
    rules = RulesTree(PassageSettings.rules.filter(union__path__in=above).select_related("union")).at(path)
    return RulesInForce(rules, rules.union_id == union.pk, rules.union if rules.pk else None)
