"""Paper vouchers on the desk: print, look up, block."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits import voucher_sheets
from yizhan.benefits.forms_counter import BlockVouchersForm, NewVouchersForm
from yizhan.benefits.models import Programme, ProgrammeState, VoucherBatch
from yizhan.benefits.queries import meals as queries
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.benefits.services.vouchers import Printed, block_vouchers, make_vouchers
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken

_PER_PAGE = 30


@require_safe
@desk_page(MANAGE_PROGRAMMES)
def batches(request: StaffRequest) -> HttpResponseBase:
    """All batches of the acting union and below."""
    found = queries.batches(for_staff=request.staff).annotate(
        used=Count("vouchers", filter=Q(vouchers__redemption__state__in=["redeemed", "exception"])),
        blocked=Count("vouchers", filter=Q(vouchers__revoked_at__isnull=False)),
    )
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "benefits/vouchers/list.html", {"page": page, "form": BlockVouchersForm()})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@desk_page(MANAGE_PROGRAMMES)
def new(request: StaffRequest) -> HttpResponseBase:
    """Make vouchers: the answer is the file to print, once; afterwards nobody can read the codes again."""
    programmes = Programme.objects.filter(
        takes_paper=True, union__path__startswith=request.staff.union.path, state__in=[ProgrammeState.OPEN, "paused"]
    )
    form = NewVouchersForm(request.POST or None, programmes=programmes.order_by("name"))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            batch, printed = make_vouchers(
                said["programme"],
                count=said["count"],
                purpose=said["purpose"],
                valid_until=said["valid_until"],
                actor=request.staff,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return _sheets(batch, printed)
    return render(request, "benefits/vouchers/new.html", {"form": form, "programmes": programmes})


@require_POST
@desk_page(MANAGE_PROGRAMMES)
def block(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A sheet is lost, or the whole batch."""
    batch = get_object_or_404(queries.batches(for_staff=request.staff), public_id=public_id)
    form = BlockVouchersForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say which sheet and why."))
        return redirect("benefits:vouchers")
    try:
        blocked = block_vouchers(
            batch, sheet=form.cleaned_data["sheet"], actor=request.staff, reason=form.cleaned_data["reason"]
        )
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("%(count)d unused vouchers have been blocked.") % {"count": blocked})
    return redirect("benefits:vouchers")


def _sheets(batch: VoucherBatch, printed: list[Printed]) -> HttpResponse:
    text = voucher_sheets.VoucherText(
        programme=batch.programme.name,
        union=batch.programme.union.name,
        valid_until=batch.valid_until,
        number=batch.public_id.hex[-6:].upper(),
    )
    response = HttpResponse(voucher_sheets.pdf(text, printed), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="vouchers-{text.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    response["X-Row-Count"] = str(len(printed))
    return response
