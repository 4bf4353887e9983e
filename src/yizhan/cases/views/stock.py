"""Stock on the desk: what lies where, what is out, what is late."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.forms.wishes import ChangeStockForm, IssueForm, ReturnForm, StockItemForm
from yizhan.cases.models import StockIssue, StockItem, StockReason
from yizhan.cases.outcome.lists import IssueFilter, IssueResource
from yizhan.cases.queries import wishes as queries
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.services import stock as services
from yizhan.cases.wish_actions import STOCK_EXPORTED
from yizhan.cases.wish_rights import CHANGE_STOCK, VIEW_STOCK
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet

from .links import told

_PER_PAGE = 50


@require_safe
@desk_page(VIEW_STOCK)
def stock(request: StaffRequest) -> HttpResponseBase:
    """What lies where, and how much of it is out or late."""
    page = KeysFirst(queries.stock(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    issues = queries.issues(for_staff=request.staff)
    context = {"page": page, "late": queries.late(issues).count(), "out": queries.still_out(issues).count()}
    return render(request, "cases/stock/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_STOCK)
def new_item(request: StaffRequest) -> HttpResponseBase:
    """Enter a sort of thing."""
    union = request.staff.union
    form = StockItemForm(request.POST if request.method == "POST" else None, union=union)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.make_item(union=union, actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return redirect(made)
    return render(request, "cases/stock/new.html", {"form": form}, status=422 if form.is_bound else 200)


def _item(request: StaffRequest, public_id: UUID) -> StockItem:
    found: StockItem = get_object_or_404(queries.stock(for_staff=request.staff), public_id=public_id)
    return found


def _page(
    request: StaffRequest,
    found: StockItem,
    *,
    issue: IssueForm | None = None,
    change: ChangeStockForm | None = None,
) -> HttpResponseBase:
    out = queries.still_out(queries.issues(for_staff=request.staff).filter(item=found))
    context = {
        "item": found,
        "out": [(one, ReturnForm(initial={"returned": one.outstanding}, auto_id=f"r{one.pk}_%s")) for one in out[:50]],
        "moves": queries.moves_of(found)[:50],
        "issue": issue or IssueForm(initial={"request_id": uuid4()}, staff=request.staff, is_lent=found.is_lent),
        "change": change or ChangeStockForm(auto_id="change_%s"),
    }
    return render(request, "cases/stock/item.html", context, status=422 if issue or change else 200)


@require_safe
@desk_page(VIEW_STOCK)
def item(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One sort of thing: giving it out, taking it back, every change."""
    return _page(request, _item(request, public_id))


@require_POST
@desk_page(CHANGE_STOCK)
def change(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """What came in, is no more, or was counted anew."""
    found, staff = _item(request, public_id), request.staff
    form = ChangeStockForm(request.POST, auto_id="change_%s")
    if not form.is_valid():
        return _page(request, found, change=form)
    how_many, reason, words = form.cleaned_data["quantity"], form.cleaned_data["reason"], form.cleaned_data["words"]
    try:
        if reason == StockReason.COUNTED:
            services.count_stock(found, counted=how_many, actor=staff, words=words)
        else:
            sign = 1 if reason == StockReason.BOUGHT else -1
            services.change_stock(found, change=sign * how_many, reason=StockReason(reason), actor=staff, words=words)
    except RuleBroken as broken:
        broken.show_on(form)
        return _page(request, found, change=form)
    messages.success(request, _("Written down."))
    return redirect(found)


@require_POST
@desk_page(CHANGE_STOCK)
def issue(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Give something out to a worker."""
    found = _item(request, public_id)
    form = IssueForm(request.POST, staff=request.staff, is_lent=found.is_lent)
    if form.is_valid():
        try:
            services.issue_item(found, actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Given out."))
            return redirect(found)
    return _page(request, found, issue=form)


@require_safe
@desk_page(VIEW_STOCK)
def out(request: StaffRequest) -> HttpResponseBase:
    """What should come back: what is late stands first."""
    narrowed = IssueFilter(request.GET, queryset=queries.issues(for_staff=request.staff))
    page = KeysFirst(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "filter": narrowed,
        "page": page,
        "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
    }
    return render(request, "cases/stock/out.html", context)


@require_safe
@desk_page(VIEW_STOCK)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded."""
    narrowed = IssueFilter(request.GET, queryset=queries.issues(for_staff=request.staff))
    response, count = spreadsheet(IssueResource(), narrowed.qs, form=form, name="given-out")
    record(request.staff, STOCK_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_POST
@desk_page(CHANGE_STOCK)
def give_back(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take back what was lent."""
    found: StockIssue = get_object_or_404(queries.issues(for_staff=request.staff), public_id=public_id)
    form = ReturnForm(request.POST)
    if form.is_valid():
        amounts = form.cleaned_data
        told(request, lambda: services.return_item(found, actor=request.staff, **amounts), _("Taken back."))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect(found.item)
