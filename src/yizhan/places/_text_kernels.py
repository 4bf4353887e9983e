# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled matching of a word against texts made of characters that can be said aloud.

A word is up to 60 symbols: letters, digits and Chinese characters. How much of it has been matched so far is a set of
positions, one bit each, so that all ways to part "xian" into syllables are followed at once.
"""

import numpy as np
from numba import njit

ONE = np.uint64(1)
NONE = np.uint64(0)
AMIDST = ONE << np.uint64(63)  # the word ended amidst a syllable
NO_MATCH = 255
EXACT, PREFIX, INSIDE = 0, 1, 2
BY_INITIALS = 3  # added where a syllable was given by its first letters alone


@njit(nogil=True, cache=True)
def _said(word, q, syllable, length):
    """Which positions of the word follow position `q` when a syllable stands there: in full, and by its first letters.

    In full, too, when the word ends amidst it (`AMIDST`); the first letters are one, or two where they are zh, ch, sh.
    """
    size = word.size
    same = 0
    while same < length and q + same < size and word[q + same] == syllable[same]:
        same += 1
    whole, initial = NONE, NONE
    if same == length:
        whole = ONE << np.uint64(q + length)
    elif q + same == size and same:
        whole = AMIDST
    if same:
        initial = ONE << np.uint64(q + 1)
        if same > 1 and syllable[1] == 104 and syllable[0] in (122, 99, 115):
            initial |= ONE << np.uint64(q + 2)
    return whole, initial


@njit(nogil=True, cache=True)
def follow(word, symbols, readings, syllables, lengths, whole, initial):
    """For each symbol of the vocabulary and each position in the word, which positions follow; see `_said`."""
    for v in range(symbols.size):
        for q in range(word.size):
            if symbols[v] == word[q]:
                whole[v, q] |= ONE << np.uint64(q + 1)
            for r in range(readings.shape[1]):
                s = readings[v, r]
                if s < 0:
                    break
                full, part = _said(word, q, syllables[s], lengths[s])
                whole[v, q] |= full
                initial[v, q] |= part


@njit(nogil=True, cache=True)
def _reached(positions, whole, last):
    """0: the word has not ended; 1: it has; 2: with the text."""
    if positions & whole:
        return 2 if last else 1
    return 1 if positions & AMIDST else 0


@njit(nogil=True, cache=True)
def _match_at(at, end, units, whole, initial):
    """How the word matches from one symbol of a text on, in full and by initials; see `_reached`."""
    size = whole.shape[1]
    goal = ONE << np.uint64(size)
    first = units[at]
    full, part = whole[first, 0], initial[first, 0]
    best, best_part = _reached(full, goal, at == end - 1), _reached(part, goal, at == end - 1)
    low, high = 1, min(6, size - 1)
    for k in range(at + 1, end):
        if not (full | part) & ~(goal | AMIDST):
            break
        v = units[k]
        new_full, new_part = NONE, NONE
        for q in range(low, high + 1):
            bit = ONE << np.uint64(q)
            if full & bit:
                new_full |= whole[v, q]
                new_part |= initial[v, q]
            if part & bit:
                new_part |= whole[v, q] | initial[v, q]
        full, part = new_full, new_part
        best = max(best, _reached(full, goal, k == end - 1))
        best_part = max(best_part, _reached(part, goal, k == end - 1))
        low, high = low + 1, min(high + 6, size - 1)
    return best, best_part


@njit(nogil=True, cache=True)
def rank_texts(offsets, units, whole, initial, with_initials, rank):
    """`rank[t]` = how well text `t` answers the word: `EXACT`, `PREFIX`, `INSIDE`, those plus `BY_INITIALS`, or not."""
    can_start = (whole[:, 0] | initial[:, 0]) != NONE
    for t in range(offsets.size - 1):
        begin, end = offsets[t], offsets[t + 1]
        best = NO_MATCH
        for at in range(begin, end):
            if not can_start[units[at]]:
                continue
            full, part = _match_at(at, end, units, whole, initial)
            if full:
                best = min(best, INSIDE if at > begin else (EXACT if full == 2 else PREFIX))
            elif part and with_initials:
                best = min(best, BY_INITIALS + (INSIDE if at > begin else (EXACT if part == 2 else PREFIX)))
            if best <= INSIDE:
                break  # what begins later is inside at best
        rank[t] = best
