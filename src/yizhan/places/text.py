"""Search by text: Chinese, pinyin, the first letters of syllables, and all of them mixed.

`高新区`, `gaoxinqu`, `gxq`, `gaoxq` and `高xq` all find 高新区. A character that is read in several ways is found by
each of them (pypinyin's readings, the four most common). Case, width (Ａ and A) and punctuation do not matter.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, pinyin

from . import _text_kernels as kernels

LONGEST = 60
MOST_WORDS = 6
NO_MATCH = kernels.NO_MATCH
_READINGS = 4
_SYLLABLE = 6
_FIELDS = 3
_INITIALS_IN_LAST_FROM = 3  # letters: by fewer, every long text would be found
_KEPT_ANSWERS = 64


class TextIndex:
    """N things with a few texts each, the most telling first; immutable.

    Args:
        fields: At most three sequences of N texts. In the last of three, initials count from three letters on.
    """

    def __init__(self, *fields: Sequence[str]) -> None:
        if not 1 <= len(fields) <= _FIELDS or len({len(field) for field in fields}) != 1:
            raise ValueError("one to three fields of the same length are needed")
        self._count = len(fields[0])
        distinct = [dict.fromkeys(field) for field in fields]
        units, lengths = _units([text for texts in distinct for text in texts])
        symbols, coded = np.unique(units, return_inverse=True)
        self._symbols = symbols.astype(np.int32)
        self._readings = _readings_of(self._symbols)
        self._columns: list[tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int32] | None]] = []
        text_at, unit_at = 0, 0
        for field, texts in zip(fields, distinct, strict=True):
            offsets = np.zeros(len(texts) + 1, np.int64)
            np.cumsum(lengths[text_at : text_at + len(texts)], out=offsets[1:])
            number = {text: position for position, text in enumerate(texts)}
            row = np.fromiter((number[text] for text in field), np.int32, self._count)
            mine = coded[unit_at : unit_at + int(offsets[-1])].astype(np.uint16)
            self._columns.append((offsets, mine, None if len(texts) == self._count else row))
            text_at, unit_at = text_at + len(texts), unit_at + int(offsets[-1])
        self._answers: dict[str, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return self._count

    def ranks(self, query: str) -> NDArray[np.uint8]:
        """How well each of the N answers: the lower the better, `NO_MATCH` for not at all. Shape (N,).

        Exact comes before prefix, before inside, before what only initials match (again exact, prefix, inside); then an
        earlier field before a later. Of several words each must match; the worst counts. A query of no letters matches
        nothing.
        """
        words = words_of(query)
        if not words:
            return np.full(self._count, NO_MATCH, np.uint8)
        ranks = self._ranks_of(words[0])
        for word in words[1:]:
            ranks = np.maximum(ranks, self._ranks_of(word))
        return ranks

    def _ranks_of(self, word: str) -> NDArray[np.uint8]:
        held = self._answers.get(word)
        if held is not None:
            return held
        letters = np.array([ord(symbol) for symbol in word], np.int32)
        syllables, lengths = _syllables()
        whole = np.zeros((len(self._symbols) + 1, len(letters)), np.uint64)
        initial = np.zeros_like(whole)
        kernels.follow(letters, self._symbols, self._readings, syllables, lengths, whole, initial)
        best = np.full(self._count, NO_MATCH, np.uint8)
        for number, (offsets, units, row) in enumerate(self._columns):
            rank = np.empty(len(offsets) - 1, np.uint8)
            initials = number < _FIELDS - 1 or len(letters) >= _INITIALS_IN_LAST_FROM
            kernels.rank_texts(offsets, units, whole, initial, initials, rank)
            found = rank != NO_MATCH
            rank[found] = rank[found] * _FIELDS + number
            best = np.minimum(best, rank if row is None else rank[row])
        if len(self._answers) >= _KEPT_ANSWERS:
            self._answers = {}
        self._answers[word] = best
        return best


def words_of(query: str) -> list[str]:
    """The words of a query as they are matched: letters and digits of one case; at most six, 60 symbols in all."""
    plain = _plain(query[: 2 * LONGEST])
    words, left = [], LONGEST
    for part in plain.split()[:MOST_WORDS]:
        word = "".join(symbol for symbol in part if symbol.isalnum())[:left]
        if word:
            words.append(word)
            left -= len(word)
    return words


def readings(symbol: str) -> tuple[str, ...]:
    """How a Chinese character may be read, without tones, most common first, at most four; `ü` is written `v`."""
    if symbol < "\u2e80":
        return ()
    found = pinyin(symbol, style=Style.NORMAL, heteronym=True, errors="ignore")
    said = dict.fromkeys(reading for reading in (found[0] if found else ()) if reading.isascii() and reading.isalpha())
    return tuple(said)[:_READINGS]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")


def _units(texts: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The letters, digits and characters of the texts one after the other, and how many belong to each."""
    joined = _plain("\n".join([text if text.isprintable() else _on_one_line(text) for text in texts]))
    symbols = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    known, coded = np.unique(symbols, return_inverse=True)
    counts = np.array([chr(symbol).isalnum() for symbol in known], np.bool_)[coded]
    ends = np.append(np.flatnonzero(symbols == ord("\n")), len(symbols))
    up_to = np.concatenate([[0], np.cumsum(counts)])
    lengths = np.diff(up_to[ends], prepend=0) if texts else np.empty(0, np.int64)
    return symbols[counts], lengths.astype(np.int64)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    """Syllables by their number; grows as characters are met."""
    return {}


@lru_cache(maxsize=32_768)
def _readings_by_number(symbol: int) -> tuple[int, ...]:
    numbers = _numbers()
    return tuple(
        numbers.setdefault(sys.intern(reading), len(numbers))
        for reading in readings(chr(symbol))
        if len(reading) <= _SYLLABLE
    )


def _readings_of(symbols: NDArray[np.int32]) -> NDArray[np.int16]:
    table = np.full((len(symbols), _READINGS), -1, np.int16)
    for row, symbol in enumerate(symbols.tolist()):
        said = _readings_by_number(symbol)
        table[row, : len(said)] = said
    return table


def _syllables() -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The letters of every syllable met so far, and how many each has."""
    known = list(_numbers())
    return _table_of(len(known))


@lru_cache(maxsize=4)
def _table_of(count: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    known = list(_numbers())[:count]
    table = np.zeros((max(count, 1), _SYLLABLE), np.int32)
    for row, syllable in enumerate(known):
        table[row, : len(syllable)] = [ord(letter) for letter in syllable]
    return table, np.array([len(syllable) for syllable in known] or [0], np.int64)
