"""Projects, lists, tasks and what is told of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.models import Task, TaskState
from yizhan.cases.services.ledger import LARGEST_TARGET, TaskFacts
from yizhan.places.pictures import ACCEPT
from yizhan.unions.models import Staff, Union

from .links import PostField


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ProjectForm(forms.Form):
    """A project and its first lists."""

    name = forms.CharField(label=_("Name"), max_length=120)
    purpose = forms.CharField(
        label=_("What for"), max_length=1_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    begins_on = forms.DateField(label=_("Begins"), required=False, widget=_day())
    ends_on = forms.DateField(label=_("Ends"), required=False, widget=_day())
    lists = forms.CharField(
        label=_("Lists"), required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("One a line.")
    )

    def clean_lists(self) -> tuple[str, ...]:
        """Each line a list."""
        return tuple(line.strip() for line in self.cleaned_data["lists"].splitlines() if line.strip())


class ListForm(forms.Form):
    """One more list."""

    name = forms.CharField(label=_("Name of the list"), max_length=120)


class TaskForm(forms.Form):
    """A task."""

    title = forms.CharField(label=_("Task"), max_length=300)
    measure = forms.CharField(label=_("How it is measured"), max_length=300, required=False)
    responsible = PostField(label=_("Responsible person"), required=False)
    deadline = forms.DateField(label=_("Deadline"), required=False, widget=_day())
    target = forms.IntegerField(
        label=_("Target number"), required=False, help_text=_("Leave empty where progress is told in percent.")
    )
    unit = forms.CharField(label=_("Counted in"), max_length=20, required=False)
    weight = forms.IntegerField(label=_("Weight"), initial=1, help_text=_("In the progress of the whole."))
    number = forms.IntegerField(label=pgettext_lazy("order", "Number"), required=False)
    note = forms.CharField(label=_("Remark"), max_length=300, required=False)

    def __init__(self, *args: Any, union: Union, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["responsible"]
        assert isinstance(field, PostField)  # noqa: S101 - what the class says
        field.queryset = (
            Staff.objects.filter(union=union, is_active=True, user__is_active=True)
            .select_related("user", "union")
            .order_by("user__name")
        )

    def facts(self) -> TaskFacts:
        """The task as told."""
        return TaskFacts(**{name: self.cleaned_data[name] for name in TaskFacts.__dataclass_fields__})


class ChangeTaskForm(TaskForm):
    """A task that stands; `seen` is the revision that was seen."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


def initial_of(task: Task) -> dict[str, Any]:
    """What the form begins with when a task is changed."""
    told = {name: getattr(task, name) for name in ("title", "measure", "deadline", "target", "unit", "weight", "note")}
    responsible = task.responsible.public_id if task.responsible else None
    return told | {"number": task.number, "responsible": responsible, "seen": task.revision}


class ProgressForm(forms.Form):
    """How far a task is."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    percent = forms.IntegerField(label=_("Progress in percent"), required=False, min_value=0, max_value=100)
    done_count = forms.IntegerField(label=_("Done"), required=False, min_value=0, max_value=LARGEST_TARGET)
    state = forms.ChoiceField(label=_("State"), choices=TaskState)
    words = forms.CharField(
        label=_("Progress"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, task: Task, rolls_up: bool, **options: Any) -> None:
        initial = {
            "seen": task.revision,
            "percent": task.percent,
            "done_count": task.done_count,
            "state": task.state,
            "words": task.progress_words,
        }
        super().__init__(*args, **{**options, "initial": initial})
        drop = {"percent", "done_count"} if rolls_up else {"percent" if task.target else "done_count"}
        for name in drop:
            del self.fields[name]
        if rolls_up:
            states = [(value, label) for value, label in TaskState.choices if value != TaskState.DONE]
            field = self.fields["state"]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - what the class says
            field.choices = states


class UnionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Several lower unions."""

    def label_from_instance(self, obj: Union) -> str:
        """Its name."""
        return obj.name


class PassForm(forms.Form):
    """To which lower unions a task is passed down, with what of it."""

    unions = UnionsField(
        label=_("To which unions"),
        queryset=Union.objects.none(),
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each owns its part only once it accepts."),
    )
    deadline = forms.DateField(label=_("Deadline of the part"), required=False, widget=_day())
    target = forms.IntegerField(label=_("Target number of the part"), required=False)
    weight = forms.IntegerField(label=_("Weight"), initial=1)
    words = forms.CharField(label=_("Words with it"), max_length=300, required=False)

    def __init__(self, *args: Any, union: Union, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["unions"]
        assert isinstance(field, UnionsField)  # noqa: S101 - what the class says
        below = Union.objects.filter(path__startswith=union.path, depth=union.depth + 1, is_active=True)
        field.queryset = below.order_by("division_code", "name")


class OfferForm(forms.Form):
    """The answer to a task from above."""

    responsible = PostField(label=_("Who is responsible here?"), required=False)
    answer = forms.CharField(label=_("Reason"), max_length=300, required=False)

    def __init__(self, *args: Any, union: Union, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["responsible"]
        assert isinstance(field, PostField)  # noqa: S101 - what the class says
        field.queryset = (
            Staff.objects.filter(union=union, is_active=True).select_related("user", "union").order_by("user__name")
        )


class MilestoneForm(forms.Form):
    """A step on the way."""

    title = forms.CharField(label=_("Milestone"), max_length=120)
    due_on = forms.DateField(label=pgettext_lazy("deadline", "Until"), widget=_day())


class EvidenceForm(forms.Form):
    """What proves a task's progress."""

    title = forms.CharField(label=pgettext_lazy("evidence", "What it shows"), max_length=200, required=False)
    visit = forms.UUIDField(
        label=_("Visit"), required=False, help_text=_("The last part of its page's address."), widget=forms.TextInput
    )
    photo = forms.FileField(label=_("Photo"), required=False, widget=forms.FileInput(attrs={"accept": ACCEPT}))


class ImportForm(forms.Form):
    """A sheet to read."""

    file = forms.FileField(
        label=_("File"), widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}), help_text=_("xlsx or CSV.")
    )
    default_list = forms.CharField(label=_("List for rows that name none"), max_length=120, required=False)
