# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled look-up of open intervals."""

from numba import njit


@njit(nogil=True, cache=True, forceinline=True)
def interval_after(starts_s, low, high, time_s):
    """Index of the first interval in `low:high` that starts after `time_s`."""
    while low < high:
        middle = (low + high) >> 1
        if starts_s[middle] <= time_s:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True, forceinline=True)
def is_open(starts_s, ends_s, offsets, place, time_s):
    """Whether one place is open at `time_s`."""
    after = interval_after(starts_s, offsets[place], offsets[place + 1], time_s)
    return after > offsets[place] and time_s < ends_s[after - 1]


@njit(nogil=True, cache=True)
def edges(starts_s, ends_s, offsets, time_s, until, opening):
    """Fill in where the interval around `time_s` ends and where the next one starts; leaves the rest as it is."""
    for place in range(offsets.size - 1):
        after = interval_after(starts_s, offsets[place], offsets[place + 1], time_s)
        if after > offsets[place] and time_s < ends_s[after - 1]:
            until[place] = ends_s[after - 1]
        if after < offsets[place + 1]:
            opening[place] = starts_s[after]
