"""The wishes of drivers as the stream needs them: who wants silence, and which services are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from yizhan.passage.models import VehicleWish
from yizhan.places.models import OfferKind

MOST_BITS = 62  # of an int64, clear of its sign


def services_with_bits() -> list[str]:
    """Services of the common vocabulary, in the order of the bits that stand for them."""
    codes = OfferKind.objects.filter(union=None).order_by("code").values_list("code", flat=True)
    return list(codes[:MOST_BITS])


def bits_of(codes: Sequence[str], offers: NDArray[np.bool_], services: Sequence[str]) -> NDArray[np.int64]:
    """For each place the services that it offers, a bit each; `offers[k, i]`: place `i` offers `codes[k]`."""
    offered = np.zeros(offers.shape[1] if offers.ndim == 2 else 0, np.int64)
    row = {code: k for k, code in enumerate(codes)}
    for bit, code in enumerate(services):
        if code in row:
            offered |= offers[row[code]].astype(np.int64) << bit
    return offered


@dataclass(frozen=True, slots=True)
class Wishes:
    """All wishes, by vehicle.

    Attributes:
        vehicles: pseudonyms, int64, ascending.
        silent: who wants to hear nothing.
        asked: the services that each asks for, a bit each. A service that has no bit is one that no place offers.
    """

    vehicles: NDArray[np.int64]
    silent: NDArray[np.bool_]
    asked: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Nobody wished for anything."""
        return cls(np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0, np.int64))

    @classmethod
    def load(cls, *, of: Sequence[int] | None = None) -> Self:
        """Read all of them, or those of some vehicles."""
        bit_of = {code: bit for bit, code in enumerate(services_with_bits())}
        wishes = VehicleWish.every.all() if of is None else VehicleWish.every.filter(vehicle__in=of)
        rows = list(wishes.order_by("vehicle").values_list("vehicle", "is_silent", "services"))
        if not rows:
            return cls.none()
        asked = [sum(1 << bit_of.get(code, MOST_BITS) for code in set(services)) for _, _, services in rows]
        return cls(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.bool_),
            np.array(asked, np.int64),
        )

    def __len__(self) -> int:
        return len(self.vehicles)

    def of(self, vehicles: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """For each vehicle whether it wants silence, and what it asks for."""
        if not len(self):
            return np.zeros(len(vehicles), np.bool_), np.zeros(len(vehicles), np.int64)
        at = np.minimum(np.searchsorted(self.vehicles, vehicles), len(self) - 1)
        known = self.vehicles[at] == vehicles
        return known & self.silent[at], np.where(known, self.asked[at], 0)
