"""What the sender of a batch calls its vehicles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class Names:
    """The name of each row's vehicle.

    Attributes:
        distinct: names; where `rows` is given perhaps some that no row uses, else one a row.
        rows: int64, for each row its place in `distinct`.
    """

    distinct: list[str]
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.distinct) if self.rows is None else len(self.rows)

    def __getitem__(self, row: int) -> str:
        return self.distinct[row if self.rows is None else int(self.rows[row])]

    def spread(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """One number a row, from one for each of `distinct`."""
        return numbers if self.rows is None else numbers[self.rows]

    def of(self, rows: NDArray[np.int64]) -> Names:
        """Those of some rows."""
        if self.rows is None:
            return Names([self.distinct[row] for row in rows.tolist()])
        return Names(self.distinct, self.rows[rows])
