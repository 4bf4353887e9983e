"""What finance checks: exceptions of offline counters, the nightly reconciliation, signals; and the export."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits.exports.redemptions import COLUMNS, rows_of
from yizhan.benefits.exports.writers import MEDIA_TYPES, WRITERS
from yizhan.benefits.finance_actions import MONEY_EXPORTED
from yizhan.benefits.forms.money import DecideForm, ReviewForm, SignalRulesForm, WordsForm
from yizhan.benefits.models import DifferenceState, SignalKind, SignalState
from yizhan.benefits.money_filters import DifferenceFilter, RedemptionFilter, SignalFilter
from yizhan.benefits.queries import finance
from yizhan.benefits.queries import signals as signal_queries
from yizhan.benefits.refusals import Refused, sentence
from yizhan.benefits.rights import (
    DECIDE_EXCEPTIONS,
    EXPORT_MONEY,
    RECONCILE,
    REVIEW_SIGNALS,
    SET_SIGNAL_RULES,
    VIEW_MONEY,
)
from yizhan.benefits.services import reconciliation as checking
from yizhan.benefits.services import signals as looking
from yizhan.benefits.services import taking_back, uploads
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

_PER_PAGE = 30
_UNITS = {
    SignalKind.PAIR: gettext_lazy("times in seven days"),
    SignalKind.FAST: gettext_lazy("one after another"),
    SignalKind.FAR: gettext_lazy("metres"),
    SignalKind.MIDNIGHT: gettext_lazy("redemptions"),
    SignalKind.TWO_PLACES: gettext_lazy("minutes"),
}


@require_safe
@desk_page(VIEW_MONEY)
def exceptions(request: StaffRequest) -> HttpResponseBase:
    """Redemptions made offline against a rule, and uploads that could not be redeemed."""
    return _exceptions(request)


@require_POST
@desk_page(DECIDE_EXCEPTIONS)
def decide_exception(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Accept it (booked, budgets charged) or refuse it."""
    found = get_object_or_404(finance.exceptions(for_staff=request.staff), public_id=public_id)
    upload = getattr(found, "upload", None)
    form = DecideForm(request.POST, prefix=str(public_id))
    if form.is_valid():
        accept, words = form.cleaned_data["accept"], form.cleaned_data["words"]
        try:
            if upload is not None:
                uploads.decide(upload, accept=accept, actor=request.staff, words=words)
            else:
                taking_back.decide_exception(found, accept=accept, actor=request.staff, reason=words)
        except RuleBroken as broken:
            broken.show_on(form)
        except Refused as refused:
            form.add_error(None, str(refused.for_worker))
        else:
            messages.success(request, _("Decided; the reason is kept."))
            return redirect("benefits:exceptions")
    return _exceptions(request, forms={public_id: form}, status=422)


@require_POST
@desk_page(DECIDE_EXCEPTIONS)
def decide_upload(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Accept an upload as a meal that was eaten, or set it aside."""
    found = get_object_or_404(finance.uploads_to_decide(for_staff=request.staff), public_id=public_id)
    form = DecideForm(request.POST, prefix=str(public_id))
    if form.is_valid():
        accept, words = form.cleaned_data["accept"], form.cleaned_data["words"]
        try:
            uploads.decide(found, accept=accept, actor=request.staff, words=words)
        except RuleBroken as broken:
            broken.show_on(form)
        except Refused as refused:
            form.add_error(None, str(refused.for_worker))
        else:
            messages.success(request, _("Decided; the reason is kept."))
            return redirect("benefits:exceptions")
    return _exceptions(request, forms={public_id: form}, status=422)


@require_safe
@desk_page(VIEW_MONEY)
def reconciliation(request: StaffRequest) -> HttpResponseBase:
    """The nightly comparisons and every difference."""
    return _reconciliation(request)


@require_POST
@desk_page(RECONCILE)
def reconcile_now(request: StaffRequest) -> HttpResponseBase:
    """Compare now."""
    made = checking.reconcile(request.staff.union, actor=request.staff)
    if made.differences:
        messages.warning(request, _("Compared: %(count)s differences.") % {"count": made.differences})
    else:
        messages.success(request, _("Compared: redemptions, ledger and statements agree."))
    return redirect("benefits:reconciliation")


@require_POST
@desk_page(RECONCILE)
def resolve_difference(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Somebody looked into it."""
    found = get_object_or_404(finance.differences(for_staff=request.staff), public_id=public_id)
    form = WordsForm(request.POST, label=_("What you found out"), prefix=str(public_id))
    if form.is_valid():
        try:
            checking.resolve(found, actor=request.staff, reason=form.cleaned_data["words"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Resolved; the reason is kept."))
            return redirect("benefits:reconciliation")
    return _reconciliation(request, forms={public_id: form}, status=422)


@require_safe
@desk_page(VIEW_MONEY)
def signals(request: StaffRequest) -> HttpResponseBase:
    """What looks odd, for people to look into."""
    return _signals(request)


@require_POST
@desk_page(REVIEW_SIGNALS)
def review_signal(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Keep what the review found."""
    found = get_object_or_404(signal_queries.signals(for_staff=request.staff), public_id=public_id)
    form = ReviewForm(request.POST, prefix=str(public_id))
    if form.is_valid():
        try:
            looking.review(
                found, actor=request.staff, misuse=form.cleaned_data["misuse"], words=form.cleaned_data["words"]
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Kept."))
            return redirect("benefits:signals")
    return _signals(request, forms={public_id: form}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(SET_SIGNAL_RULES)
def signal_rules(request: StaffRequest) -> HttpResponseBase:
    """The acting union's own limits."""
    union = request.staff.union
    form = SignalRulesForm(
        request.POST if request.method == "POST" else None,
        initial=signal_queries.own_limits(union),
        inherited=signal_queries.limits_of(union, own=False),
    )
    if request.method == "POST" and form.is_valid():
        try:
            looking.set_signal_rules(union, form.cleaned_data, actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The limits hold from the next night on."))
            return redirect("benefits:signal_rules")
    return render(
        request,
        "benefits/money/signal_rules.html",
        {"form": form, "union": union},
        status=422 if form.is_bound else 200,
    )


@require_safe
@desk_page(EXPORT_MONEY)
def export(request: StaffRequest) -> HttpResponseBase:
    """Choose what to take home."""
    narrowed = RedemptionFilter(request.GET, queryset=finance.redemptions(for_staff=request.staff))
    return render(request, "benefits/money/export.html", {"filter": narrowed, "count": narrowed.qs.count()})


@require_safe
@desk_page(EXPORT_MONEY)
def export_redemptions(request: StaffRequest, form: str) -> HttpResponseBase:
    """All chosen redemptions as one file, written row by row: memory stays flat however many there are."""
    if form not in WRITERS:
        raise Http404
    narrowed = RedemptionFilter(request.GET, queryset=finance.redemptions(for_staff=request.staff))
    # Deleted as soon as it is sent: the open file lives on without a name.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"redemptions.{form}"
        with transaction.atomic():
            count = WRITERS[form](COLUMNS, rows_of(narrowed.qs), path)
            record(request.staff, MONEY_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
        content = path.open("rb")
    name = f"redemptions-{timezone.localdate()}.{form}"
    response = FileResponse(content, as_attachment=True, filename=name, content_type=MEDIA_TYPES[form])
    response["Cache-Control"] = "no-store"
    response["X-Row-Count"] = str(count)
    return response


def _exceptions(
    request: StaffRequest, *, forms: dict[UUID, DecideForm] | None = None, status: int = 200
) -> HttpResponseBase:
    page = Paginator(finance.exceptions(for_staff=request.staff).select_related("upload"), _PER_PAGE).get_page(
        request.GET.get("page")
    )
    waiting = list(finance.uploads_to_decide(for_staff=request.staff)[:_PER_PAGE])
    given = forms or {}
    may_decide = policy.holds(request.staff, DECIDE_EXCEPTIONS)

    def form_of(public_id: UUID) -> DecideForm | None:
        return (given.get(public_id) or DecideForm(prefix=str(public_id))) if may_decide else None

    return render(
        request,
        "benefits/money/exceptions.html",
        {
            "page": page,
            "rows": [
                {"redemption": each, "why": sentence(each.reason), "form": form_of(each.public_id)} for each in page
            ],
            "uploads": [{"upload": each, "form": form_of(each.public_id)} for each in waiting],
            "decided": finance.decided_exceptions(for_staff=request.staff)[:10],
        },
        status=status,
    )


def _reconciliation(
    request: StaffRequest, *, forms: dict[UUID, WordsForm] | None = None, status: int = 200
) -> HttpResponseBase:
    narrowed = DifferenceFilter(request.GET, queryset=finance.differences(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    may_resolve = policy.holds(request.staff, RECONCILE)
    rows: list[dict[str, Any]] = []
    for difference in page:
        form = None
        if may_resolve and difference.state == DifferenceState.OPEN:
            form = (forms or {}).get(difference.public_id) or WordsForm(
                label=_("What you found out"), prefix=str(difference.public_id)
            )
        tone = {"open": "bad", "resolved": "good", "gone": "neutral"}[difference.state]
        rows.append({"difference": difference, "form": form, "tone": tone})
    return render(
        request,
        "benefits/money/reconciliation.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": rows,
            "runs": finance.reconciliations(for_staff=request.staff)[:14],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_reconcile": may_resolve,
        },
        status=status,
    )


def _signals(
    request: StaffRequest, *, forms: dict[UUID, ReviewForm] | None = None, status: int = 200
) -> HttpResponseBase:
    narrowed = SignalFilter(request.GET, queryset=signal_queries.signals(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    may_review = policy.holds(request.staff, REVIEW_SIGNALS)
    rows = []
    for signal in page:
        form = None
        if may_review and signal.state == SignalState.OPEN:
            form = (forms or {}).get(signal.public_id) or ReviewForm(prefix=str(signal.public_id))
        tone = {"open": "warn", "fine": "good", "misuse": "bad"}[signal.state]
        rows.append({"signal": signal, "form": form, "tone": tone, "unit": _UNITS[SignalKind(signal.kind)]})
    return render(
        request,
        "benefits/money/signals.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": rows,
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_set_rules": policy.holds(request.staff, SET_SIGNAL_RULES),
        },
        status=status,
    )
