"""Who pays what of a list price: amounts in fen that always sum up, one party taking the remainder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from yizhan.benefits.models.offers import PartyKind
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Union

MOST_PARTIES = 12
MOST_FEN = 100_000_00  # a hundred thousand yuan


@dataclass(frozen=True, slots=True)
class Part:
    """One party's part.

    Attributes:
        party: Who pays.
        fen: How much; None takes what is left of the list price.
        union: Which union, where the party is one.
        name: Which platform or sponsor, where the party is one.
    """

    party: PartyKind
    fen: int | None
    union: Union | None = None
    name: str = ""

    @property
    def key(self) -> tuple[str, int | None, str]:
        """Two parts of one party are one too many."""
        return str(self.party), self.union.pk if self.union else None, self.name


@dataclass(frozen=True, slots=True)
class Split:
    """A whole split: `parts` have amounts and sum up to `list_price_fen`; `remainder` is the index of who takes it."""

    list_price_fen: int
    parts: tuple[Part, ...]
    remainder: int

    def of(self, party: PartyKind) -> int:
        """What all parties of that kind pay together, in fen."""
        return sum(part.fen or 0 for part in self.parts if part.party == party)

    @property
    def funded_fen(self) -> int:
        """What is paid neither by the worker nor by the merchant."""
        return self.list_price_fen - self.of(PartyKind.WORKER) - self.of(PartyKind.MERCHANT)


def split(list_price_fen: int, parts: Sequence[Part]) -> Split:
    """Work out what the one party without an amount pays.

    Raises:
        RuleBroken: with every problem: prices out of range, a party twice or without its name, not exactly one party
            that takes the remainder, parts that pass the price.
    """
    problems: list[Problem] = []
    if not 0 < list_price_fen <= MOST_FEN:
        problems.append(
            Problem(
                "list_price",
                list_price_fen,
                _("The list price is more than nothing and at most 100,000 yuan."),
                "out_of_range",
            )
        )
    if len(parts) > MOST_PARTIES:
        message = _("A price is split among at most %(most)s parties.") % {"most": MOST_PARTIES}
        problems.append(Problem("parts", len(parts), message, "too_many"))
    for part in parts:
        problems += _problems_of(part)
    if len({part.key for part in parts}) < len(parts):
        problems.append(Problem("parts", None, _("The same party stands here twice; one line each."), "twice"))
    open_parts = [place for place, part in enumerate(parts) if part.fen is None]
    if len(open_parts) != 1:
        message = _("Exactly one party takes the remainder: leave its amount empty.")
        problems.append(Problem("parts", len(open_parts), message, "one_remainder"))
    left = list_price_fen - sum(part.fen or 0 for part in parts)
    if left < 0:
        message = _("The parts pass the list price by %(yuan)s yuan.") % {"yuan": f"{-left / 100:.2f}"}
        problems.append(Problem("parts", left, message, "too_much"))
    if problems:
        raise RuleBroken(problems)
    (remainder,) = open_parts
    whole = tuple(replace(part, fen=left) if place == remainder else part for place, part in enumerate(parts))
    return Split(list_price_fen, whole, remainder)


def _problems_of(part: Part) -> list[Problem]:
    found = []
    if part.fen is not None and not 0 <= part.fen <= MOST_FEN:
        found.append(Problem("parts", part.fen, _("A part is never less than nothing."), "out_of_range"))
    if part.party == PartyKind.UNION and part.union is None:
        found.append(Problem("parts", None, _("Say which union pays."), "required"))
    if part.party in {PartyKind.PLATFORM, PartyKind.SPONSOR} and not part.name.strip():
        found.append(Problem("parts", None, _("Say which platform or sponsor pays."), "required"))
    return found
