"""Searching cases in Chinese: rjieba cuts text into words, PostgreSQL's inverted index finds them. No extension.

The words are handed to the database as they are (`array_to_tsvector`), so that no parser or locale of the server has a
say. A question is cut in the same way; all of its words must occur, the last one may be incomplete.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import rjieba
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Func, QuerySet, Value

from .models import Case

MOST_WORDS: Final = 12
_WORD: Final = re.compile(r"\w", re.UNICODE)
# Words of the field that the dictionary of everyday Chinese cuts apart.
_FIELD_WORDS: Final = ("微心愿", "三走进", "惠骑餐厅", "充电柜", "工会驿站")


@cache
def _cutter() -> rjieba.Jieba:
    cutter = rjieba.Jieba()
    for word in _FIELD_WORDS:
        cutter.add_word(word, None, None)
    return cutter


def words_of(text: str) -> list[str]:
    """The words by which a text is found: whole ones and the shorter ones within, in lower case, each once."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\x00", " ")
    return list(
        dict.fromkeys(word for word in map(str.strip, _cutter().cut_for_search(plain, True)) if _WORD.search(word))
    )


def question_words(text: str) -> list[str]:
    """The words of a question, whole ones only: what is asked for must not be weaker than what was typed."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\x00", " ")
    cut = (word.strip() for word in _cutter().cut(plain, True))
    return list(dict.fromkeys(word for word in cut if _WORD.search(word)))[:MOST_WORDS]


class TextArray(Value):
    """Words as a PostgreSQL array."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(list(words))

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s::text[]", (self.value,)


class WordVector(Func):
    """Words as a tsvector, as they are."""

    function = "array_to_tsvector"
    output_field = SearchVectorField()

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(TextArray(words))


class HasWords(models.Expression):
    """Whether a case's words hold all of these; the last one may go on."""

    output_field = models.BooleanField()

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        quoted = ["'{}'".format(word.replace("\\", "\\\\").replace("'", "''")) for word in words]
        quoted[-1] += ":*"
        self.question = " & ".join(quoted)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return f'"{Case._meta.db_table}"."search" @@ %s::tsquery', (self.question,)

    def get_source_expressions(self) -> list[Any]:
        return []


def index_words(case: Case) -> list[str]:
    """Everything by which a case is found. Of a confidential one only its number: the index itself tells nothing."""
    if case.is_confidential:
        return [case.number]
    parts = [case.title, case.text, case.address, case.hotline_number, *(str(value) for value in case.fields.values())]
    if case.place is not None:
        parts.append(case.place.name)
    return [case.number, *words_of(" ".join(parts))]


def write_index(case: Case) -> None:
    """Bring the words by which a case is found into step."""
    Case.objects.with_scopes_disabled().filter(pk=case.pk).update(search=WordVector(index_words(case)))


def matching(found: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Those cases that hold every word of `text`; none of them when it has no words."""
    number = text.strip()
    if re.fullmatch(r"\d{8}-\d{6}", number):
        return found.filter(number=number)
    words = question_words(text)
    return found.filter(HasWords(words)) if words else found.none()
