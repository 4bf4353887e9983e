"""Which places a partner gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from yizhan.places.divisions import districts

from .models import Partner, PlaceChange
from .payloads import is_verified


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A partner's filters. A place passes when it is public, verified, and within each of them that is set.

    Attributes:
        paths: Where in the tree its union must hang, at or below one of these.
        kinds: Of place; empty: all.
        areas: Division codes in whose outlines it must lie; empty: anywhere.
    """

    paths: tuple[str, ...]
    kinds: frozenset[str]
    areas: tuple[str, ...]

    @classmethod
    def of(cls, partner: Partner) -> Self:
        """As the partner has it. Unions outside of the partner's own never count."""
        own = partner.union.path
        chosen = tuple(path for path in partner.unions.values_list("path", flat=True) if path.startswith(own))
        return cls(chosen or (own,), frozenset(partner.kinds), tuple(partner.areas))

    def lets_through(self, changes: Sequence[PlaceChange]) -> list[bool]:
        """For each place as it now stands, whether the partner may show it."""
        passed = [
            not change.is_gone
            and change.union_path.startswith(self.paths)
            and (not self.kinds or change.kind in self.kinds)
            and is_verified(change)
            for change in changes
        ]
        inside = [number for number, passes in enumerate(passed) if passes] if self.areas else []
        if inside:
            lon = np.array([changes[number].lon for number in inside], float)
            lat = np.array([changes[number].lat for number in inside], float)
            for number, district in zip(inside, districts().locate(lon, lat), strict=True):
                passed[number] = district is not None and district.code.startswith(self.areas)
        return passed
