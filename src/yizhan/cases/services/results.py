"""成效清单: what came of a closed case, in words in which nobody can be recognised, for everyone to read."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases.models import Case, CaseEventKind
from yizhan.cases.rights import PUBLISH_RESULTS
from yizhan.unions.errors import RuleBroken

from .log import Actor, begin, needed_words, step

LONGEST = 500
_PERSONAL = re.compile(r"(?<!\d)(1[3-9]\d{9}|\d{17}[\dXx])(?!\d)")


@transaction.atomic
def publish_result(
    case: Case, *, title: str, words: str, actor: Actor, seen: int | None = None, at: datetime | None = None
) -> Case:
    """Put a closed case on the public list of results.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or the case is confidential, or the words hold a
            telephone or identity number, the worker's name, or are missing.
    """
    current = begin(case, actor=actor, right=PUBLISH_RESULTS, seen=seen)
    if current.is_confidential:
        raise RuleBroken.at("state", "", _("Of a confidential case nothing is published."), "confidential")
    heading = " ".join(needed_words(title, _("Give a headline."), field="title").split())[:60]
    said = needed_words(words, _("Say what came of it."))[:LONGEST]
    names = [current.contact_name, current.worker.user.name if current.worker else ""]
    for field, text in (("title", heading), ("words", said)):
        if _PERSONAL.search(text) or any(name and len(name) > 1 and name in text for name in names):
            raise RuleBroken.at(
                field, "", _("This names a person or a number of theirs; everyone would read it."), "personal"
            )
    step(current, CaseEventKind.PUBLISHED, actor=actor, words=said, data={"title": heading}, at=at)
    return current


@transaction.atomic
def unpublish_result(
    case: Case, *, actor: Actor, words: str = "", seen: int | None = None, at: datetime | None = None
) -> Case:
    """Take a result back from the public list. Raises as all steps do."""
    current = begin(case, actor=actor, right=PUBLISH_RESULTS, seen=seen)
    step(current, CaseEventKind.UNPUBLISHED, actor=actor, words=words[:200], at=at)
    return current
