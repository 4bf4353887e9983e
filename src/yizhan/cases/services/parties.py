"""Who else has to do with a case: those who help (协办), those who urge (催办) and those who supervise (督办)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases.models import Case, CaseEventKind
from yizhan.cases.rights import HANDLE_CASES, SUPERVISE_CASES
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

from .log import Actor, begin, clean_words, needed_words, step
from .notices import tell_handlers, tell_posts, tell_union, words_for


@transaction.atomic
def add_co_handler(
    case: Case,
    *,
    actor: Actor,
    words: str,
    union: Union | None = None,
    staff: Staff | None = None,
    seen: int | None = None,
    at: datetime | None = None,
) -> Case:
    """Ask another union, or one post anywhere, to help. They see the case, tell progress and note; they do not decide.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or a confidential case is shown to a whole union, or
            the post may not handle cases.
    """
    said = needed_words(words, _("Say what they should help with."))
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    where = staff.union if staff is not None else union
    if where is None:
        raise RuleBroken.at("helper", "", _("Choose who should help."), "missing")
    if staff is None and current.is_confidential:
        raise RuleBroken.at(
            "helper", where.name, _("A confidential case is shown to single persons only: choose one."), "confidential"
        )
    if staff is not None and not (staff.is_active and policy.allows(staff, HANDLE_CASES, where)):
        raise RuleBroken.at("helper", str(staff), _("This person cannot handle cases."), "wrong")
    if staff is None and where.pk == current.union_id:
        raise RuleBroken.at("helper", where.name, _("The case is theirs already."), "own")
    data = {"union": where.pk, **({"staff": staff.pk} if staff else {})}
    step(current, CaseEventKind.CO_HANDLER_ADDED, actor=actor, words=said, data=data, at=at)
    asked = words_for(gettext_noop("%(union)s asks for your help with this case."), union=current.union.name)
    if staff is not None:
        tell_posts(current, asked, [staff])
    else:
        tell_union(current, asked, union=where)
    return current


@transaction.atomic
def remove_co_handler(
    case: Case,
    *,
    actor: Actor,
    union: Union,
    staff: Staff | None = None,
    words: str = "",
    seen: int | None = None,
    at: datetime | None = None,
) -> Case:
    """End the help of a union or post. Raises as all steps do."""
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    data = {"union": union.pk, **({"staff": staff.pk} if staff else {})}
    step(current, CaseEventKind.CO_HANDLER_REMOVED, actor=actor, words=clean_words(words), data=data, at=at)
    return current


@transaction.atomic
def urge_case(
    case: Case, *, actor: Actor, words: str = "", seen: int | None = None, at: datetime | None = None
) -> Case:
    """Urge those who work on it. Moves no deadline. Raises as all steps do."""
    current = begin(case, actor=actor, right=SUPERVISE_CASES, seen=seen)
    step(current, CaseEventKind.URGED, actor=actor, words=clean_words(words), at=at)
    tell_handlers(current, words_for(gettext_noop("You are urged to go on with this case (催办).")))
    return current


@transaction.atomic
def supervise_case(
    case: Case, *, actor: Actor, words: str, seen: int | None = None, at: datetime | None = None
) -> Case:
    """Put the case under supervision of the actor's union: it stays marked until it is closed.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or no reason is given.
    """
    said = needed_words(words, _("Say what is expected, and by when."))
    current = begin(case, actor=actor, right=SUPERVISE_CASES, seen=seen)
    where = actor.union if isinstance(actor, Staff) else current.union
    step(current, CaseEventKind.SUPERVISED, actor=actor, words=said, data={"union": where.pk}, at=at)
    tell_union(current, words_for(gettext_noop("%(union)s supervises this case (督办)."), union=where.name))
    return current
