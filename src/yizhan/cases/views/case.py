"""One case on the desk: all that happened, and the next steps as the state allows them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from yizhan.cases.actions import CASE_OPENED
from yizhan.cases.clocks import is_provisional, last_day
from yizhan.cases.forms.steps import STEPS, NextStep, StepForm
from yizhan.cases.kinds import kind_of
from yizhan.cases.life import Life
from yizhan.cases.models import Case, CaseEvent, CaseEventKind, CaseFile, CaseState
from yizhan.cases.models.case import CaseParty, PartyRole
from yizhan.cases.queries.people import unions_around
from yizhan.cases.queries.visible import about, case_for, file_of, parties_of, parts_of, steps_of
from yizhan.cases.rights import HANDLE_CASES, PUBLISH_RESULTS, SUPERVISE_CASES, VIEW_CASES
from yizhan.cases.services.files import open_file
from yizhan.cases.services.log import ChangedMeanwhile, life_now
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.personal_data import mask_phone
from yizhan.unions.rights import policy

from .desk import TONES

_K = CaseEventKind
_OWNER: dict[str, str] = {
    "accept": _K.ACCEPTED,
    "refuse": _K.REFUSED,
    "assign": _K.ASSIGNED,
    "start": _K.STARTED,
    "progress": _K.PROGRESS,
    "propose": _K.PROPOSED,
    "call": _K.CONFIRMED,
    "resume": _K.RESUMED,
    "cancel": _K.TRANSFER_CANCELLED,
    "note": _K.NOTED,
    "offer": _K.TRANSFER_OFFERED,
    "help": _K.CO_HANDLER_ADDED,
    "pause": _K.PAUSED,
    "correct": _K.EDITED,
    "merge": _K.MERGED,
    "split": _K.SPLIT_OFF,
}
_HELPERS = frozenset({"start", "progress", "note"})


def open_steps(case: Case, life: Life, staff: Staff, parties: list[CaseParty]) -> list[NextStep]:
    """The steps that this post may take in this case now. The services decide; this only spares vain clicks."""
    names: set[str] = set()
    if case.offered_to and policy.allows(staff, HANDLE_CASES, case.offered_to):
        names |= {"take-over", "leave"}
    owns = policy.allows(staff, HANDLE_CASES, case.union)
    helps = any(
        party.role == PartyRole.CO_HANDLER and policy.allows(staff, HANDLE_CASES, party.union) for party in parties
    )
    names |= {name for name, kind in _OWNER.items() if life.may(kind) and (owns or (helps and name in _HELPERS))}
    if case.state != CaseState.PROPOSED:
        names.discard("call")
    if "accept" not in names and case.state == CaseState.SUBMITTED:
        names.discard("assign")
    elif "accept" in names and owns:
        names.add("assign")
    if policy.allows(staff, PUBLISH_RESULTS, case.union) and not case.is_confidential:
        names |= {name for name, kind in (("publish", _K.PUBLISHED), ("unpublish", _K.UNPUBLISHED)) if life.may(kind)}
    if policy.allows(staff, SUPERVISE_CASES, case.union):
        names |= {name for name, kind in (("urge", _K.URGED), ("supervise", _K.SUPERVISED)) if life.may(kind)}
    return [step for name, step in STEPS.items() if name in names]


@never_cache
@require_safe
@desk_page(VIEW_CASES)
def case(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One case. That someone opened a confidential one is recorded."""
    found = _case_of(request, public_id)
    return _page(request, found)


@require_POST
@desk_page(VIEW_CASES)
def take(request: StaffRequest, public_id: UUID, step: str) -> HttpResponseBase:
    """Take a step; what others did meanwhile is shown, not passed over."""
    found = _case_of(request, public_id)
    chosen = STEPS.get(step)
    if chosen is None:
        raise Http404
    form = chosen.form(request.POST, request.FILES, case=found, staff=request.staff, prefix=step)
    if not form.is_valid():
        return _page(request, found, form=form, step=step, status=422)
    try:
        address = form.take()
    except ChangedMeanwhile as changed:
        # What was typed stays; the form now holds the version that is shown above it.
        told = request.POST.copy()
        told[f"{step}-seen"] = str(_case_of(request, public_id).version)
        again = chosen.form(told, case=found, staff=request.staff, prefix=step)
        again.is_valid()
        return _page(request, _case_of(request, public_id), form=again, step=step, meanwhile=changed.events, status=409)
    except RuleBroken as broken:
        form.show(broken)
        return _page(request, found, form=form, step=step, status=422)
    messages.success(request, str(chosen.done))
    try:
        _case_of(request, public_id)
    except Http404:
        return redirect("cases:cases")  # handed on to a circle that is not ours
    return redirect(address or found.get_absolute_url())


@never_cache
@require_safe
@desk_page(VIEW_CASES)
def print_page(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The case on paper."""
    found = _case_of(request, public_id)
    return render(request, "cases/print.html", {**_content(request, found), "printed_at": timezone.now()})


@never_cache
@require_safe
@desk_page(VIEW_CASES)
def file(request: StaffRequest, public_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A file of a case; that one of a confidential case was opened is recorded."""
    found = _case_of(request, public_id)
    try:
        kept = file_of(found, file_id)
    except CaseFile.DoesNotExist:
        raise Http404 from None
    return file_response(kept, open_file(kept, reader=request.staff))


def file_response(kept: CaseFile, content: bytes) -> HttpResponse:
    """The file for this reader alone; only pictures are shown within a page."""
    response = HttpResponse(content, content_type=kept.content_type)
    shown = kept.content_type == "image/jpeg"
    response["Content-Disposition"] = content_disposition_header(not shown, kept.name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _case_of(request: StaffRequest, public_id: UUID) -> Case:
    try:
        return case_for(request.staff, public_id)
    except Case.DoesNotExist:
        raise Http404 from None


def _content(request: StaffRequest, found: Case) -> dict[str, Any]:
    if found.is_confidential:
        record(request.staff, CASE_OPENED, union=found.union, target=found)
    kind = kind_of(found.kind, found.union)
    opened = found.opened
    events = steps_of(found)
    return {
        "case": found,
        "kind": kind,
        "opened": opened,
        "fields": [
            (field.title, field.shown(opened["fields"][field.name]))
            for field in kind.fields
            if field.name in opened["fields"]
        ],
        "tone": TONES[CaseState(found.state)],
        "masked_phone": mask_phone(found.contact_phone),
        "events": list(zip(events, about(events), strict=True)),
        "parties": parties_of(found),
        "related": parts_of(found, request.staff),
    }


def _page(
    request: StaffRequest,
    found: Case,
    *,
    form: StepForm | None = None,
    step: str = "",
    meanwhile: list[CaseEvent] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    content = _content(request, found)
    life = life_now(found, kind=content["kind"])
    staff = request.staff
    offered = [
        {
            "step": one,
            "form": form
            if one.name == step and form is not None
            else one.form(case=found, staff=staff, prefix=one.name),
            "is_open": one.name == step,
        }
        for one in open_steps(found, life, staff, content["parties"])
    ]
    clocks = [
        (label, last_day(due), due <= timezone.now(), is_provisional(due))
        for name, label in (
            ("answer", _("First answer")),
            ("progress", _("News of progress")),
            ("result", _("Result")),
            ("verdict", _("Closes by itself")),
        )
        if (due := life.due(name)) is not None
    ]
    return render(
        request,
        "cases/desk_case.html",
        {
            **content,
            "life": life,
            "clocks": clocks,
            "main": [one for one in offered if one["step"].group == "main"],  # type: ignore[attr-defined]
            "more": [one for one in offered if one["step"].group == "more"],  # type: ignore[attr-defined]
            "above": [one for one in offered if one["step"].group == "above"],  # type: ignore[attr-defined]
            "form": form,
            "meanwhile": meanwhile or [],
            "unions": unions_around(found.union) if any(o["step"].name in {"offer", "help"} for o in offered) else [],  # type: ignore[attr-defined]
        },
        status=status,
    )
