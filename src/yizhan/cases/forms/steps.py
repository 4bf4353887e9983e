"""The forms of a case's next steps: each says what it needs and calls one service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.cases.facts import CaseFacts, GivenFile
from yizhan.cases.kinds import kinds_of
from yizhan.cases.models import Case
from yizhan.cases.queries.people import handlers_at, post_named
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.services import joining, parties, results, steps, transfers, verdict
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.queries.tree import union_called

from .intake import STARS, photo_field


class StepForm(forms.Form):
    """Words, where a step takes some; `seen` is the version of the case that the page showed."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    words = forms.CharField(label=_("Why"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    needs_words = False
    words_label: Any = _("Words")

    def __init__(self, *args: Any, case: Case, staff: Staff, **options: Any) -> None:
        super().__init__(*args, **options)
        self.case, self.staff = case, staff
        self.fields["words"].required = self.needs_words
        self.fields["words"].label = self.words_label
        self.fields["seen"].initial = case.version

    def take(self) -> str:
        """Take the step; says where to go on when not on this case's page. Raises as the services do."""
        raise NotImplementedError

    def usual(self) -> dict[str, Any]:
        """What every service is given."""
        return {"actor": self.staff, "seen": self.cleaned_data["seen"], "words": self.cleaned_data["words"]}

    def given(self) -> list[GivenFile]:
        """The file as it came."""
        photo = self.cleaned_data.get("photo")
        return [GivenFile(photo.name, photo.read())] if photo else []

    def show(self, broken: RuleBroken) -> None:
        """Put what a service refused to its fields."""
        for problem in broken.problems:
            name = "photo" if problem.field == "files" else problem.field
            self.add_error(name if name in self.fields and name != "seen" else None, str(problem.message))


class AcceptForm(StepForm):
    """Take it on."""

    words_label = _("For the worker")

    def take(self) -> str:
        steps.accept_case(self.case, **self.usual())
        return ""


class RefuseForm(StepForm):
    """Say no."""

    needs_words, words_label = True, _("Why not? The worker reads it.")

    def take(self) -> str:
        steps.refuse_case(self.case, **self.usual())
        return ""


class AssignForm(StepForm):
    """Give it to someone."""

    handler: Any = forms.ModelChoiceField(
        label=_("Who sees to it"), queryset=Staff.objects.none(), to_field_name="public_id"
    )
    words_label = _("For the handler")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["handler"]
        field.queryset = handlers_at(self.case.union, self.case)  # type: ignore[attr-defined]
        self.order_fields(["seen", "handler", "words"])

    def take(self) -> str:
        steps.assign_case(self.case, handler=self.cleaned_data["handler"], **self.usual())
        return ""


class StartForm(StepForm):
    """Begin."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["words"]

    def take(self) -> str:
        steps.start_case(self.case, actor=self.staff, seen=self.cleaned_data["seen"])
        return ""


class ProgressForm(StepForm):
    """Tell the worker."""

    photo = photo_field(documents=True)
    needs_words, words_label = True, _("What was done? The worker reads it.")

    def take(self) -> str:
        steps.tell_progress(self.case, files=self.given(), **self.usual())
        return ""


class PauseForm(StepForm):
    """Let the clock stand."""

    needs_words, words_label = True, _("What is awaited? The worker reads it.")

    def take(self) -> str:
        steps.pause_clock(self.case, **self.usual())
        return ""


class ResumeForm(StepForm):
    """Let it run on."""

    def take(self) -> str:
        steps.resume_clock(self.case, **self.usual())
        return ""


class ProposeForm(StepForm):
    """Say what came of it."""

    photo = photo_field(documents=True)
    needs_words, words_label = True, _("What came of it? The worker reads it and judges.")

    def take(self) -> str:
        steps.propose_result(self.case, files=self.given(), **self.usual())
        return ""


class CallForm(StepForm):
    """What the worker said on the telephone (回访)."""

    needs_words, words_label = True, _("What was said; the worker reads it")
    called_at = forms.DateTimeField(
        label=_("When you talked"),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    is_solved = forms.TypedChoiceField(
        label=_("Is it solved?"),
        choices=[("yes", _("Yes, the worker says so")), ("no", _("No: the case is opened again"))],
        coerce=lambda value: value == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
    )
    stars = forms.TypedChoiceField(
        label=_("How satisfied is the worker?"),
        choices=[("", _("Did not say")), *((stars, STARS[stars]) for stars in (5, 4, 3, 2, 1))],
        coerce=int,
        empty_value=None,
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["called_at"].initial = timezone.localtime
        self.order_fields(["called_at", "is_solved", "stars", "words"])

    def take(self) -> str:
        told = self.cleaned_data
        given = {name: told[name] for name in ("called_at", "is_solved", "stars")}
        verdict.note_call(self.case, **given, **self.usual())
        return ""


class NoteForm(StepForm):
    """For colleagues."""

    photo = photo_field(documents=True)
    needs_words, words_label = True, _("For colleagues; the worker does not see it")

    def take(self) -> str:
        steps.note_on_case(self.case, files=self.given(), **self.usual())
        return ""


class _UnionForm(StepForm):
    union = forms.CharField(
        label=_("Union"),
        max_length=120,
        help_text=_("Its name or division code."),
        widget=forms.TextInput(attrs={"list": "unions", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields(["seen", "union", "words"])


class OfferForm(_UnionForm):
    """转办."""

    needs_words, words_label = True, _("Why does it belong to them?")

    def take(self) -> str:
        transfers.offer_transfer(self.case, to=union_called(self.cleaned_data["union"], field="union"), **self.usual())
        return ""


class TakeOverForm(StepForm):
    """Accept an offer."""

    def take(self) -> str:
        transfers.accept_transfer(self.case, **self.usual())
        return ""


class LeaveForm(StepForm):
    """Refuse an offer."""

    needs_words, words_label = True, _("Why do you not take it?")

    def take(self) -> str:
        transfers.refuse_transfer(self.case, **self.usual())
        return ""


class CancelForm(StepForm):
    """Take an offer back."""

    def take(self) -> str:
        transfers.cancel_transfer(self.case, **self.usual())
        return ""


class HelpForm(StepForm):
    """协办."""

    union = forms.CharField(
        label=_("Union"),
        required=False,
        max_length=120,
        help_text=_("Its name or division code; all who handle cases there see this one."),
        widget=forms.TextInput(attrs={"list": "unions", "autocomplete": "off"}),
    )
    username = forms.CharField(
        label=_("Or one person, by user name"), required=False, max_length=60, help_text=_("Only they see it then.")
    )
    needs_words, words_label = True, _("What should they help with?")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields(["seen", "union", "username", "words"])
        if self.case.is_confidential:
            del self.fields["union"]
            self.fields["username"].required = True
            self.fields["username"].label = _("User name of one person")

    def take(self) -> str:
        person, union = self.cleaned_data.get("username", ""), self.cleaned_data.get("union", "")
        if person:
            parties.add_co_handler(self.case, staff=post_named(person), **self.usual())
        else:
            parties.add_co_handler(self.case, union=union_called(union, field="union"), **self.usual())
        return ""


class UrgeForm(StepForm):
    """催办."""

    def take(self) -> str:
        parties.urge_case(self.case, **self.usual())
        return ""


class SuperviseForm(StepForm):
    """督办."""

    needs_words, words_label = True, _("What is expected, and by when?")

    def take(self) -> str:
        parties.supervise_case(self.case, **self.usual())
        return ""


class MergeForm(StepForm):
    """One of two."""

    number = forms.CharField(label=_("Number of the case that goes on"), max_length=16)
    words_label = _("Why are they one?")

    def take(self) -> str:
        number = self.cleaned_data["number"].strip()
        into = visible_cases(self.staff).filter(number=number).select_related("union").first()
        if into is None:
            raise RuleBroken.at("number", number, _("There is no such case."), "unknown")
        joining.merge_case(self.case, into=into, **self.usual())
        return into.get_absolute_url()


class SplitForm(StepForm):
    """Several of one."""

    kind = forms.ChoiceField(label=_("Kind"))
    title = forms.CharField(label=_("In one line"), max_length=60)
    text = forms.CharField(label=_("What is the matter?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    needs_words, words_label = True, _("Why is it split?")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.code, kind.title)
            for kind in kinds_of(self.case.union).values()
            if kind.is_confidential or not self.case.is_confidential
        ]
        self.fields["kind"].initial = self.case.kind
        self.order_fields(["seen", "kind", "title", "text", "words"])

    def take(self) -> str:
        told = self.cleaned_data
        part = CaseFacts(kind=told["kind"], title=told["title"], text=told["text"])
        return joining.split_case(self.case, parts=[part], **self.usual())[0].get_absolute_url()


class CorrectForm(StepForm):
    """Correct what was taken down."""

    title = forms.CharField(label=_("In one line"), max_length=60)
    text = forms.CharField(label=_("What is the matter?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))
    needs_words, words_label = True, _("Why is it corrected?")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        opened = self.case.opened
        self.fields["title"].initial, self.fields["text"].initial = opened["title"], opened["text"]
        self.order_fields(["seen", "title", "text", "words"])

    def take(self) -> str:
        told = self.cleaned_data
        steps.correct_case(
            self.case, title=told["title"], text=told["text"], fields=self.case.opened["fields"], **self.usual()
        )
        return ""


class PublishForm(StepForm):
    """成效清单."""

    title = forms.CharField(label=_("Headline"), max_length=60)
    needs_words, words_label = True, _("What came of it, in words in which nobody can be recognised")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["words"].widget.attrs["maxlength"] = results.LONGEST
        self.fields["title"].initial = self.case.title
        self.order_fields(["seen", "title", "words"])

    def take(self) -> str:
        results.publish_result(self.case, title=self.cleaned_data["title"], **self.usual())
        return ""


class UnpublishForm(StepForm):
    """Take it back."""

    def take(self) -> str:
        results.unpublish_result(self.case, **self.usual())
        return ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step as the case's page offers it. `group`: `main`, `more` or `above`."""

    name: str
    form: type[StepForm]
    label: Any
    group: str
    done: Any


STEPS: dict[str, NextStep] = {
    step.name: step
    for step in (
        NextStep("take-over", TakeOverForm, _("Take it over"), "main", _("The case is yours now.")),
        NextStep("leave", LeaveForm, _("Do not take it over"), "main", _("The offer was declined.")),
        NextStep("accept", AcceptForm, _("Accept"), "main", _("Accepted; the worker sees it.")),
        NextStep("assign", AssignForm, _("Assign"), "main", _("Assigned.")),
        NextStep("refuse", RefuseForm, _("Refuse"), "main", _("Refused; the worker reads why.")),
        NextStep("start", StartForm, _("Begin to work on it"), "main", _("Begun.")),
        NextStep("progress", ProgressForm, _("Tell progress"), "main", _("Told to the worker.")),
        NextStep("propose", ProposeForm, _("Propose a result"), "main", _("The worker is asked for a verdict.")),
        NextStep("call", CallForm, _("Note a verdict given on the telephone (回访)"), "main", _("The call was noted.")),
        NextStep("resume", ResumeForm, _("Let the clock run on"), "main", _("The clock runs on.")),
        NextStep("publish", PublishForm, _("Publish the result"), "main", _("Published.")),
        NextStep("cancel", CancelForm, _("Take the offer back"), "main", _("The offer was taken back.")),
        NextStep("note", NoteForm, _("Note for colleagues"), "more", _("Noted.")),
        NextStep(
            "offer", OfferForm, _("Offer to another union (转办)"), "more", _("Offered; it is yours until they accept.")
        ),
        NextStep("help", HelpForm, _("Ask for help (协办)"), "more", _("They were asked.")),
        NextStep("pause", PauseForm, _("Pause the clock"), "more", _("The clock stands.")),
        NextStep("correct", CorrectForm, _("Correct"), "more", _("Corrected.")),
        NextStep("merge", MergeForm, _("Merge into another"), "more", _("Merged; this is the case that goes on.")),
        NextStep("split", SplitForm, _("Split off a part"), "more", _("This is the new case.")),
        NextStep("unpublish", UnpublishForm, _("Take it from the public list"), "more", _("No longer public.")),
        NextStep("urge", UrgeForm, _("Urge (催办)"), "above", _("They were told.")),
        NextStep("supervise", SuperviseForm, _("Supervise (督办)"), "above", _("Under supervision.")),
    )
}
