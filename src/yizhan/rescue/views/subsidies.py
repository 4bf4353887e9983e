"""What rescues are paid: the list with states and reasons, trying again, and the programmes that pay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits.rights import MANAGE_PROGRAMMES, SET_BUDGETS
from yizhan.rescue.actions import SUBSIDIES_EXPORTED
from yizhan.rescue.exports import SubsidyResource
from yizhan.rescue.forms.subsidies import SubsidyForm, TermsForm
from yizhan.rescue.models import Subsidy, SubsidyState
from yizhan.rescue.queries import subsidies as queries
from yizhan.rescue.queries.board import unions_for
from yizhan.rescue.rights import PAY_SUBSIDIES, VIEW_SUBSIDIES
from yizhan.rescue.services.subsidies import pay
from yizhan.rescue.services.terms import change_terms, create_subsidy
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .taking_home import take_home

TONES = {
    SubsidyState.WAITING: "info",
    SubsidyState.DUE: "info",
    SubsidyState.REFUSED: "bad",
    SubsidyState.PAID: "good",
    SubsidyState.DROPPED: "neutral",
}
MOST_AT_ONCE = 100


def shown(subsidy: Subsidy) -> dict[str, Any]:
    """A subsidy as pages show it; what finance took back says so."""
    gone = subsidy.redemption is not None and subsidy.redemption.state in queries.GONE_BACK
    return {
        "subsidy": subsidy,
        "tone": "neutral" if gone else TONES[SubsidyState(subsidy.state)],
        "state": SubsidyState.DROPPED.label if gone else subsidy.get_state_display(),
        "amount_fen": subsidy.redemption.funded_fen if subsidy.redemption else None,
        "why": queries.words_of(subsidy),
        "may_retry": subsidy.state in {SubsidyState.REFUSED, SubsidyState.DUE},
    }


def _narrowed(request: StaffRequest) -> tuple[QuerySet[Subsidy], str]:
    found = queries.subsidies_for(request.staff)
    state = request.GET.get("state", "")
    if state in SubsidyState.values:
        return found.filter(state=state), state
    return found, ""


@require_safe
@desk_page(VIEW_SUBSIDIES)
def subsidies(request: StaffRequest) -> HttpResponseBase:
    """Subsidies, newest first, with what each waits for."""
    found, state = _narrowed(request)
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    may_pay = policy.holds(request.staff, PAY_SUBSIDIES)
    rows = [
        shown(each) | {"may_pay": may_pay and policy.allows(request.staff, PAY_SUBSIDIES, each.call.union)}
        for each in page
    ]
    return render(
        request,
        "rescue/subsidies.html",
        {
            "page": page,
            "rows": rows,
            "sums": queries.sums_of(queries.subsidies_for(request.staff)),
            "state": state,
            "states": SubsidyState.choices,
            "programmes": queries.shown_for(request.staff),
            "may_pay": may_pay,
            "may_make": policy.holds(request.staff, MANAGE_PROGRAMMES),
        },
    )


@require_safe
@desk_page(VIEW_SUBSIDIES)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded. Rows are counted against the list."""
    found, _state = _narrowed(request)
    return take_home(
        request,
        SubsidyResource(),
        found,
        form=form,
        name="rescue-subsidies",
        recorded_as=SUBSIDIES_EXPORTED,
        back="rescue:subsidies",
    )


@require_POST
@desk_page(PAY_SUBSIDIES)
def retry(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Try once more to pay one that was refused."""
    try:
        found = queries.subsidy_for(request.staff, public_id)
    except Subsidy.DoesNotExist:
        raise Http404 from None
    tried = pay(found, actor=request.staff)
    if tried.state == SubsidyState.PAID:
        messages.success(request, _("It is paid: it stands on the next statement of the repair point."))
    else:
        messages.error(request, queries.words_of(tried))
    return redirect(tried.call if request.POST.get("back") == "call" else "rescue:subsidies")


@require_POST
@desk_page(PAY_SUBSIDIES)
def retry_all(request: StaffRequest) -> HttpResponseBase:
    """Try once more to pay all that were refused, the oldest first: after a cap was raised, say."""
    refused = queries.subsidies_for(request.staff).filter(
        state=SubsidyState.REFUSED, call__union__path__startswith=request.staff.union.path
    )
    tried = [pay(each, actor=request.staff) for each in refused.order_by("made_at", "pk")[:MOST_AT_ONCE]]
    paid = sum(1 for each in tried if each.state == SubsidyState.PAID)
    words = ngettext("%(n)d of %(all)d is paid now.", "%(n)d of %(all)d are paid now.", paid)
    (messages.success if paid else messages.info)(request, words % {"n": paid, "all": len(tried)})
    return redirect("rescue:subsidies")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_PROGRAMMES)
def new(request: StaffRequest) -> HttpResponseBase:
    """Begin to pay for rescues."""
    may_budget = policy.holds(request.staff, SET_BUDGETS)
    form = SubsidyForm(
        request.POST or None, unions=unions_for(request.staff), may_budget=may_budget,
        initial={"union": request.staff.union.public_id, "name": _("Rescue subsidy"), "amount": 100},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            made = create_subsidy(form.facts(), union=form.cleaned_data["union"], actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            words = (
                _("“%(name)s” runs.")
                if made.programme.is_open
                else _("“%(name)s” is a draft: set a budget and open it on its page.")
            )
            messages.success(request, words % {"name": made.programme.name})
            return redirect("rescue:subsidies" if made.programme.is_open else made.programme)
    context = {"form": form, "may_budget": may_budget}
    return render(request, "rescue/subsidy_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_PROGRAMMES)
def terms(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Another amount, other problems, another radius."""
    found = queries.terms_for(request.staff).filter(public_id=public_id).first()
    if found is None or not policy.allows(request.staff, MANAGE_PROGRAMMES, found.programme.union):
        raise Http404
    form = TermsForm(request.POST or None, initial=TermsForm.initial_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            change_terms(found, form.terms(), actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("It holds from the next rescue that is paid on."))
            return redirect("rescue:subsidies")
    context = {"form": form, "terms": found}
    return render(request, "rescue/subsidy_form.html", context, status=422 if form.errors else 200)
