"""Arrays as the kernels want them: float64, contiguous, writable, one-dimensional.

Numba compiles once more for every other layout, so all layouts are brought to this one at the door.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def pair_of_columns(
    first: ArrayLike | float, second: ArrayLike | float
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
    """Two arrays broadcast against each other, as flat columns, with the shape that they had.

    Raises:
        ValueError: the shapes do not go together, or a value is no number.
    """
    if isinstance(first, float) and isinstance(second, float):  # one position, the daily case, in a tenth of the time
        return np.array([first]), np.array([second]), ()
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    shape = np.broadcast_shapes(a.shape, b.shape)
    return column(np.broadcast_to(a, shape), np.float64), column(np.broadcast_to(b, shape), np.float64), shape


def column(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """The values as one contiguous column; copied only where they are not one already."""
    flat = np.ascontiguousarray(values, dtype).reshape(-1)
    return flat if flat.flags.writeable else flat.copy()
