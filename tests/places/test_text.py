"""Search by text, against a search that tries every way to read a word."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yizhan.places.text import LONGEST, NO_MATCH, TextIndex, readings, words_of

NAMES = [
    "高新区驿站",
    "中原区总工会驿站",
    "二七广场驿站",
    "长寿区司机之家",
    "绿城广场",
    "KFC花园路店",
    "西安路12号",
    "",
]


def found(query: str, names: list[str] = NAMES) -> list[str]:
    """The names that answer, best first."""
    ranks = TextIndex(names).ranks(query)
    return [names[at] for at in np.argsort(ranks, kind="stable") if ranks[at] != NO_MATCH]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("高新区", "高新区驿站"),
        ("gaoxinqu", "高新区驿站"),
        ("gxq", "高新区驿站"),
        ("GXQ", "高新区驿站"),
        ("ｇｘｑ", "高新区驿站"),
        ("gaoxq", "高新区驿站"),
        ("高xq", "高新区驿站"),
        ("g新qu", "高新区驿站"),
        ("gao xin", "高新区驿站"),
        ("zhongyuan", "中原区总工会驿站"),
        ("zhongyu", "中原区总工会驿站"),
        ("zyq", "中原区总工会驿站"),
        ("zhyq", "中原区总工会驿站"),
        ("changshou", "长寿区司机之家"),
        ("zhangshou", "长寿区司机之家"),
        ("lvcheng", "绿城广场"),
        ("lüc", "绿城广场"),
        ("kfc", "KFC花园路店"),
        ("kfchyl", "KFC花园路店"),
        ("xianlu12", "西安路12号"),
        ("二七·广场", "二七广场驿站"),
    ],
)
def test_a_name_is_found_as_people_type_it(query: str, name: str) -> None:
    assert found(query)[0] == name


@pytest.mark.parametrize("query", ["", "  ", "·！", "gxqzz", "qxg", "ongyuan", "三", "\x00"])
def test_what_nothing_answers_finds_nothing(query: str) -> None:
    assert found(query) == []


def test_exact_comes_before_prefix_before_inside_before_initials() -> None:
    names = ["光学桥", "老高新区站", "高新区站", "高新区", "南光学桥站"]
    assert found("高新区", names) == ["高新区", "高新区站", "老高新区站"]
    assert found("gaoxinqu", names) == ["高新区", "高新区站", "老高新区站"]
    assert found("gxq", [*names, "GXQ"]) == ["GXQ", "光学桥", "高新区", "高新区站", "老高新区站", "南光学桥站"]


def test_of_equal_matches_the_name_comes_before_the_district_before_the_address() -> None:
    index = TextIndex(["甲站", "乙站", "二七站"], ["", "二七区", ""], ["二七路1号", "", ""])
    assert np.argsort(index.ranks("二七"), kind="stable").tolist() == [2, 1, 0]


def test_two_initials_do_not_find_every_address() -> None:
    index = TextIndex(["甲站"], [""], ["科学大道路口"])
    assert index.ranks("dd")[0] == NO_MATCH
    assert index.ranks("kxd")[0] != NO_MATCH
    assert index.ranks("daodao")[0] == NO_MATCH
    assert index.ranks("大道")[0] != NO_MATCH


def test_every_word_must_match_in_some_field() -> None:
    index = TextIndex(["东站", "西站"], ["高新区", "中原区"])
    assert (index.ranks("gxq 东") != NO_MATCH).tolist() == [True, False]
    assert (index.ranks("站 高新") != NO_MATCH).tolist() == [True, False]


def test_a_long_or_strange_query_is_cut_and_answered() -> None:
    assert sum(map(len, words_of("高" * 1000))) <= LONGEST
    assert found("高" * 1000) == []
    assert found("x" * 63) == []
    assert len(words_of("a b c d e f g h")) == 6


def test_texts_with_line_breaks_stay_one_text_each() -> None:
    assert found("乙", ["甲\n站", "乙\u2028站", "丙\r\n站"]) == ["乙\u2028站"]
    assert found("甲站", ["甲\n站", "乙"]) == ["甲\n站"]


def test_an_empty_index_finds_nothing() -> None:
    assert TextIndex([], [], []).ranks("gxq").tolist() == []


def test_fields_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        TextIndex(["a"], [])


SYMBOLS = "高新区长西安中原a1"
TEXTS = st.text(SYMBOLS, max_size=6)
WORDS = st.text("gaoxinquchzswyn1高西", min_size=1, max_size=7)


def _ways(word: str, symbols: str) -> Iterator[tuple[int, bool, bool]]:
    """Every way in which a word can be read off the symbols: how many it takes, whether the last was said in full, and
    whether any was given by its first letters."""
    if not word:
        yield 0, True, False
        return
    if not symbols:
        return
    symbol, rest = symbols[0], symbols[1:]
    steps = [(1, False)] if word[0] == symbol else []
    for reading in readings(symbol):
        if word.startswith(reading):
            steps.append((len(reading), False))
        elif reading.startswith(word):
            yield 1, False, False
        steps += [(len(short), True) for short in _initials(reading) if word.startswith(short)]
    for length, by_initials in steps:
        for taken, whole, initials in _ways(word[length:], rest):
            yield taken + 1, whole, initials or by_initials


def _initials(reading: str) -> list[str]:
    return [reading[0], reading[:2]] if reading[:2] in {"zh", "ch", "sh"} else [reading[0]]


def _slow_rank(word: str, text: str) -> int:
    best = NO_MATCH
    for start in range(len(text)):
        for taken, whole, initials in _ways(word, text[start:]):
            place = 2 if start else 0 if whole and taken == len(text) else 1
            best = min(best, place + 3 * initials)
    return best


@given(st.lists(TEXTS, min_size=1, max_size=5), WORDS)
def test_ranks_are_those_of_a_slow_search(texts: list[str], word: str) -> None:
    slow = [_slow_rank(word, text) for text in texts]
    slow = [rank if rank == NO_MATCH else 3 * rank for rank in slow]  # of three fields the first
    assert TextIndex(texts).ranks(word).tolist() == slow


@given(st.text("高新区gxq", min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 3))
def test_any_part_of_a_name_finds_it(name: str, start: int, more: int) -> None:
    part = name[start : start + more + 1]
    if part:
        assert TextIndex([name, "中原"]).ranks(part)[0] <= 6
