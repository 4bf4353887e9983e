"""Reporting what is wrong at a place, and the page on which the reporter sees the answer. Needs no account."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.places.forms.reports import MoreForm, ReportForm
from yizhan.places.models import Place, ReportPhoto, ReportReceipt, ReportState
from yizhan.places.queries import public_place
from yizhan.places.reports import queries
from yizhan.places.reports.deadlines import last_day
from yizhan.places.reports.receipts import is_first, may_take_back, receipt_of, token_of
from yizhan.places.reports.throttle import TooMany
from yizhan.places.services import reports as services
from yizhan.places.services.report_log import life_now
from yizhan.unions.audit import client_address
from yizhan.unions.errors import RuleBroken

P = ParamSpec("P")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Say what is wrong: one tap from the place's page, or this form with words and a photo."""
    try:
        place = public_place(public_id)
    except Place.DoesNotExist:
        raise Http404(_("There is no such place, or it is not open to the public now.")) from None
    if not place.is_public:
        return redirect(place)
    status = 200
    if request.method == "POST":
        form = ReportForm(request.POST, request.FILES)
        status = 422
        if form.is_valid():
            try:
                receipt = services.report_fault(
                    place,
                    kind=form.cleaned_data["kind"],
                    request_id=form.cleaned_data["request_id"],
                    words=form.cleaned_data["words"],
                    photo=form.photo_bytes(),
                    address=client_address.get(),
                )
            except TooMany as broken:
                form.show(broken)
                status = 429
            except RuleBroken as broken:
                form.show(broken)
            else:
                return redirect("places:receipt", token_of(receipt))
    else:
        form = ReportForm(initial={"request_id": uuid4(), "kind": request.GET.get("kind", "")})
    return _quiet(render(request, "places/reports/report.html", {"place": place, "form": form}, status=status))


def _with_receipt(
    view: Callable[Concatenate[HttpRequest, ReportReceipt, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def found(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            receipt = receipt_of(token)
        except ReportReceipt.DoesNotExist:
            raise Http404(_("There is no such report; check whether the whole address was copied.")) from None
        return _quiet(view(request, receipt, *args, **kwargs))

    return never_cache(found)


@require_safe
@_with_receipt
def receipt(request: HttpRequest, receipt: ReportReceipt) -> HttpResponseBase:
    """What became of it, for whoever holds the link."""
    return _receipt_page(request, receipt, MoreForm())


@require_POST
@_with_receipt
def add(request: HttpRequest, receipt: ReportReceipt) -> HttpResponseBase:
    """Add words or a photo."""
    form = MoreForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            services.add_to_report(receipt, words=form.cleaned_data["words"], photo=form.photo_bytes())
        except RuleBroken as broken:
            form.show(broken)
        else:
            messages.success(request, _("Added. Thank you."))
            return redirect("places:receipt", token_of(receipt))
    return _receipt_page(request, receipt, form, status=422)


@require_POST
@_with_receipt
def verdict(request: HttpRequest, receipt: ReportReceipt) -> HttpResponseBase:
    """Fixed or not fixed."""
    said = request.POST.get("verdict")
    if said not in {"fixed", "not_fixed"}:
        messages.error(request, _("Choose “fixed” or “not fixed”."))
        return redirect("places:receipt", token_of(receipt))
    try:
        services.judge_answer(receipt, fixed=said == "fixed")
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(
            request,
            _("Thank you for looking again.") if said == "fixed" else _("The keeper was told that it is not fixed."),
        )
    return redirect("places:receipt", token_of(receipt))


@require_POST
@_with_receipt
def take_back(request: HttpRequest, receipt: ReportReceipt) -> HttpResponseBase:
    """It was a slip of the finger."""
    try:
        services.take_back(receipt)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("Your report was taken back."))
    return redirect("places:receipt", token_of(receipt))


@require_safe
@_with_receipt
def receipt_photo(request: HttpRequest, receipt: ReportReceipt, public_id: UUID) -> HttpResponseBase:
    """A picture of one's own, or of an answer."""
    found = queries.photos_for_reporter(receipt).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return photo_response(found)


def photo_response(photo: ReportPhoto) -> FileResponse:
    """The picture, for this reader alone."""
    response = FileResponse(photo.file.open("rb"), content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "private, no-store"
    return response


def _receipt_page(
    request: HttpRequest, receipt: ReportReceipt, form: MoreForm, *, status: int = 200
) -> HttpResponseBase:
    report = receipt.report
    life = life_now(report)
    now = timezone.now()
    token = token_of(receipt)
    events = [event for event in queries.events_of(report) if event.post_id or event.receipt_id == receipt.pk]
    answered = report.state in {ReportState.FIXED, ReportState.NOT_A_FAULT}
    context: dict[str, Any] = {
        "place": report.place,
        "report": report,
        "receipt": receipt,
        "token": token,
        "link": request.build_absolute_uri(reverse("places:receipt", args=[token])),
        "events": events,
        "photos": queries.photos_for_reporter(receipt),
        "until": last_day(life.due_at) if life.due_at else None,
        "is_overdue": life.is_overdue(now),
        "others": life.times_reported - 1,
        "may_take_back": may_take_back(receipt, life, now),
        "may_judge": answered or (life.is_running and now - receipt.at > services.JUDGE_AFTER),
        "may_say_not_fixed": answered,
        "is_first": is_first(receipt),
        "may_add": life.is_running or answered,
        "form": form,
    }
    return render(request, "places/reports/receipt.html", context, status=status)


def _quiet(response: HttpResponseBase) -> HttpResponseBase:
    """A secret address is told to no other site, and no search engine keeps it."""
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
