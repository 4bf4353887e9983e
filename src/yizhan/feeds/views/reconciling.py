"""Comparing a partner's own export with the directory."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from yizhan.feeds.actions import LISTINGS_EXPORTED
from yizhan.feeds.models import FindingKind, PartnerExport
from yizhan.feeds.partner_forms import ExportForm
from yizhan.feeds.partner_resources import FindingResource
from yizhan.feeds.queries import partners as queries
from yizhan.feeds.rights import EXPORT_LISTINGS, RECONCILE, VIEW_PARTNERS
from yizhan.feeds.services.reconciling import reconcile
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy

from .partners import partner_of

_TONES = {
    FindingKind.MISSING: "warn",
    FindingKind.MOVED: "warn",
    FindingKind.RENAMED: "info",
    FindingKind.MERGED: "bad",
    FindingKind.STILL_SHOWN: "bad",
    FindingKind.UNKNOWN: "neutral",
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(RECONCILE)
def exports(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Bring a partner's export; those that were compared before."""
    partner = partner_of(request, public_id)
    form = ExportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = reconcile(
                file.read(),
                file_name=file.name or "",
                partner=partner,
                actor=request.staff,
                datum=form.cleaned_data["datum"],
                taken_at=form.cleaned_data["taken_at"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return redirect("feeds:partner_export", made.public_id)
    page = Paginator(queries.exports(partner, for_staff=request.staff), 20).get_page(request.GET.get("page"))
    return render(
        request,
        "feeds/partners/exports.html",
        {"partner": partner, "form": form, "page": page},
        status=422 if form.is_bound and form.errors else 200,
    )


@require_safe
@desk_page(VIEW_PARTNERS)
def export(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """What a compared file says that is not as it should be."""
    found = _export(request, public_id)
    chosen = request.GET.get("kind", "")
    rows = queries.findings(found)
    if chosen in FindingKind.values and chosen:
        rows = rows.filter(kind=chosen)
    page = Paginator(rows, 100).get_page(request.GET.get("page"))
    return render(
        request,
        "feeds/partners/export.html",
        {
            "export": found,
            "page": page,
            "rows": [
                {
                    "finding": finding,
                    "tone": _TONES[FindingKind(finding.kind)],
                    "label": FindingKind(finding.kind).label,
                }
                for finding in page
            ],
            "kinds": [
                {"value": kind.value, "label": kind.label, "count": count}
                for kind, count in queries.findings_by_kind(found)
            ],
            "chosen": chosen,
            "may_export": policy.holds(request.staff, EXPORT_LISTINGS),
        },
    )


@require_safe
@desk_page(EXPORT_LISTINGS)
@transaction.atomic
def export_findings(request: StaffRequest, public_id: UUID, form: str) -> HttpResponseBase:
    """The findings as xlsx or CSV, such as for the partner."""
    found = _export(request, public_id)
    response, count = spreadsheet(FindingResource(), queries.findings(found), form=form, name="findings")
    record(
        request.staff, LISTINGS_EXPORTED, union=request.staff.union, target=found, details={"rows": count, "form": form}
    )
    response["X-Row-Count"] = str(count)
    return response


def _export(request: StaffRequest, public_id: UUID) -> PartnerExport:
    found = queries.export_called(public_id, for_staff=request.staff)
    if found is None:
        raise Http404(_("There is nothing here"))
    return found
