"""Words that a union adds to the vocabulary of offers: they hold for its places and for all below."""

from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from yizhan.places.actions import WORD_CHANGED
from yizhan.places.models import Equipment, Offer, OfferKind
from yizhan.places.rights import EXTEND_VOCABULARY
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

from .notification import announce
from .offers import vocabulary

MOST_WORDS = 100


@transaction.atomic
def add_word(union: Union, *, name_zh: str, name_en: str, actor: Staff | Operator) -> OfferKind:
    """Add a kind of offer that this union and those below may use.

    Raises:
        NotAllowed: `actor` may not extend the vocabulary of this union.
        RuleBroken: a name is missing, too long, or means something already.
    """
    policy.require(actor, EXTEND_VOCABULARY, union)
    name_zh, name_en = _checked(union, name_zh, name_en)
    if OfferKind.objects.filter(union=union).count() >= MOST_WORDS:
        raise RuleBroken.at("name_zh", name_zh, _("A union adds at most %(limit)d words.") % {"limit": MOST_WORDS})
    word = OfferKind.objects.create(code=_free_code(name_en), name_zh=name_zh, name_en=name_en, order=1000, union=union)
    record(actor, WORD_CHANGED, union=union, target=word, details={"name": [None, f"{name_zh} · {name_en}"]})
    announce()
    return word


@transaction.atomic
def rename_word(word: OfferKind, *, name_zh: str, name_en: str, actor: Staff | Operator) -> OfferKind:
    """Call a union's own word something else; its code, which other programs read, stays.

    Raises:
        NotAllowed: `actor` may not extend the vocabulary of the word's union, or it is everyone's word.
        RuleBroken: a name is missing, too long, or means something already.
    """
    union = _owner(word, actor)
    name_zh, name_en = _checked(union, name_zh, name_en, but=word)
    before = f"{word.name_zh} · {word.name_en}"
    word.name_zh, word.name_en = name_zh, name_en
    word.save(update_fields=["name_zh", "name_en"])
    record(actor, WORD_CHANGED, union=union, target=word, details={"name": [before, f"{name_zh} · {name_en}"]})
    announce()
    return word


@transaction.atomic
def remove_word(word: OfferKind, *, actor: Staff | Operator) -> None:
    """Take a union's own word back, which no place may use any more.

    Raises:
        NotAllowed: `actor` may not extend the vocabulary of the word's union.
        RuleBroken: places still offer it; says how many.
    """
    union = _owner(word, actor)
    used = Offer.objects.with_scopes_disabled().filter(kind=word).count()
    used += Equipment.objects.with_scopes_disabled().filter(offer=word).count()
    if used:
        raise RuleBroken.at(
            "word", str(word), _("%(count)d places offer this; take it off there first.") % {"count": used}, "in_use"
        )
    record(actor, WORD_CHANGED, union=union, target=word, details={"name": [f"{word.name_zh} · {word.name_en}", None]})
    word.delete()


def _owner(word: OfferKind, actor: Staff | Operator) -> Union:
    if word.union is None:
        raise RuleBroken.at("word", str(word), _("This word is everyone's and stays as it is."), "shared")
    policy.require(actor, EXTEND_VOCABULARY, word.union)
    return word.union


def _checked(union: Union, name_zh: str, name_en: str, *, but: OfferKind | None = None) -> tuple[str, str]:
    name_zh, name_en = one_line(name_zh), one_line(name_en)
    problems: list[Problem] = []
    for field, name, limit in (("name_zh", name_zh, 40), ("name_en", name_en, 60)):
        if not name or len(name) > limit:
            problems.append(
                Problem(
                    field, name[:limit], _("A word needs from 1 to %(limit)d characters.") % {"limit": limit}, "length"
                )
            )
        elif any(
            name.casefold() in {kind.name_zh.casefold(), kind.name_en.casefold()}
            for kind in vocabulary(union)
            if but is None or kind.pk != but.pk
        ):
            problems.append(Problem(field, name, _("There is such a word already."), "taken"))
    if problems:
        raise RuleBroken(problems)
    return name_zh, name_en


def _free_code(name: str) -> str:
    """A code that no union uses, so that it means one thing in every list and answer."""
    stem = slugify(name).replace("-", "_")[:32] or "offer"
    taken = set(OfferKind.objects.filter(code__startswith=stem).values_list("code", flat=True))
    number, code = 2, stem
    while code in taken:
        code, number = f"{stem}_{number}", number + 1
    return code
