"""What the person whose case it is does: add, judge, reopen, take back. Signed in, or by the secret link.

The caller has shown who asks: a view that found the case among the worker's own, or by its token.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases.facts import GivenFile
from yizhan.cases.life import MOST_REOPENED
from yizhan.cases.models import By, Case, CaseEventKind, CaseState
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.errors import RuleBroken

from .files import keep_files, looked_at
from .log import Actor, begin, clean_words, locked, needed_words, step
from .notices import tell_handlers, words_for


@transaction.atomic
def confirm_result(case: Case, *, stars: int, words: str = "", by: By = By.WORKER, at: datetime | None = None) -> Case:
    """The worker says that it is solved. Saying it twice changes nothing.

    Args:
        stars: How satisfied, from 1 to 5.

    Raises:
        RuleBroken: there is no result to confirm, or the stars are none of 1 to 5.
    """
    if not 1 <= stars <= 5:
        raise RuleBroken.at("stars", stars, _("Give one to five stars."), "invalid")
    said = clean_words(words)
    current = locked(case)
    if current.state == CaseState.CLOSED and current.closed_how == "confirmed":
        return current
    step(current, CaseEventKind.CONFIRMED, by=by, words=said, data={"stars": stars}, at=at)
    tell_handlers(current, words_for(gettext_noop("The worker confirmed the result: %(stars)d stars."), stars=stars))
    return current


@transaction.atomic
def note_call(
    case: Case,
    *,
    actor: Actor,
    is_solved: bool,
    words: str,
    stars: int | None = None,
    called_at: datetime | None = None,
    seen: int | None = None,
    at: datetime | None = None,
) -> Case:
    """回访: a cadre called whoever brought the case and notes the verdict that was given on the telephone.

    The step says who called and when; the case counts as closed on the telephone, and the person is told by a text
    message. Their own verdict, or that it is not solved, still takes its place.

    Args:
        is_solved: What the person said; a no reopens the case.
        words: What was said, in the person's words.
        stars: 1 to 5, if the person gave any.
        called_at: When they talked; now when None.

    Raises:
        NotAllowed, ChangedMeanwhile: as for all steps.
        RuleBroken: nothing is noted, stars are none of 1 to 5, the call lies in the future or before the result, or
            there is no result to judge.
    """
    said = needed_words(words, _("Note what was said."))
    if stars is not None and not 1 <= stars <= 5:
        raise RuleBroken.at("stars", stars, _("Give one to five stars."), "invalid")
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    if current.state != CaseState.PROPOSED:
        message = _("There is no result that waits for a verdict: the case is “%(state)s”.")
        raise RuleBroken.at("state", current.state, message % {"state": current.get_state_display()}, "wrong_state")
    now = at or timezone.now()
    moment = called_at or now
    # A minute is what the field on the page can say.
    if moment > now or (current.proposed_at and moment < current.proposed_at.replace(second=0, microsecond=0)):
        shown = f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
        raise RuleBroken.at("called_at", shown, _("The call lies between the result and now."), "out_of_range")
    data: dict[str, object] = {"called_at": moment.isoformat()}
    if is_solved:
        step(current, CaseEventKind.CONFIRMED, actor=actor, words=said, data={**data, "stars": stars}, at=now)
    else:
        _refuse_too_often(current)
        step(current, CaseEventKind.REOPENED, actor=actor, words=said, data=data, at=now)
    _text_call(current)
    return current


def _text_call(case: Case) -> None:
    from yizhan.cases.tasks import text_news  # a task imports services

    text_news.defer(case_id=case.pk, news="call")


@transaction.atomic
def reopen_case(case: Case, *, words: str, by: By = By.WORKER, at: datetime | None = None) -> Case:
    """The worker says that it is not solved, or objects to a refusal.

    Raises:
        RuleBroken: no reason is given, the case is not at that point, or it was reopened too often.
    """
    said = needed_words(words, _("Say what is not solved."))
    current = locked(case)
    _refuse_too_often(current)
    step(current, CaseEventKind.REOPENED, by=by, words=said, at=at)
    tell_handlers(current, words_for(gettext_noop("The worker says that it is not solved.")))
    return current


def _refuse_too_often(case: Case) -> None:
    if case.times_reopened >= MOST_REOPENED:
        message = _("It was reopened %(n)d times. Call 12351, or bring it anew.") % {"n": MOST_REOPENED}
        raise RuleBroken.at("state", case.state, message, "too_often")


@transaction.atomic
def withdraw_case(case: Case, *, words: str = "", by: By = By.WORKER, at: datetime | None = None) -> Case:
    """The worker takes it back. Raises RuleBroken when there is a result already."""
    current = locked(case)
    if current.state == CaseState.WITHDRAWN:
        return current
    step(current, CaseEventKind.WITHDRAWN, by=by, words=clean_words(words), at=at)
    tell_handlers(current, words_for(gettext_noop("The worker took it back.")))
    return current


@transaction.atomic
def add_to_case(
    case: Case,
    *,
    words: str = "",
    files: Sequence[GivenFile] = (),
    by: By = By.WORKER,
    at: datetime | None = None,
) -> Case:
    """The worker adds words or files.

    Raises:
        RuleBroken: neither is given, or the case is closed.
    """
    said = clean_words(words)
    given = [looked_at(file) for file in files]
    if not said and not given:
        raise RuleBroken.at("words", "", _("Write something or choose a file."), "missing")
    current = locked(case)
    event = step(current, CaseEventKind.ADDED, by=by, words=said, at=at)
    keep_files(current, event, given)
    tell_handlers(current, words_for(gettext_noop("The worker added something.")))
    return current
