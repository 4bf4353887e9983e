"""Paying merchants: accounts, payouts, files for the bank."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits.exports.statements import payout_file as file_of
from yizhan.benefits.exports.writers import MEDIA_TYPES
from yizhan.benefits.finance_actions import PAYOUT_TAKEN_HOME
from yizhan.benefits.forms.money import AccountForm, PaidForm, WordsForm
from yizhan.benefits.models import MerchantAccount, Payout
from yizhan.benefits.queries import finance
from yizhan.benefits.rights import PAY_OUT, VIEW_MONEY
from yizhan.benefits.services import payouts as paying
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .money_pages import download

_PER_PAGE = 50
_TONES = {Payout.State.MADE: "info", Payout.State.PAID: "good", Payout.State.CANCELLED: "neutral"}


@require_safe
@desk_page(VIEW_MONEY)
def payouts(request: StaffRequest) -> HttpResponseBase:
    """What can be paid now, and all payouts."""
    payable, left_out = paying.sort_out(request.staff.union, maker=request.staff)
    waiting = [
        {"place": place, "count": len(found), "fen": sum(each.payable_fen for each in found)}
        for place, found in payable.items()
    ]
    page = Paginator(finance.payouts(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "benefits/money/payouts.html",
        {
            "waiting": waiting,
            "waiting_fen": sum(each["fen"] for each in waiting),
            "left_out": left_out,
            "page": page,
            "rows": [(each, _TONES[Payout.State(each.state)]) for each in page],
            "may_pay": policy.holds(request.staff, PAY_OUT),
        },
    )


@require_POST
@desk_page(PAY_OUT)
def make(request: StaffRequest) -> HttpResponseBase:
    """Put what can be paid into one payout."""
    try:
        made = paying.make_payout(request.staff.union, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
        return redirect("benefits:payouts")
    messages.success(request, _("The payout is made. Download the file and give it to the bank."))
    return redirect(made)


@require_safe
@desk_page(VIEW_MONEY)
def payout(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One payout."""
    return _page(request, _payout_of(request, public_id))


@require_safe
@desk_page(PAY_OUT)
@transaction.atomic
def payout_file(request: StaffRequest, public_id: UUID, form: str) -> HttpResponseBase:
    """The file for the bank, with whole account numbers; that it was taken home is recorded."""
    found = _payout_of(request, public_id)
    if form not in ("xlsx", "csv"):
        raise Http404
    items = list(finance.items_of(found))
    record(
        request.staff, PAYOUT_TAKEN_HOME, union=found.union, target=found, details={"form": form, "rows": len(items)}
    )
    content = file_of(found, items, form=form)
    return download(content, MEDIA_TYPES[form], f"{found.number}.{form}", rows=len(items))


@require_POST
@desk_page(PAY_OUT)
def paid(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The bank has paid."""
    found = _payout_of(request, public_id)
    form = PaidForm(request.POST)
    if form.is_valid():
        try:
            paying.mark_paid(found, actor=request.staff, bank_reference=form.cleaned_data["bank_reference"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Marked as paid; the books say so, too."))
            return redirect(found)
    return _page(request, found, paid_form=form, status=422)


@require_POST
@desk_page(PAY_OUT)
def cancel(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The file was not used."""
    found = _payout_of(request, public_id)
    form = WordsForm(request.POST, label=_("Reason"))
    if form.is_valid():
        try:
            paying.cancel_payout(found, actor=request.staff, reason=form.cleaned_data["words"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Cancelled. Its statements can be paid again."))
            return redirect(found)
    return _page(request, found, cancel_form=form, status=422)


@require_safe
@desk_page(VIEW_MONEY)
def merchants(request: StaffRequest) -> HttpResponseBase:
    """Merchants and whether they can be paid."""
    page = Paginator(finance.merchants(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "benefits/money/merchants.html",
        {
            "page": page,
            "rows": [(place, getattr(place, "merchant_account", None)) for place in page],
            "may_pay": policy.holds(request.staff, PAY_OUT),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(PAY_OUT)
def merchant_account(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Where one merchant receives money."""
    place = get_object_or_404(finance.merchants(for_staff=request.staff), public_id=public_id)
    account: MerchantAccount | None = getattr(place, "merchant_account", None)
    names = ("holder", "bank", "branch_code", "wechat_account")
    initial = {name: getattr(account, name) for name in names} if account else {"holder": place.name}
    form = AccountForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            paying.set_merchant_account(place, actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Kept. Somebody else than you makes this merchant's next payout."))
            return redirect("benefits:merchant_accounts")
    return render(
        request,
        "benefits/money/merchant_account.html",
        {"place": place, "account": account, "form": form},
        status=422 if form.is_bound else 200,
    )


def _payout_of(request: StaffRequest, public_id: UUID) -> Payout:
    found: Payout = get_object_or_404(finance.payouts(for_staff=request.staff), public_id=public_id)
    return found


def _page(
    request: StaffRequest,
    found: Payout,
    *,
    paid_form: PaidForm | None = None,
    cancel_form: WordsForm | None = None,
    status: int = 200,
) -> HttpResponseBase:
    items = list(finance.items_of(found))
    return render(
        request,
        "benefits/money/payout.html",
        {
            "payout": found,
            "tone": _TONES[Payout.State(found.state)],
            "items": items,
            "statements": finance.statements(for_staff=request.staff).filter(payout=found)[:200],
            "may_act": found.state == Payout.State.MADE and policy.allows(request.staff, PAY_OUT, found.union),
            "may_pay": policy.allows(request.staff, PAY_OUT, found.union),
            "paid_form": paid_form or PaidForm(),
            "cancel_form": cancel_form or WordsForm(label=_("Reason")),
        },
        status=status,
    )
