"""Tasks pass down the levels: offered to a lower union, owned by it only once it accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.cases import outreach_actions as actions
from yizhan.cases.models import MOST_LEVELS, Task, TaskPass, TaskState
from yizhan.cases.models.links import HandOverState
from yizhan.cases.outreach_rights import CHANGE_LEDGER
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy
from yizhan.unions.services.inbox import send

from .ledger import LARGEST_TARGET, locked_task

MOST_AT_ONCE = 200


@transaction.atomic
def pass_down(
    *,
    actor: Staff | Operator,
    task: Task,
    unions: Sequence[Union],
    deadline: date | None = None,
    target: int | None = None,
    weight: int = 1,
    words: str = "",
    at: datetime | None = None,
) -> list[TaskPass]:
    """Offer a task to lower unions, each a part of it with its own deadline and target.

    A union to which it is offered already, or which has accepted a part, is left as it is.

    Raises:
        NotAllowed: the actor changes no ledger at the task's union.
        RuleBroken: no union, one that is not below; the task stands on the lowest level, is done or called off; the
            part's deadline is later than the task's.
    """
    current = locked_task(actor, task)
    problems = _wrong_pass(current, unions, deadline, target, weight)
    said = one_line(words)
    if len(said) > 300:
        rule = _("At most %(most)d characters.") % {"most": 300}
        problems.append(Problem("words", said[:40], rule, "too_long"))
    if problems:
        raise RuleBroken(problems)
    passes = TaskPass.objects.with_scopes_disabled().filter(task=current)
    offered = set(passes.filter(state=HandOverState.PENDING).values_list("to_union_id", flat=True))
    parts = Task.objects.with_scopes_disabled().filter(parent=current).exclude(state=TaskState.CANCELLED)
    has_part = set(parts.values_list("union_id", flat=True))
    made: list[TaskPass] = []
    for union in sorted(set(unions), key=lambda each: each.path):
        if union.pk in offered or union.pk in has_part:
            continue
        offer: TaskPass = passes.create(
            task=current,
            to_union=union,
            deadline=deadline or current.deadline,
            target=target,
            weight=weight,
            words=said,
            asked_by=actor if isinstance(actor, Staff) else None,
            asked_at=at or timezone.now(),
        )
        made.append(offer)
        send(
            title=gettext_lazy("A task is passed down to your union"),
            body=current.title,
            link="/desk/ledger/",
            union=union,
            right=CHANGE_LEDGER,
        )
    if made:
        details = {"unions": len(made)}
        record(actor, actions.TASK_OFFERED, union=current.union, target=current, details=details)
    return made


@transaction.atomic
def accept_task(
    *, actor: Staff | Operator, offer: TaskPass, responsible: Staff | None = None, at: datetime | None = None
) -> Task:
    """Accept a part: the lower union owns it from now on, with whoever is responsible for it there.

    Raises:
        NotAllowed: the actor changes no ledger at the union to which it was offered.
        RuleBroken: answered or taken back meanwhile, or the responsible person is not of that union.
    """
    current = _of_receiver(actor, offer)
    if responsible is not None and (responsible.union_id != current.to_union_id or not responsible.is_active):
        raise RuleBroken.at(
            "responsible", str(responsible.user), _("Choose someone of the responsible union."), "elsewhere"
        )
    above: Task = (
        Task.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("list__project")
        .get(pk=current.task_id)
    )
    if above.list.project.is_closed or above.state == TaskState.CANCELLED:
        raise RuleBroken.at("task", above.title, _("This task was called off or its project is closed."), "closed")
    try:
        with transaction.atomic():
            part: Task = Task.objects.with_scopes_disabled().create(
                list=above.list,
                parent=above,
                union=current.to_union,
                responsible=responsible,
                number=above.number,
                level=above.level + 1,
                title=above.title,
                measure=above.measure,
                unit=above.unit,
                deadline=current.deadline,
                target=current.target,
                weight=current.weight,
                note=current.words,
            )
    except IntegrityError:
        raise _answered() from None
    _answer(current, HandOverState.ACCEPTED, actor, "", at, became=part)
    record(actor, actions.TASK_ACCEPTED, union=part.union, target=part)
    _tell_above(current, gettext_lazy("A union below has accepted a task"))
    return part


@transaction.atomic
def refuse_task(*, actor: Staff | Operator, offer: TaskPass, answer: str, at: datetime | None = None) -> TaskPass:
    """Refuse a part, with a reason; it stays where it is.

    Raises:
        NotAllowed: the actor changes no ledger at the union to which it was offered.
        RuleBroken: no reason, or answered meanwhile.
    """
    current = _of_receiver(actor, offer)
    said = one_line(answer)
    if not said or len(said) > 300:
        raise RuleBroken.at(
            "answer", said[:40], _("Say why, in at most %(most)d characters.") % {"most": 300}, "answer"
        )
    _answer(current, HandOverState.REFUSED, actor, said, at)
    record(actor, actions.TASK_REFUSED, union=current.to_union, target=current.task, details={"reason": said})
    _tell_above(current, gettext_lazy("A union below has refused a task"))
    return current


@transaction.atomic
def withdraw_task(*, actor: Staff | Operator, offer: TaskPass, at: datetime | None = None) -> TaskPass:
    """Take back an offer that nobody has answered.

    Raises:
        NotAllowed: the actor changes no ledger at the task's union.
        RuleBroken: answered meanwhile.
    """
    current = _current(offer)
    policy.require(actor, CHANGE_LEDGER, current.task.union)
    _answer(current, HandOverState.WITHDRAWN, actor, "", at)
    record(actor, actions.TASK_WITHDRAWN, union=current.task.union, target=current.task)
    return current


def _current(offer: TaskPass) -> TaskPass:
    found: TaskPass = (
        TaskPass.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("task__union", "to_union", "asked_by__user", "asked_by__union")
        .get(pk=offer.pk)
    )
    return found


def _of_receiver(actor: Staff | Operator, offer: TaskPass) -> TaskPass:
    """Whoever changes the ledger of the lower union answers, but nobody answers an offer of their own union."""
    current = _current(offer)
    policy.require(actor, CHANGE_LEDGER, current.to_union)
    if isinstance(actor, Staff) and actor.union_id == current.task.union_id:
        raise RuleBroken.at("offer", "", _("The union to which it is offered answers this."), "own_offer")
    return current


def _answer(
    offer: TaskPass,
    state: HandOverState,
    actor: Staff | Operator,
    answer: str,
    at: datetime | None,
    *,
    became: Task | None = None,
) -> None:
    changed = (
        TaskPass.objects.with_scopes_disabled()
        .filter(pk=offer.pk, state=HandOverState.PENDING)
        .update(
            state=state,
            decided_by=actor if isinstance(actor, Staff) else None,
            decided_at=at or timezone.now(),
            answer=answer,
            became=became,
        )
    )
    if not changed:
        raise _answered()
    offer.refresh_from_db(fields=["state", "decided_at", "answer", "decided_by", "became"])


def _answered() -> RuleBroken:
    return RuleBroken.at("offer", "", _("This was answered or taken back meanwhile."), "answered")


def _tell_above(offer: TaskPass, title: object) -> None:
    body = f"{offer.to_union.name} · {offer.task.title}"
    posts = [offer.asked_by] if offer.asked_by else []
    send(title=title, body=body, link=offer.task.get_absolute_url(), posts=posts)


def _wrong_pass(
    task: Task, unions: Sequence[Union], deadline: date | None, target: int | None, weight: int
) -> list[Problem]:
    problems: list[Problem] = []
    if task.level >= MOST_LEVELS:
        rule = _("This task stands on the lowest level already.")
        problems.append(Problem("task", task.title, rule, "lowest"))
    if task.state != TaskState.OPEN:
        problems.append(Problem("task", task.title, _("This task is done or called off."), "over"))
    if not 1 <= len(unions) <= MOST_AT_ONCE:
        rule = _("Choose from 1 to %(most)d unions.") % {"most": MOST_AT_ONCE}
        problems.append(Problem("unions", len(unions), rule, "number"))
    for union in unions:
        if not union.is_active or not union.path.startswith(task.union.path) or union.pk == task.union_id:
            rule = _("Choose active unions below the one that has the task.")
            problems.append(Problem("unions", union.name, rule, "not_below"))
    if deadline and task.deadline and deadline > task.deadline:
        rule = _("A part is due no later than the whole: %(day)s.") % {"day": task.deadline}
        problems.append(Problem("deadline", str(deadline), rule, "late"))
    if target is not None and not 1 <= target <= LARGEST_TARGET:
        problems.append(Problem("target", target, _("From 1 to %(most)d.") % {"most": LARGEST_TARGET}, "number"))
    if not 1 <= weight <= 1_000:
        problems.append(Problem("weight", weight, _("From 1 to %(most)d.") % {"most": 1_000}, "number"))
    return problems
