"""Two cases that are one, and one that is several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases.circle import in_circle
from yizhan.cases.facts import CaseFacts
from yizhan.cases.kinds import kind_of
from yizhan.cases.models import Case, CaseEventKind, CaseSource, CaseState
from yizhan.cases.models.case import OPEN_STATES
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import NotAllowed, policy

from .intake import submit_case
from .log import Actor, begin, check_seen, clean_words, locked, needed_words, step

MOST_PARTS = 6


@transaction.atomic
def merge_case(
    case: Case, *, into: Case, actor: Actor, words: str = "", seen: int | None = None, at: datetime | None = None
) -> Case:
    """Close a duplicate: from now on `into` is worked on for both, and both workers see what becomes of it.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or the two cannot be one: the same case, different
            secrecy, the other closed or itself a duplicate.
    """
    if case.pk == into.pk:
        raise RuleBroken.at("into", into.number, _("A case cannot be merged into itself."), "same")
    said = clean_words(words)
    # Locked in the order of their row numbers: two who merge two cases into each other do not wait for ever.
    for one in sorted((case, into), key=lambda one: one.pk):
        locked(one)
    duplicate, kept = locked(case), locked(into)
    for one in (duplicate, kept):
        policy.require(actor, HANDLE_CASES, one.union)
        if one.is_confidential and not in_circle(actor, one):
            raise NotAllowed(HANDLE_CASES, one.union)
    check_seen(duplicate, seen)
    if duplicate.is_confidential != kept.is_confidential:
        raise RuleBroken.at(
            "into", kept.number, _("A confidential case and one that is not cannot be one."), "confidential"
        )
    if kept.state not in OPEN_STATES:
        raise RuleBroken.at("into", kept.number, _("The other case is closed."), "closed")
    step(duplicate, CaseEventKind.MERGED, actor=actor, words=said, data={"into": kept.pk}, at=at)
    step(kept, CaseEventKind.ABSORBED, actor=actor, words=said, data={"case": duplicate.pk}, at=at)
    return duplicate


@transaction.atomic
def split_case(
    case: Case,
    *,
    parts: Sequence[CaseFacts],
    actor: Actor,
    words: str,
    seen: int | None = None,
    at: datetime | None = None,
) -> list[Case]:
    """Make cases of their own out of parts of one; the case itself goes on.

    The parts belong to the owner of the case, and to the same worker. A part of a confidential case is confidential.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or there is no part, or too many.
    """
    said = needed_words(words, _("Say why it is split."))
    if not 1 <= len(parts) <= MOST_PARTS:
        raise RuleBroken.at("parts", len(parts), _("Give one to %(n)d parts.") % {"n": MOST_PARTS}, "invalid")
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    made = []
    for part in parts:
        if current.is_confidential and not kind_of(part.kind, current.union).is_confidential:
            raise RuleBroken.at(
                "kind", part.kind, _("A part of a confidential case is confidential, too."), "confidential"
            )
        new = submit_case(
            part,
            union=current.union,
            source=CaseSource.SPLIT,
            actor=actor,
            worker=current.worker,
            split_from=current,
            lenient=True,
            at=at,
        )
        step(current, CaseEventKind.SPLIT_OFF, actor=actor, words=said, data={"case": new.pk}, at=at)
        made.append(new)
    return made


def followed(case: Case) -> Case:
    """The case in which `case` goes on: itself, or the one it was merged into."""
    current = case
    while current.state == CaseState.MERGED and current.merged_into_id is not None:
        current = Case.objects.with_scopes_disabled().select_related("union").get(pk=current.merged_into_id)
    return current
