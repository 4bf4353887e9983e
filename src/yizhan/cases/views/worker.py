"""The worker's pages: bring something, follow it like a parcel, judge the result; also by a secret link."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.clocks import last_day
from yizhan.cases.forms.intake import KindForm, MoreForm, ReopenForm, VerdictForm
from yizhan.cases.kinds import KindSpec, kinds_of, title_of
from yizhan.cases.life import MOST_REOPENED
from yizhan.cases.models import Case, CaseFile, CaseSource, CaseState, ClosedHow, IntakeCode
from yizhan.cases.numbers import token_for
from yizhan.cases.queries.intake import code_of
from yizhan.cases.queries.people import with_handlers
from yizhan.cases.queries.visible import file_of
from yizhan.cases.queries.worker import case_by_token, own_case, own_cases, told_to_worker, track_of
from yizhan.cases.services import verdict as services
from yizhan.cases.services.files import content_of
from yizhan.cases.services.intake import submit_case
from yizhan.cases.services.joining import followed
from yizhan.cases.throttle import TooMany, count_case
from yizhan.unions.audit import client_address
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union, User, Worker
from yizhan.unions.queries.people import worker_of

from .case import file_response
from .desk import TONES


def _worker(request: HttpRequest) -> Worker | None:
    return worker_of(request.user) if isinstance(request.user, User) else None


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponseBase:
    """One's own cases, newest first."""
    worker = _worker(request)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    told: Any = own_cases(worker) if worker else []
    page = Paginator(told, 20).get_page(request.GET.get("page"))
    rows = [
        {"case": case, "kind": title_of(case.kind), "track": track_of(case), "tone": TONES[CaseState(case.state)]}
        for case in page
    ]
    return render(request, "cases/mine.html", {"page": page, "rows": rows, "worker": worker})


@require_safe
def at_code(request: HttpRequest, code: str) -> HttpResponseBase:
    """A scanned QR code leads to its union."""
    return redirect(f"{reverse('cases:new')}?at={_code(code).code}")


def _code(code: str) -> IntakeCode:
    try:
        return code_of(code)
    except IntakeCode.DoesNotExist:
        raise Http404(_("This code is not known; check whether the whole address was copied.")) from None


def _before(request: HttpRequest) -> tuple[IntakeCode | None, Union | None]:
    """The code that was scanned, and the union before which something is brought, if it is known by now."""
    at = request.GET.get("at", "")
    code = _code(at) if at else None
    if code is not None:
        return code, code.place.union if code.place else code.union
    chosen = request.GET.get("union", "")
    if chosen:
        try:
            return None, with_handlers().filter(public_id=UUID(chosen)).first()
        except ValueError:
            raise Http404 from None
    worker = _worker(request)
    return None, worker.union if worker and worker.union else None


@require_safe
def new(request: HttpRequest) -> HttpResponseBase:
    """What kind of thing it is; before that, whose union, when that is not known."""
    code, union = _before(request)
    if union is None:
        return render(request, "cases/choose_union.html", {"unions": with_handlers()[:500]})
    kinds = [kind for kind in kinds_of(union).values() if kind.is_offered]
    query = f"at={code.code}" if code else f"union={union.public_id}"
    return render(request, "cases/choose_kind.html", {"union": union, "code": code, "kinds": kinds, "query": query})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_of_kind(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The form of a kind. Everything but a suggestion needs a signed-in worker: who asks must be answered."""
    code, union = _before(request)
    if union is None:
        return redirect("cases:new")
    spec = kinds_of(union).get(kind)
    if spec is None or not spec.is_offered:
        raise Http404
    worker = _worker(request)
    if worker is None and not spec.is_anonymous:
        return redirect_to_login(request.get_full_path())
    status = 200
    if request.method == "POST":
        form = KindForm(request.POST, request.FILES, kind=spec, contact=worker is None)
        status = 422
        if form.is_valid():
            try:
                address = _bring(form, spec, union=union, code=code, worker=worker)
            except TooMany as broken:
                form.show(broken)
                status = 429
            except RuleBroken as broken:
                form.show(broken)
            else:
                messages.success(request, _("We heard you. Here you see what becomes of it."))
                return redirect(address)
    else:
        form = KindForm(initial={"request_id": uuid4()}, kind=spec, contact=worker is None)
    context = {"form": form, "kind": spec, "union": union, "code": code, "worker": worker}
    return render(request, "cases/new.html", context, status=status)


def _bring(form: KindForm, kind: KindSpec, *, union: Union, code: IntakeCode | None, worker: Worker | None) -> str:
    """Take it down; gives the address of its track."""
    request_id = form.cleaned_data["request_id"] or uuid4()
    count_case(client_address.get(), worker)
    token = "" if worker else token_for(request_id)
    case = submit_case(
        form.facts(place=code.place if code else None),
        union=union,
        source=CaseSource.QR if code else CaseSource.WORKER,
        worker=worker,
        request_id=request_id,
        token=token,
        files=form.given(),
    )
    return reverse("cases:own", args=[case.public_id]) if worker else reverse("cases:by_token", args=[token])


def _own(request: HttpRequest, public_id: UUID) -> Case:
    worker = _worker(request)
    if worker is None:
        raise Http404
    try:
        return own_case(worker, public_id)
    except Case.DoesNotExist:
        raise Http404 from None


def _by_token(token: str) -> Case:
    try:
        return case_by_token(token)
    except Case.DoesNotExist:
        raise Http404(_("There is no such case; check whether the whole address was copied.")) from None


def _track(request: HttpRequest, case: Case, base: str, *, status: int = 200, **forms: Any) -> HttpResponseBase:
    goes_on = followed(case)
    due = case.answer_due or case.result_due or case.verdict_due
    response = render(
        request,
        "cases/track.html",
        {
            "case": case,
            "kind": title_of(case.kind),
            "opened": case.opened,
            "base": base,
            "link": settings.BASE_URL + base if case.token_digest else "",
            "track": track_of(goes_on),
            "told": told_to_worker(goes_on) + (told_to_worker(case) if goes_on.pk != case.pk else []),
            "until": last_day(due) if due else None,
            "may_judge": case.state == CaseState.PROPOSED or case.closed_how == ClosedHow.TELEPHONE,
            "may_reopen": case.state in {CaseState.PROPOSED, CaseState.CLOSED, CaseState.REFUSED}
            and case.times_reopened < MOST_REOPENED,
            "may_add": case.is_open,
            "may_withdraw": case.state != CaseState.PROPOSED and case.is_open,
            "verdict": VerdictForm(),
            "reopen": ReopenForm(),
            "more": MoreForm(),
            **forms,
        },
        status=status,
    )
    response["Referrer-Policy"] = "same-origin"  # "no-referrer": no origin, and our own forms are refused
    response["X-Robots-Tag"] = "noindex"
    return response


def _act(request: HttpRequest, case: Case, base: str, step: str) -> HttpResponseBase:
    """Add, judge, reopen or take back."""
    form: Any
    match step:
        case "verdict":
            form = VerdictForm(request.POST)
            name, said = "verdict", _("Thank you for your verdict.")
        case "reopen":
            form = ReopenForm(request.POST)
            name, said = "reopen", _("They were told that it is not solved.")
        case "add":
            form = MoreForm(request.POST, request.FILES)
            name, said = "more", _("Added. Thank you.")
        case _:
            form, name, said = None, "", _("You took it back.")
    if form is not None and not form.is_valid():
        return _track(request, case, base, status=422, **{name: form})
    try:
        if step == "verdict":
            services.confirm_result(case, stars=form.cleaned_data["stars"], words=form.cleaned_data["words"])
        elif step == "reopen":
            services.reopen_case(case, words=form.cleaned_data["words"])
        elif step == "add":
            services.add_to_case(case, words=form.cleaned_data["words"], files=form.given())
        else:
            services.withdraw_case(case)
    except RuleBroken as broken:
        if form is None:
            messages.error(request, str(broken.problems[0].message))
            return redirect(base)
        for problem in broken.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return _track(request, case, base, status=422, **{name: form})
    messages.success(request, said)
    return redirect(base)


def _file(case: Case, file_id: UUID) -> HttpResponseBase:
    try:
        kept = file_of(case, file_id, for_worker=True)
    except CaseFile.DoesNotExist:
        raise Http404 from None
    return file_response(kept, content_of(kept))


@never_cache
@require_safe
def own(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The track of one's own case."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    return _track(request, _own(request, public_id), reverse("cases:own", args=[public_id]))


@require_POST
def own_step(request: HttpRequest, public_id: UUID, step: str) -> HttpResponseBase:
    """A step of the worker."""
    return _act(request, _own(request, public_id), reverse("cases:own", args=[public_id]), step)


@never_cache
@require_safe
def own_file(request: HttpRequest, public_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A file of one's own case."""
    return _file(_own(request, public_id), file_id)


@never_cache
@require_safe
def by_token(request: HttpRequest, token: str) -> HttpResponseBase:
    """The track for whoever holds the link."""
    return _track(request, _by_token(token), reverse("cases:by_token", args=[token]))


@require_POST
def token_step(request: HttpRequest, token: str, step: str) -> HttpResponseBase:
    """A step of whoever holds the link."""
    return _act(request, _by_token(token), reverse("cases:by_token", args=[token]), step)


@never_cache
@require_safe
def token_file(request: HttpRequest, token: str, file_id: UUID) -> HttpResponseBase:
    """A file, for whoever holds the link."""
    return _file(_by_token(token), file_id)
