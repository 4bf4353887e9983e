"""What a union does with a case of its own, from the first answer to the proposed result.

Each step: right, row lock, whether the actor has seen all that happened, the step, the audit row; told on commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases.circle import in_circle
from yizhan.cases.facts import GivenFile
from yizhan.cases.kinds import checked_fields, kind_of
from yizhan.cases.models import Case, CaseEventKind, CaseParty, PartyRole
from yizhan.cases.rights import HANDLE_CASES
from yizhan.cases.search import write_index
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import NotAllowed, policy

from .files import keep_files, looked_at
from .intake import LONGEST_TEXT, LONGEST_TITLE, put_content
from .log import Actor, begin, check_seen, clean_words, locked, needed_words, step
from .notices import tell_posts, words_for


@transaction.atomic
def accept_case(
    case: Case, *, actor: Actor, seen: int | None = None, words: str = "", at: datetime | None = None
) -> Case:
    """Say yes to the worker: the case is ours now. Stops the clock of the first answer, starts those of the work.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps.
    """
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    step(current, CaseEventKind.ACCEPTED, actor=actor, words=clean_words(words), at=at)
    return current


@transaction.atomic
def refuse_case(case: Case, *, actor: Actor, words: str, seen: int | None = None, at: datetime | None = None) -> Case:
    """Say no, and why; the worker reads the reason and may object once.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or no reason is given.
    """
    said = needed_words(words, _("Say why; the worker reads it."))
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    step(current, CaseEventKind.REFUSED, actor=actor, words=said, at=at)
    return current


@transaction.atomic
def assign_case(
    case: Case,
    *,
    handler: Staff,
    actor: Actor,
    seen: int | None = None,
    words: str = "",
    at: datetime | None = None,
) -> Case:
    """Give the case to someone at the owner union. Of a submitted case, this accepts it first.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or the handler may not handle cases there.
    """
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    if not handler.is_active or not policy.allows(handler, HANDLE_CASES, current.union):
        raise RuleBroken.at(
            "handler",
            str(handler),
            _("This person cannot handle cases of %(union)s.") % {"union": current.union},
            "wrong",
        )
    if current.state == "submitted":
        step(current, CaseEventKind.ACCEPTED, actor=actor, at=at)
    step(
        current, CaseEventKind.ASSIGNED, actor=actor, words=clean_words(words), data={"handler": handler.pk}, at=at
    )  # fmt: skip
    if not isinstance(actor, Staff) or actor.pk != handler.pk:
        tell_posts(current, words_for(gettext_noop("This case was assigned to you.")), [handler])
    return current


@transaction.atomic
def start_case(case: Case, *, actor: Actor, seen: int | None = None, at: datetime | None = None) -> Case:
    """Begin to work on it. Raises as all steps do."""
    current = _begin_helping(case, actor=actor, seen=seen)
    step(current, CaseEventKind.STARTED, actor=actor, at=at)
    return current


@transaction.atomic
def tell_progress(
    case: Case,
    *,
    actor: Actor,
    words: str,
    seen: int | None = None,
    files: Sequence[GivenFile] = (),
    at: datetime | None = None,
) -> Case:
    """Tell the worker what was done so far. Starts the clock of the next news. Helpers may, too.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or nothing is said.
    """
    said = needed_words(words, _("Say what was done; the worker reads it."))
    given = [looked_at(file) for file in files]
    current = _begin_helping(case, actor=actor, seen=seen)
    event = step(current, CaseEventKind.PROGRESS, actor=actor, words=said, at=at)
    keep_files(current, event, given)
    return current


@transaction.atomic
def pause_clock(case: Case, *, actor: Actor, words: str, seen: int | None = None, at: datetime | None = None) -> Case:
    """Let the clocks of progress and result stand, and say why: something is awaited that is not in our hands.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or no reason is given.
    """
    said = needed_words(words, _("Say what is awaited; the worker reads it."))
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    step(current, CaseEventKind.PAUSED, actor=actor, words=said, at=at)
    return current


@transaction.atomic
def resume_clock(
    case: Case, *, actor: Actor, words: str = "", seen: int | None = None, at: datetime | None = None
) -> Case:
    """Let the clocks run on. Raises as all steps do."""
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    step(current, CaseEventKind.RESUMED, actor=actor, words=clean_words(words), at=at)
    return current


@transaction.atomic
def propose_result(
    case: Case,
    *,
    actor: Actor,
    words: str,
    seen: int | None = None,
    files: Sequence[GivenFile] = (),
    at: datetime | None = None,
) -> Case:
    """Say what came of it and ask the worker for a verdict. Nobody but the worker, or silence, closes the case.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or nothing is said.
    """
    said = needed_words(words, _("Say what came of it; the worker reads it and judges."))
    given = [looked_at(file) for file in files]
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    event = step(current, CaseEventKind.PROPOSED, actor=actor, words=said, at=at)
    keep_files(current, event, given)
    return current


@transaction.atomic
def note_on_case(
    case: Case,
    *,
    actor: Actor,
    words: str,
    seen: int | None = None,
    files: Sequence[GivenFile] = (),
    at: datetime | None = None,
) -> Case:
    """Note something for colleagues; the worker does not see it. Helpers may, too.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or nothing is said.
    """
    said = needed_words(words, _("Say what your colleagues should know."))
    given = [looked_at(file) for file in files]
    current = _begin_helping(case, actor=actor, seen=seen)
    event = step(current, CaseEventKind.NOTED, actor=actor, words=said, at=at)
    keep_files(current, event, given, for_worker=False)
    return current


@transaction.atomic
def correct_case(
    case: Case,
    *,
    actor: Actor,
    words: str,
    title: str,
    text: str,
    fields: dict[str, Any],
    seen: int | None = None,
    at: datetime | None = None,
) -> Case:
    """Correct what was taken down; what stood there before is kept in the log of a case that is not confidential.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or a value breaks a rule.
    """
    said = needed_words(words, _("Say why it is corrected."))
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    kind = kind_of(current.kind, current.union)
    values = checked_fields(kind, fields, lenient=True)
    heading = " ".join(clean_words(title, field="title", longest=LONGEST_TITLE).split())
    body = clean_words(text, field="text", longest=LONGEST_TEXT)
    if not heading:
        raise RuleBroken.at("title", "", _("Say what it is about."), "missing")
    before = current.opened
    new = {"title": heading, "text": body, "fields": values}
    changed = [name for name in new if before[name] != new[name]]
    if not changed:
        return current
    data: dict[str, Any] = {"fields": changed}
    if not current.is_confidential:
        data["before"] = {name: before[name] for name in changed}
    put_content(current, title=heading, text=body, fields=values)
    current.save(update_fields=["title", "text", "fields", "sealed"])
    step(current, CaseEventKind.EDITED, actor=actor, words=said, data=data, at=at)
    write_index(current)
    return current


def _begin_helping(case: Case, *, actor: Actor, seen: int | None) -> Case:
    """As `begin`, also for posts and unions that help (协办): they tell and note, they do not decide."""
    current = locked(case)
    if isinstance(actor, Staff) and not policy.allows(actor, HANDLE_CASES, current.union):
        helpers = CaseParty.objects.with_scopes_disabled().filter(case=current, role=PartyRole.CO_HANDLER)
        unions = Union.objects.filter(pk__in=helpers.values("union"))
        if not any(policy.allows(actor, HANDLE_CASES, union) for union in unions):
            raise NotAllowed(HANDLE_CASES, current.union)
    else:
        policy.require(actor, HANDLE_CASES, current.union)
    if current.is_confidential and not in_circle(actor, current):
        raise NotAllowed(HANDLE_CASES, current.union)
    check_seen(current, seen)
    return current
