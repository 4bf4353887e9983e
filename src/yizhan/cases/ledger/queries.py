"""Reading the task ledger: each union sees its own tasks and those below, and what was offered to it from above."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from yizhan.cases.models import (
    Evidence,
    HandOverState,
    Milestone,
    Project,
    Task,
    TaskList,
    TaskPass,
    TaskState,
    VisitPerson,
)
from yizhan.unions.models import Staff, Worker

from .rollup import DONE, Leaf, Progress, roll_up


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the ledger: a task with its rolled-up progress. `number` counts through the levels: 3, 3.1, 3.1.2."""

    task: Task
    number: str
    depth: int
    progress: Progress
    milestones: Sequence[Milestone]
    evidence: Sequence[Evidence]
    offers: Sequence[TaskPass]
    has_parts: bool
    is_late: bool

    @property
    def done_of_target(self) -> str:
        """`12 / 30 户`, or nothing where nothing is counted."""
        if self.progress.target is None:
            return ""
        return f"{self.progress.done_count} / {self.progress.target} {self.task.unit}".strip()

    @property
    def responsible_name(self) -> str:
        """The responsible person, empty when nobody is."""
        return str(self.task.responsible.user) if self.task.responsible else ""

    @property
    def has_owner(self) -> bool:
        """Whether somebody who is in office is responsible."""
        post = self.task.responsible
        return post is not None and post.is_active and post.user.is_active


@dataclass(frozen=True, slots=True)
class Summary:
    """A project in figures, as far as the acting union sees it: leaves and visits count once."""

    tasks: int
    leaves: int
    leaves_done: int
    late: int
    percent: int
    visits: int
    people: int
    ownerless: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A project's rows in order, and their sums."""

    project: Project
    rows: Sequence[Row]
    summary: Summary


def projects(*, for_staff: Staff) -> QuerySet[Project]:
    """Projects of the acting union and below, and those from above in which it has a task; open ones first."""
    path = for_staff.union.path
    mine = Task.objects.with_scopes_disabled().filter(list__project=OuterRef("pk"), union__path__startswith=path)
    found: QuerySet[Project] = (
        Project.objects.with_scopes_disabled()
        .filter(Q(union__path__startswith=path) | Exists(mine))
        .select_related("union")
        .order_by("is_closed", "union__path", "-created_at")
    )
    return found


def lists_of(project: Project) -> list[TaskList]:
    """A project's lists in their order."""
    return list(TaskList.objects.with_scopes_disabled().filter(project=project).order_by("order", "pk"))


def tasks(*, for_staff: Staff) -> QuerySet[Task]:
    """Tasks of the acting union and below."""
    found: QuerySet[Task] = (
        Task.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("union", "responsible__user", "list__project__union", "parent__union")
        .order_by("list__order", "list_id", "number", "pk")
    )
    return found


def ownerless_tasks(*, for_staff: Staff) -> QuerySet[Task]:
    """Open tasks for which nobody in office is responsible."""
    gone = Q(responsible=None) | Q(responsible__is_active=False) | Q(responsible__user__is_active=False)
    return tasks(for_staff=for_staff).filter(gone, state=TaskState.OPEN, list__project__is_closed=False)


def offers(*, for_staff: Staff) -> QuerySet[TaskPass]:
    """What is offered to the acting union and those below, and waits."""
    found: QuerySet[TaskPass] = (
        TaskPass.objects.filter(to_union__path__startswith=for_staff.union.path, state=HandOverState.PENDING)
        .exclude(task__union__path__startswith=for_staff.union.path, to_union=for_staff.union_id)
        .select_related("to_union", "task__union", "task__list__project", "asked_by__user")
        .order_by("asked_at", "pk")
    )
    return found


def waiting(staff: Staff) -> QuerySet[TaskPass]:
    """Offers that the acting union itself has to answer: navigation shows how many."""
    found: QuerySet[TaskPass] = TaskPass.objects.filter(to_union=staff.union_id, state=HandOverState.PENDING)
    return found


def tree(project: Project, *, for_staff: Staff, today: date | None = None) -> Tree:
    """All of a project that the acting union sees, top down. The same number of queries whatever its size."""
    day = today or timezone.localdate()
    found = list(
        tasks(for_staff=for_staff)
        .filter(list__project=project)
        .prefetch_related(
            Prefetch("milestones", Milestone.objects.with_scopes_disabled().order_by("due_on", "pk")),
            Prefetch("evidence", Evidence.objects.with_scopes_disabled().order_by("pk")),
            Prefetch(
                "passes",
                TaskPass.objects.with_scopes_disabled()
                .filter(state__in=[HandOverState.PENDING, HandOverState.REFUSED])
                .select_related("to_union")
                .order_by("pk"),
            ),
        )
    )
    progress = progress_of(found)
    rows = _rows(found, progress, day)
    return Tree(project, rows, _summary(rows))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project stands, as far as the acting union sees it: what the list of projects shows."""

    project: Project
    leaves: int
    leaves_done: int
    late: int
    percent: int
    ownerless: int


def standings(found: Sequence[Project], *, for_staff: Staff, today: date | None = None) -> list[Standing]:
    """How several projects stand; one query for all of them, which reads figures only."""
    day = today or timezone.localdate()
    leaves: dict[int, list[tuple[Leaf, bool]]] = defaultdict(list)
    rows = Task.objects.filter(union__path__startswith=for_staff.union.path, list__project__in=found).order_by()
    own = ("parent", "state", "weight", "percent", "target", "done_count", "deadline")
    owners = {"active": F("responsible__is_active"), "user_active": F("responsible__user__is_active")}
    for row in rows.values("pk", "list__project", *own, **owners):
        leaf = Leaf(id=row["pk"], **{name: row[name] for name in own})
        leaves[row["list__project"]].append((leaf, bool(row["active"] and row["user_active"])))
    return [_standing(project, leaves[project.pk], day) for project in found]


def _standing(project: Project, tasks: Sequence[tuple[Leaf, bool]], day: date) -> Standing:
    progress = dict(roll_up(leaf for leaf, _has_owner in tasks))
    ids = {leaf.id for leaf, _has_owner in tasks}
    tops = [leaf for leaf, _has_owner in tasks if leaf.parent not in ids and leaf.state != TaskState.CANCELLED]
    weights = sum(leaf.weight for leaf in tops)
    over = {DONE, TaskState.CANCELLED}
    return Standing(
        project,
        leaves=sum(progress[leaf.id].leaves for leaf in tops),
        leaves_done=sum(progress[leaf.id].leaves_done for leaf in tops),
        late=sum(
            progress[leaf.id].state == TaskState.OPEN and leaf.deadline is not None and leaf.deadline < day
            for leaf, _has_owner in tasks
        ),
        percent=sum(progress[leaf.id].percent * leaf.weight for leaf in tops) // weights if weights else 0,
        ownerless=sum(progress[leaf.id].state not in over and not has_owner for leaf, has_owner in tasks),
    )


def row_of(task: Task, *, for_staff: Staff) -> Row:
    """One task's row, with all below it rolled up."""
    rows = tree(task.list.project, for_staff=for_staff).rows
    return next(row for row in rows if row.task.pk == task.pk)


def parts_of(task: Task, *, for_staff: Staff) -> list[Row]:
    """The rows of the tasks directly below."""
    return [row for row in tree(task.list.project, for_staff=for_staff).rows if row.task.parent_id == task.pk]


def passes_of(task: Task) -> list[TaskPass]:
    """To whom a task was offered, the newest first."""
    passes = TaskPass.objects.with_scopes_disabled().filter(task=task)
    return list(passes.select_related("to_union", "asked_by__user", "decided_by__user").order_by("-pk"))


def progress_of(found: Sequence[Task]) -> dict[int, Progress]:
    """Rolled-up progress of tasks whose evidence has been fetched with them."""
    return dict(
        roll_up(
            Leaf(
                id=task.pk,
                parent=task.parent_id,
                state=task.state,
                weight=task.weight,
                percent=task.percent,
                target=task.target,
                done_count=task.done_count,
                deadline=task.deadline,
                visits=frozenset(proof.visit_id for proof in task.evidence.all() if proof.visit_id),
            )
            for task in found
        )
    )


def _rows(found: Sequence[Task], progress: dict[int, Progress], day: date) -> list[Row]:
    ids = {task.pk for task in found}
    below: dict[int | None, list[Task]] = defaultdict(list)
    for task in found:
        below[task.parent_id if task.parent_id in ids else None].append(task)
    for parts in below.values():
        parts.sort(key=lambda task: (task.list.order, task.list_id, task.number, task.union.path, task.pk))
    rows: list[Row] = []

    def add(task: Task, number: str, depth: int) -> None:
        mine = progress[task.pk]
        parts = below.get(task.pk, [])
        rows.append(
            Row(
                task=task,
                number=number,
                depth=depth,
                progress=mine,
                milestones=list(task.milestones.all()),
                evidence=list(task.evidence.all()),
                offers=list(task.passes.all()),
                has_parts=any(part.state != TaskState.CANCELLED for part in parts),
                is_late=mine.state == TaskState.OPEN and task.deadline is not None and task.deadline < day,
            )
        )
        for position, part in enumerate(parts, start=1):
            add(part, f"{number}.{position}", depth + 1)

    for task in below[None]:
        add(task, str(task.number), 1)
    return rows


def _summary(rows: Sequence[Row]) -> Summary:
    tops = [row for row in rows if row.depth == 1 and row.task.state != TaskState.CANCELLED]
    weights = sum(row.task.weight for row in tops)
    visits = frozenset[int]().union(*(row.progress.visits for row in tops)) if tops else frozenset()
    people = Worker.objects.with_scopes_disabled().filter(
        pk__in=VisitPerson.objects.with_scopes_disabled().filter(visit__in=visits).values("worker")
    )
    return Summary(
        tasks=len(rows),
        leaves=sum(row.progress.leaves for row in tops),
        leaves_done=sum(row.progress.leaves_done for row in tops),
        late=sum(row.is_late for row in rows),
        percent=sum(row.progress.percent * row.task.weight for row in tops) // weights if weights else 0,
        visits=len(visits),
        people=people.count() if visits else 0,
        ownerless=sum(row.progress.state not in {DONE, TaskState.CANCELLED} and not row.has_owner for row in rows),
    )
