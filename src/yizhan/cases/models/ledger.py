"""The task ledger (任务分解台账): projects → lists → tasks that pass down the levels and roll up again."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

from .links import HandOverState
from .visits import Visit

MOST_LEVELS = 4  # province, city, district, street


class Project(PubliclyIdentified, models.Model):
    """What one union set out to do, such as 三走进 of one year."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="task_projects", verbose_name=_("union"))
    name = models.CharField(_("name"), max_length=120)
    purpose = models.TextField(_("what for"), max_length=1_000, blank=True)
    begins_on = models.DateField(_("begins"), null=True)
    ends_on = models.DateField(_("ends"), null=True)
    is_closed = models.BooleanField(pgettext_lazy("project", "closed"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        constraints = [
            models.UniqueConstraint(fields=["union", "name"], name="project_has_its_own_name"),
            models.CheckConstraint(
                condition=Q(begins_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("begins_on")),
                name="project_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cases:project", args=[self.public_id])


class TaskList(PubliclyIdentified, models.Model):
    """One list of a project, such as the problem list or the list of services."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="lists", verbose_name=_("project"))
    name = models.CharField(_("name"), max_length=120)
    order = models.PositiveSmallIntegerField(default=0)

    objects = ScopedManager(union="project__union__path__startswith")

    class Meta:
        verbose_name = pgettext_lazy("project", "list")
        verbose_name_plural = _("lists")
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="list_has_its_own_name")]

    def __str__(self) -> str:
        return self.name


class TaskState(models.TextChoices):
    """Where a task stands. A parent's state is worked out from its children; here stands what was said of a leaf."""

    OPEN = "open", _("Under way")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Called off")


class Task(PubliclyIdentified, models.Model):
    """One task of one union (责任单位). Tasks below it were made of it when a lower union accepted its part.

    Progress of a leaf is what its owner said: `percent`, or `done_count` of `target`. A task with tasks below it has
    none of its own: theirs is rolled up.
    """

    list = models.ForeignKey(
        TaskList, on_delete=models.PROTECT, related_name="tasks", verbose_name=pgettext_lazy("project", "list")
    )
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    union = models.ForeignKey(
        Union, on_delete=models.PROTECT, related_name="ledger_tasks", verbose_name=_("responsible union")
    )
    responsible = models.ForeignKey(
        Staff,
        on_delete=models.PROTECT,
        null=True,
        related_name="ledger_tasks",
        verbose_name=_("responsible person"),
    )
    number = models.PositiveSmallIntegerField(pgettext_lazy("order", "number"))
    level = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_LEVELS)]
    )
    title = models.CharField(_("task"), max_length=300)
    measure = models.CharField(_("how it is measured"), max_length=300, blank=True)
    deadline = models.DateField(_("deadline"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=TaskState, default=TaskState.OPEN)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    percent = models.PositiveSmallIntegerField(_("progress in percent"), default=0)
    target = models.PositiveIntegerField(_("target number"), null=True)
    unit = models.CharField(_("counted in"), max_length=20, blank=True)
    done_count = models.PositiveIntegerField(_("done"), default=0)
    progress_words = models.CharField(_("progress"), max_length=500, blank=True)
    note = models.CharField(_("remark"), max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        indexes = [
            models.Index(fields=["union", "state", "deadline"], name="task_by_union"),
            models.Index(fields=["list", "number"], name="task_by_list"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="task_percent_is_a_part"),
            models.CheckConstraint(condition=Q(target=None) | Q(target__gte=1), name="task_target_is_something"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="task_weighs_something"),
            models.CheckConstraint(
                condition=Q(parent=None, level=1) | Q(parent__isnull=False, level__range=(2, MOST_LEVELS)),
                name="task_stands_on_a_level",
            ),
            models.UniqueConstraint(
                fields=["parent", "union"],
                condition=Q(parent__isnull=False) & ~Q(state=TaskState.CANCELLED),
                name="task_passed_down_once_a_union",
            ),
            models.CheckConstraint(condition=Q(state__in=TaskState.values), name="task_state_is_known"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("cases:task", args=[self.public_id])


class TaskPass(PubliclyIdentified, models.Model):
    """A task offered to a lower union: pending until that union accepts; only then does it own a part."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="passes")
    to_union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="tasks_offered")
    deadline = models.DateField(null=True)
    target = models.PositiveIntegerField(null=True)
    weight = models.PositiveSmallIntegerField(default=1)
    words = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=HandOverState, default=HandOverState.PENDING)
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)
    became = models.OneToOneField(Task, on_delete=models.PROTECT, null=True, related_name="passed_by")

    objects = ScopedManager(union="to_union__path__startswith")

    class Meta:
        verbose_name = _("task passed down")
        verbose_name_plural = _("tasks passed down")
        indexes = [
            models.Index(fields=["to_union"], name="task_pass_pending", condition=Q(state=HandOverState.PENDING))
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "to_union"],
                condition=Q(state=HandOverState.PENDING),
                name="task_offered_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state=HandOverState.ACCEPTED, became__isnull=False)
                | (~Q(state=HandOverState.ACCEPTED) & Q(became=None)),
                name="task_pass_makes_a_task_when_accepted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} → {self.to_union}"


class Milestone(PubliclyIdentified, models.Model):
    """A step on the way, with its own day."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="milestones")
    title = models.CharField(_("milestone"), max_length=120)
    due_on = models.DateField(_("until"))
    done_on = models.DateField(_("done on"), null=True)

    objects = ScopedManager(union="task__union__path__startswith")

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["due_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["task", "title"], name="milestone_has_its_own_title")]

    def __str__(self) -> str:
        return self.title


class Evidence(PubliclyIdentified, models.Model):
    """佐证: what proves a task's progress: a visit that is recorded here, a picture, or words with a source."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="evidence")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="evidence_for")
    file = models.FileField(upload_to="task-evidence/%Y/%m", blank=True)
    title = models.CharField(pgettext_lazy("evidence", "what it shows"), max_length=200)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="task__union__path__startswith")

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = [
            models.UniqueConstraint(
                fields=["task", "visit"], condition=Q(visit__isnull=False), name="visit_proves_a_task_once"
            )
        ]

    def __str__(self) -> str:
        return self.title
