"""The task ledger: projects, lists, tasks; who does what until when, how far it is, and what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases import outreach_actions as actions
from yizhan.cases.models import Evidence, Milestone, Project, Task, TaskList, TaskPass, TaskState, Visit
from yizhan.cases.models.links import HandOverState
from yizhan.cases.outreach_rights import CHANGE_LEDGER
from yizhan.places.pictures import clean_picture
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

MOST_TASKS = 2_000  # of one list
LARGEST_TARGET = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What a task says. `responsible` is a post of the task's union or above it within the actor's."""

    title: str
    measure: str = ""
    deadline: date | None = None
    weight: int = 1
    target: int | None = None
    unit: str = ""
    note: str = ""
    responsible: Staff | None = None
    number: int | None = None


@transaction.atomic
def make_project(
    *,
    actor: Staff | Operator,
    union: Union,
    name: str,
    purpose: str = "",
    begins_on: date | None = None,
    ends_on: date | None = None,
    lists: tuple[str, ...] = (),
) -> Project:
    """Begin a project of `union`, with its lists.

    Raises:
        NotAllowed: the actor changes no ledger there.
        RuleBroken: no name, one that the union has used already, or it ends before it begins.
    """
    policy.require(actor, CHANGE_LEDGER, union)
    said = _line(name, "name", 120)
    if begins_on and ends_on and ends_on < begins_on:
        raise RuleBroken.at("ends_on", str(ends_on), _("It ends before it begins."), "ends_early")
    if len(purpose) > 1_000:
        raise RuleBroken.at("purpose", purpose[:40], _("At most %(most)d characters.") % {"most": 1_000}, "too_long")
    try:
        with transaction.atomic():
            project: Project = Project.objects.with_scopes_disabled().create(
                union=union, name=said, purpose=purpose.strip(), begins_on=begins_on, ends_on=ends_on
            )
    except IntegrityError:
        raise RuleBroken.at("name", said, _("Your union has a project of this name already."), "taken") from None
    record(actor, actions.PROJECT_MADE, union=union, target=project)
    for list_name in lists:
        make_list(actor=actor, project=project, name=list_name)
    return project


@transaction.atomic
def close_project(*, actor: Staff | Operator, project: Project, is_closed: bool = True) -> Project:
    """Close a project, or open it again; a closed one takes no changes."""
    current = _locked_project(actor, project)
    if current.is_closed != is_closed:
        current.is_closed = is_closed
        current.save(update_fields=["is_closed"])
        record(actor, actions.PROJECT_CHANGED, union=current.union, target=current, details={"now": is_closed})
    return current


@transaction.atomic
def make_list(*, actor: Staff | Operator, project: Project, name: str) -> TaskList:
    """Add a list to a project; one of that name is returned as it is."""
    current = _locked_project(actor, project)
    _refuse_closed(current)
    said = _line(name, "name", 120)
    lists = TaskList.objects.with_scopes_disabled().filter(project=current)
    found: TaskList | None = lists.filter(name=said).first()
    if found is not None:
        return found
    made: TaskList = lists.create(project=current, name=said, order=lists.count() + 1)
    record(actor, actions.LIST_MADE, union=current.union, target=made)
    return made


@transaction.atomic
def make_task(*, actor: Staff | Operator, task_list: TaskList, facts: TaskFacts) -> Task:
    """Add a task of the project's union to a list.

    Raises:
        NotAllowed: the actor changes no ledger there.
        RuleBroken: every rule that the facts break.
    """
    project = _locked_project(actor, task_list.project)
    _refuse_closed(project)
    tasks = Task.objects.with_scopes_disabled().filter(list=task_list, parent=None)
    highest = tasks.aggregate(highest=Max("number"))["highest"] or 0
    columns = _checked(actor, project.union, facts)
    if tasks.count() >= MOST_TASKS:
        raise RuleBroken.at("list", "", _("A list holds at most %(most)d tasks.") % {"most": MOST_TASKS}, "too_many")
    task: Task = Task.objects.with_scopes_disabled().create(
        list=task_list, union=project.union, number=facts.number or highest + 1, **columns
    )
    record(actor, actions.TASK_MADE, union=task.union, target=task)
    return task


@transaction.atomic
def change_task(*, actor: Staff | Operator, task: Task, facts: TaskFacts, seen: int) -> Task:
    """Change what a task says.

    Args:
        seen: The revision that the person saw.

    Raises:
        NotAllowed: the actor changes no ledger at the task's union.
        RuleBroken: someone changed it meanwhile, or the facts break rules.
    """
    current = locked_task(actor, task, seen=seen)
    columns = _checked(actor, current.union, facts)
    if facts.number is not None and current.parent_id is None:
        columns["number"] = facts.number
    changed = [name for name, value in columns.items() if getattr(current, name) != value]
    if not changed:
        return current
    for name in changed:
        setattr(current, name, columns[name])
    _bump(current, changed)
    record(actor, actions.TASK_CHANGED, union=current.union, target=current, details={"fields": changed})
    return current


@transaction.atomic
def tell_progress(
    *,
    actor: Staff | Operator,
    task: Task,
    words: str = "",
    percent: int | None = None,
    done_count: int | None = None,
    state: TaskState | None = None,
    seen: int | None = None,
) -> Task:
    """Say how far a task is. One with tasks below it has their progress: for it only words, or its calling-off.

    Raises:
        NotAllowed: the actor changes no ledger at the task's union.
        RuleBroken: someone changed it meanwhile, numbers out of range, or numbers for a task that has others below.
    """
    current = locked_task(actor, task, seen=seen)
    problems: list[Problem] = []
    said = one_line(words)
    if len(said) > 500:
        rule = _("At most %(most)d characters.") % {"most": 500}
        problems.append(Problem("words", said[:40], rule, "too_long"))
    rolls_up = _has_parts(current)
    if rolls_up and (percent is not None or done_count is not None or state == TaskState.DONE):
        rule = _("Its progress follows from the tasks below it.")
        problems.append(Problem("percent", percent, rule, "rolls_up"))
    if percent is not None and not 0 <= percent <= 100:
        problems.append(Problem("percent", percent, _("From 0 to %(most)d.") % {"most": 100}, "number"))
    if done_count is not None and not 0 <= done_count <= LARGEST_TARGET:
        rule = _("From 0 to %(most)d.") % {"most": LARGEST_TARGET}
        problems.append(Problem("done_count", done_count, rule, "number"))
    if problems:
        raise RuleBroken(problems)
    told = {"percent": percent, "done_count": done_count, "state": state}
    columns: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if said:
        columns["progress_words"] = said
    changed = [name for name, value in columns.items() if getattr(current, name) != value]
    if not changed:
        return current
    if state == TaskState.CANCELLED:
        _withdraw_offers(current, actor)
    for name in changed:
        setattr(current, name, columns[name])
    _bump(current, changed)
    details = {"percent": current.percent, "state": str(current.state), **({"reason": said} if said else {})}
    record(actor, actions.TASK_PROGRESS, union=current.union, target=current, details=details)
    return current


@transaction.atomic
def add_milestone(*, actor: Staff | Operator, task: Task, title: str, due_on: date) -> Milestone:
    """Add a step on the way; one of that title is returned with its day as it stands."""
    current = locked_task(actor, task)
    said = _line(title, "title", 120)
    steps = Milestone.objects.with_scopes_disabled().filter(task=current)
    found: Milestone | None = steps.filter(title=said).first()
    if found is not None:
        return found
    if steps.count() >= 50:
        raise RuleBroken.at("title", said, _("A task has at most %(most)d milestones.") % {"most": 50}, "too_many")
    made: Milestone = steps.create(task=current, title=said, due_on=due_on)
    record(actor, actions.MILESTONE_MADE, union=current.union, target=current, details={"name": said})
    return made


@transaction.atomic
def reach_milestone(*, actor: Staff | Operator, milestone: Milestone, on: date | None = None) -> Milestone:
    """Say that a step was reached; the first day that was said stays."""
    task = locked_task(actor, milestone.task)
    current: Milestone = Milestone.objects.with_scopes_disabled().get(pk=milestone.pk)
    if current.done_on is None:
        current.done_on = on or timezone.localdate()
        current.save(update_fields=["done_on"])
        details = {"name": current.title}
        record(actor, actions.MILESTONE_REACHED, union=task.union, target=task, details=details)
    return current


def add_evidence(
    *,
    actor: Staff | Operator,
    task: Task,
    title: str,
    picture: bytes | None = None,
    visit: Visit | None = None,
) -> Evidence:
    """Add what proves a task's progress: a visit, a picture, or words with a source. A visit proves a task once.

    Raises:
        NotAllowed: the actor changes no ledger at the task's union.
        RuleBroken: nothing said, a picture that cannot be read, or a visit of another union.
    """
    clean = clean_picture(picture) if picture else None
    with transaction.atomic():
        current = locked_task(actor, task)
        said = _line(title or (str(visit) if visit else ""), "title", 200)
        proofs = Evidence.objects.with_scopes_disabled().filter(task=current)
        if visit is not None:
            if not visit.union.path.startswith(current.union.path):
                rule = _("This visit was made by another union.")
                raise RuleBroken.at("visit", str(visit.public_id), rule, "elsewhere")
            found: Evidence | None = proofs.filter(visit=visit).first()
            if found is not None:
                return found
        proof = Evidence(task=current, visit=visit, title=said, by=actor if isinstance(actor, Staff) else None)
        try:
            if clean:
                proof.file.save("evidence.jpg", ContentFile(clean.content), save=False)
            proof.save()
            record(actor, actions.EVIDENCE_ADDED, union=current.union, target=current, details={"name": said})
        except BaseException:
            if proof.file.name:
                proof.file.storage.delete(proof.file.name)
            raise
    return proof


def locked_task(actor: Staff | Operator, task: Task, *, seen: int | None = None) -> Task:
    """The task as it stands, its row locked, if the actor may change it and its project is open."""
    found = Task.objects.with_scopes_disabled().filter(pk=task.pk)
    current: Task = locked_row(found, "union", "list__project__union", "responsible__user")
    policy.require(actor, CHANGE_LEDGER, current.union)
    _refuse_closed(current.list.project)
    if seen is not None and seen != current.revision:
        raise RuleBroken.at(
            "seen", seen, _("Someone changed this task meanwhile; look at it again."), "changed_meanwhile"
        )
    return current


def _has_parts(task: Task) -> bool:
    parts = Task.objects.with_scopes_disabled().filter(parent=task)
    found: bool = parts.exclude(state=TaskState.CANCELLED).exists()
    return found


def _withdraw_offers(task: Task, actor: Staff | Operator) -> None:
    TaskPass.objects.with_scopes_disabled().filter(task=task, state=HandOverState.PENDING).update(
        state=HandOverState.WITHDRAWN,
        decided_at=timezone.now(),
        decided_by=actor if isinstance(actor, Staff) else None,
    )


def _locked_project(actor: Staff | Operator, project: Project) -> Project:
    current: Project = (
        Project.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union")
        .get(pk=project.pk)
    )
    policy.require(actor, CHANGE_LEDGER, current.union)
    return current


def _refuse_closed(project: Project) -> None:
    if project.is_closed:
        raise RuleBroken.at("project", project.name, _("This project is closed; open it again first."), "closed")


def _bump(task: Task, fields: list[str]) -> None:
    task.revision += 1
    task.save(update_fields=[*fields, "revision", "changed_at"])


def _line(text: str, name: str, most: int) -> str:
    said = one_line(text)
    if not said or len(said) > most:
        raise RuleBroken.at(name, said[:40], _("Write from 1 to %(most)d characters.") % {"most": most}, "length")
    return said


def _checked(actor: Staff | Operator, union: Union, facts: TaskFacts) -> dict[str, Any]:
    """The columns of a task, or every rule that its facts break."""
    problems: list[Problem] = []
    texts = {"title": 300, "measure": 300, "note": 300, "unit": 20}
    columns: dict[str, Any] = {name: one_line(getattr(facts, name)) for name in texts}
    for name, most in texts.items():
        if len(columns[name]) > most:
            rule = _("At most %(most)d characters.") % {"most": most}
            problems.append(Problem(name, columns[name][:40], rule, "too_long"))
    if not columns["title"]:
        problems.append(Problem("title", "", _("Say what is to be done."), "missing"))
    if not 1 <= facts.weight <= 1_000:
        problems.append(Problem("weight", facts.weight, _("From 1 to %(most)d.") % {"most": 1_000}, "number"))
    if facts.target is not None and not 1 <= facts.target <= LARGEST_TARGET:
        rule = _("From 1 to %(most)d, or leave it empty.") % {"most": LARGEST_TARGET}
        problems.append(Problem("target", facts.target, rule, "number"))
    if facts.number is not None and not 1 <= facts.number <= 32_000:
        problems.append(Problem("number", facts.number, _("From 1 to %(most)d.") % {"most": 32_000}, "number"))
    if facts.responsible is not None and (wrong := _wrong_person(facts.responsible, union)):
        problems.append(wrong)
    if problems:
        raise RuleBroken(problems)
    return columns | {
        "deadline": facts.deadline,
        "weight": facts.weight,
        "target": facts.target,
        "responsible": facts.responsible,
    }


def _wrong_person(post: Staff, union: Union) -> Problem | None:
    if not post.is_active or not post.user.is_active:
        return Problem("responsible", str(post.user), _("This post has ended."), "inactive")
    if post.union_id != union.pk:
        return Problem("responsible", str(post.user), _("Choose someone of the responsible union."), "elsewhere")
    return None
