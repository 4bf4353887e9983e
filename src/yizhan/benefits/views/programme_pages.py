"""Pages of programme managers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits.actions import PROGRAMMES_EXPORTED
from yizhan.benefits.exports.programmes import ProgrammeResource
from yizhan.benefits.forms.programmes import (
    BudgetForm,
    LotteryForm,
    OfferForm,
    PartFormSet,
    ProgrammeForm,
    StepForm,
    parts_of_formset,
    parts_shown,
)
from yizhan.benefits.models import Allotment, BenefitOffer, Programme, ProgrammeState
from yizhan.benefits.programme_filters import ProgrammeFilter
from yizhan.benefits.queries import programmes as queries
from yizhan.benefits.refusals import sentence
from yizhan.benefits.rights import MANAGE_PROGRAMMES, SET_BUDGETS, VIEW_PROGRAMMES
from yizhan.benefits.services import budgets as budget_services
from yizhan.benefits.services import lotteries, offers, programmes
from yizhan.benefits.simulation import simulate
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import policy

TONES = {
    ProgrammeState.DRAFT: "info",
    ProgrammeState.OPEN: "good",
    ProgrammeState.PAUSED: "warn",
    ProgrammeState.ENDED: "neutral",
}
_PER_PAGE = 50
_REPLAYED = (7, 30, 90)


@require_safe
@desk_page(VIEW_PROGRAMMES)
def listed(request: StaffRequest) -> HttpResponseBase:
    """Programmes of the acting union and below."""
    narrowed = ProgrammeFilter(request.GET, queryset=queries.with_counts(queries.programmes(for_staff=request.staff)))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    eaten = queries.eaten_lately(page.object_list)
    rows = [
        {"programme": row, "tone": TONES[ProgrammeState(row.state)], "eaten": eaten.get(row.pk, queries.Eaten())}
        for row in page
    ]
    return render(
        request,
        "benefits/programmes/list.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": rows,
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_manage": policy.holds(request.staff, MANAGE_PROGRAMMES),
        },
    )


@require_safe
@desk_page(VIEW_PROGRAMMES)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The list to take home."""
    found = ProgrammeFilter(request.GET, queryset=queries.with_counts(queries.programmes(for_staff=request.staff))).qs
    response, count = spreadsheet(ProgrammeResource(), found, form=form, name="programmes")
    record(request.staff, PROGRAMMES_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    return response


@require_safe
@desk_page(VIEW_PROGRAMMES)
def shown(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One programme: what runs, what it costs, what can be done."""
    return _show(request, _programme(request, public_id))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_PROGRAMMES)
def new(request: StaffRequest) -> HttpResponseBase:
    """Draft a programme."""
    start = {
        "union": request.staff.union.name,
        "weekdays": [str(day) for day in range(1, 8)],
        "void_minutes": 30,
        "refund_days": 30,
    }
    form = ProgrammeForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            union = union_called(form.cleaned_data["union"], field="union", below=request.staff.union)
            made = programmes.create_programme(form.facts, union=union, actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” is drafted. Now say what is on offer where.") % {"name": made.name})
            return redirect(made)
    return render(request, "benefits/programmes/form.html", {"form": form, "programme": None})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_PROGRAMMES)
def change(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change a programme's rules."""
    found = _programme(request, public_id)
    form = ProgrammeForm.showing(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            revision = form.cleaned_data["revision"] or 0
            programmes.change_programme(found, form.facts, revision=revision, actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The rules hold from the next redemption on."))
            return redirect(found)
    return render(request, "benefits/programmes/form.html", {"form": form, "programme": found})


@require_POST
@desk_page(MANAGE_PROGRAMMES)
def step(request: StaffRequest, public_id: UUID, state: str) -> HttpResponseBase:
    """Open, pause or end a programme."""
    found = _programme(request, public_id)
    if state not in ProgrammeState.values:
        raise Http404
    form = StepForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        programmes.step_programme(found, ProgrammeState(state), actor=request.staff, reason=reason)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    else:
        words = ProgrammeState(state).label
        messages.success(request, _("“%(name)s”: %(state)s.") % {"name": found.name, "state": words})
    return redirect(found)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_PROGRAMMES)
def offer(request: StaffRequest, public_id: UUID, offer_id: UUID | None = None) -> HttpResponseBase:
    """Add an offer or change one: price and split."""
    found = _programme(request, public_id)
    chosen = get_object_or_404(queries.offers_of(found), public_id=offer_id) if offer_id else None
    data = request.POST or None
    form = OfferForm(data, programme=found, places=queries.places_for(found), offer=chosen)
    if chosen is not None:
        form.fields["place"].queryset = type(chosen.place).objects.filter(pk=chosen.place_id)  # type: ignore[attr-defined]
    parts = PartFormSet(data, initial=parts_shown(found, chosen), prefix="parts")
    if request.method == "POST" and form.is_valid() and parts.is_valid():
        try:
            offers.set_offer(
                found,
                place=form.cleaned_data["place"],
                name=form.cleaned_data["name"],
                list_price_fen=form.list_price_fen,
                parts=parts_of_formset(parts),
                actor=request.staff,
                offer=chosen,
                is_active=chosen.is_active if chosen else True,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The offer and its split hold from the next redemption on."))
            return redirect(found)
    return render(
        request, "benefits/programmes/offer.html", {"programme": found, "offer": chosen, "form": form, "parts": parts}
    )


@require_POST
@desk_page(MANAGE_PROGRAMMES)
def offer_active(request: StaffRequest, public_id: UUID, offer_id: UUID) -> HttpResponseBase:
    """Take an offer off, or put it on again."""
    found = _programme(request, public_id)
    chosen: BenefitOffer = get_object_or_404(queries.offers_of(found), public_id=offer_id)
    offers.set_offer_active(chosen, is_active=not chosen.is_active, actor=request.staff)
    messages.success(request, _("The offer has been changed."))
    return redirect(found)


@require_POST
@desk_page(SET_BUDGETS)
def budget(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Set a cap."""
    found = _programme(request, public_id)
    accounts = queries.payers_of(found)
    form = BudgetForm(request.POST, accounts=accounts)
    if form.is_valid():
        account = next(each for each in accounts if str(each.public_id) == form.cleaned_data["account"])
        try:
            budget_services.set_budget(
                account=account,
                programme=found,
                span=form.cleaned_data["span"],
                cap_fen=int(form.cleaned_data["cap"] * 100),
                actor=request.staff,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The cap holds from now on."))
            return redirect(found)
    return _show(request, found, budget_form=form)


@require_POST
@desk_page(SET_BUDGETS)
def stop_budget(request: StaffRequest, public_id: UUID, budget_id: UUID) -> HttpResponseBase:
    """Cap no longer."""
    found = _programme(request, public_id)
    chosen = queries.budget_of(found, budget_id)
    if chosen is None:
        raise Http404
    budget_services.stop_budget(chosen, actor=request.staff)
    messages.success(request, _("The budget is no longer in force."))
    return redirect(found)


@require_safe
@desk_page(VIEW_PROGRAMMES)
def simulation(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """What it would have cost: past demand against these rules."""
    found = _programme(request, public_id)
    asked = request.GET.get("days", "")
    days = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in _REPLAYED else 30
    forecast = simulate(found, days=days)
    most = max((count for count, _fen in forecast.by_day.values()), default=1)
    return render(
        request,
        "benefits/programmes/simulation.html",
        {
            "programme": found,
            "forecast": forecast,
            "days": days,
            "choices": _REPLAYED,
            "refused": [(sentence(code), count) for code, count in forecast.refused.most_common()],
            "payers": forecast.by_payer.most_common(),
            "rows": [(day, count, fen, most) for day, (count, fen) in sorted(forecast.by_day.items())],
        },
    )


@require_POST
@desk_page(MANAGE_PROGRAMMES)
def open_lottery(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let workers enter for places."""
    found = _programme(request, public_id)
    form = LotteryForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            lotteries.open_lottery(
                found,
                places=given["places"],
                closes_at=form.closes_at,
                valid_from=given["valid_from"],
                valid_until=given["valid_until"],
                actor=request.staff,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Workers may enter now. The digest of the seed stands below."))
            return redirect(found)
    return _show(request, found, lottery_form=form)


@require_POST
@desk_page(MANAGE_PROGRAMMES)
def draw_lottery(request: StaffRequest, public_id: UUID, lottery_id: UUID) -> HttpResponseBase:
    """Draw the lots."""
    found = _programme(request, public_id)
    chosen = get_object_or_404(queries.lotteries_of(found), public_id=lottery_id)
    try:
        lotteries.draw(chosen, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    else:
        messages.success(request, _("The lots are drawn; the seed is published below."))
    return redirect(found)


def _show(
    request: StaffRequest,
    found: Programme,
    *,
    budget_form: BudgetForm | None = None,
    lottery_form: LotteryForm | None = None,
) -> HttpResponseBase:
    may_manage = policy.allows(request.staff, MANAGE_PROGRAMMES, found.union)
    may_budget = policy.allows(request.staff, SET_BUDGETS, found.union)
    over = found.state == ProgrammeState.ENDED
    context: dict[str, Any] = {
        "programme": found,
        "facts": programmes.ProgrammeFacts.of(found),
        "periods": programmes.periods_of(found),
        "tone": TONES[ProgrammeState(found.state)],
        "offers": list(queries.offers_of(found)),
        "gauges": queries.gauges(found),
        "eaten": queries.eaten_lately([found]).get(found.pk, queries.Eaten()),
        "may_manage": may_manage and not over,
        "may_budget": may_budget and not over,
        "step_form": StepForm(),
        "draws_lots": found.allotment == Allotment.LOTTERY,
        "lotteries": list(queries.lotteries_of(found)),
        "lottery_form": lottery_form or LotteryForm(),
    }
    if may_budget and not over:
        context["budget_form"] = budget_form or BudgetForm(accounts=queries.payers_of(found))
    return render(request, "benefits/programmes/programme.html", context)


def _programme(request: StaffRequest, public_id: UUID) -> Programme:
    """A programme of the acting union or below; a post bound to one counter has none."""
    if policy.bounds(request.staff):
        raise PermissionDenied(_("This page is for those who hold a post at a union."))
    found: Programme = get_object_or_404(queries.programmes(for_staff=request.staff), public_id=public_id)
    return found
