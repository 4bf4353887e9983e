"""Keeping a worker from programmes, with a reason; and what becomes of the worker's appeal."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.benefits.actions import APPEAL_ANSWERED, APPEALED, EXCLUSION_LIFTED, WORKER_EXCLUDED
from yizhan.benefits.models import AppealState, Exclusion, Programme
from yizhan.benefits.rights import EXCLUDE_WORKERS
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import Operator, policy
from yizhan.unions.services import inbox


@transaction.atomic
def exclude(
    *,
    union: Union,
    programme: Programme | None,
    worker: Worker,
    reason: str,
    actor: Staff | Operator,
    until: datetime | None = None,
    at: datetime | None = None,
) -> Exclusion:
    """Keep a worker from one programme, or (None) from all of a union and below. The worker reads the reason.

    One that holds already is returned unchanged.

    Raises:
        NotAllowed: `actor` may not keep workers from programmes of this union.
        RuleBroken: no reason; ends before it begins; the programme is another union's.
    """
    union = programme.union if programme is not None else union
    policy.require(actor, EXCLUDE_WORKERS, union)
    reason = " ".join(reason.split())[:200]
    now = at or timezone.now()
    if len(reason) < 2:
        raise RuleBroken.at("reason", reason, _("Say why; the worker reads it and may appeal."), "required")
    if until is not None and until <= now:
        raise RuleBroken.at("until", until, _("It would end before it begins."), "past")
    Worker.objects.with_scopes_disabled().select_for_update().get(pk=worker.pk)
    rows = Exclusion.objects.with_scopes_disabled()
    holds = rows.filter(union=union, programme=programme, worker=worker, lifted_at__isnull=True)
    if there := holds.filter(Q(until__isnull=True) | Q(until__gt=now)).first():
        found: Exclusion = there
        return found
    made: Exclusion = rows.create(
        union=union,
        programme=programme,
        worker=worker,
        reason=reason,
        since=now,
        until=until,
        excluded_by=actor if isinstance(actor, Staff) else None,
    )
    record(actor, WORKER_EXCLUDED, union=union, target=worker, details={"reason": reason})
    return made


@transaction.atomic
def lift(exclusion: Exclusion, *, actor: Staff | Operator, reason: str = "") -> Exclusion:
    """Let the worker take part again. Lifting it twice changes nothing.

    Raises:
        NotAllowed: `actor` may not keep workers from programmes of this union, so nor let them in.
    """
    current = _locked(exclusion)
    policy.require(actor, EXCLUDE_WORKERS, current.union)
    if current.lifted_at is None:
        current.lifted_at, current.lifted_by = timezone.now(), actor if isinstance(actor, Staff) else None
        current.save(update_fields=["lifted_at", "lifted_by"])
        details = {"reason": reason[:200]} if reason else None
        record(actor, EXCLUSION_LIFTED, union=current.union, target=current.worker, details=details)
    return current


@transaction.atomic
def appeal(exclusion: Exclusion, *, worker: Worker, words: str) -> Exclusion:
    """The worker's one appeal. Staff who may answer it find it in their inbox; a repeated one changes nothing.

    Raises:
        RuleBroken: it is another worker's, it is lifted or over, it was answered, or nothing is said.
    """
    current = _locked(exclusion)
    words = words.strip()[:500]
    if current.worker_id != worker.pk:
        raise RuleBroken.at("", None, _("This concerns another worker."), "not_yours")
    if current.appeal_state == AppealState.WAITING:
        return current
    if current.appeal_state != AppealState.NONE or current.lifted_at is not None:
        raise RuleBroken.at("", None, _("This has been settled already."), "settled")
    if len(words) < 5:
        raise RuleBroken.at("words", words, _("Say in a sentence what happened."), "required")
    current.appeal_state, current.appeal, current.appealed_at = AppealState.WAITING, words, timezone.now()
    current.save(update_fields=["appeal_state", "appeal", "appealed_at"])
    record(worker.user, APPEALED, union=current.union)
    inbox.send(
        title=gettext_lazy("A worker appeals against being kept from a programme"),
        link=current.get_absolute_url(),
        union=current.union,
        right=EXCLUDE_WORKERS,
    )
    return current


@transaction.atomic
def answer_appeal(exclusion: Exclusion, *, grant: bool, answer: str, actor: Staff | Operator) -> Exclusion:
    """Grant an appeal, which lifts the exclusion, or refuse it; the worker reads the answer.

    Raises:
        NotAllowed: `actor` may not keep workers from programmes of this union.
        RuleBroken: no appeal waits, or no answer is given.
    """
    current = _locked(exclusion)
    policy.require(actor, EXCLUDE_WORKERS, current.union)
    answer = " ".join(answer.split())[:300]
    if current.appeal_state != AppealState.WAITING:
        raise RuleBroken.at("", None, _("No appeal waits for an answer here."), "wrong_state")
    if len(answer) < 2:
        raise RuleBroken.at("answer", answer, _("Give an answer; the worker reads it."), "required")
    current.appeal_state = AppealState.GRANTED if grant else AppealState.REFUSED
    current.answer, current.answered_at = answer, timezone.now()
    current.answered_by = actor if isinstance(actor, Staff) else None
    current.save(update_fields=["appeal_state", "answer", "answered_at", "answered_by"])
    details = {"accepted": grant, "reason": answer}
    record(actor, APPEAL_ANSWERED, union=current.union, target=current.worker, details=details)
    return lift(current, actor=actor) if grant else current


def _locked(exclusion: Exclusion) -> Exclusion:
    found: Exclusion = (
        Exclusion.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "worker__user", "programme")
        .get(pk=exclusion.pk)
    )
    return found
