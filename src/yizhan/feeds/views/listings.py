"""What partners show: coverage, listings with their evidence, deliveries, dead letters, the red list."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from yizhan.feeds.actions import LISTINGS_EXPORTED
from yizhan.feeds.models import Listing, ListingState, PushOutcome
from yizhan.feeds.partner_filters import ListingFilter, PushFilter
from yizhan.feeds.partner_forms import NoteForm
from yizhan.feeds.partner_resources import ListingResource
from yizhan.feeds.queries import partners as queries
from yizhan.feeds.rights import EXPORT_LISTINGS, MANAGE_PARTNERS, RECONCILE, VIEW_PARTNERS
from yizhan.feeds.services.proof import note_taken_down
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy

from .partners import TONES

_PER_PAGE = 50
_STATE_TONES = {
    ListingState.PENDING: "info",
    ListingState.SENT: "info",
    ListingState.ACCEPTED: "info",
    ListingState.LIVE: "good",
    ListingState.STALE: "bad",
    ListingState.MERGED: "bad",
    ListingState.WITHDRAWN: "neutral",
}


@require_safe
@desk_page(VIEW_PARTNERS)
def coverage(request: StaffRequest) -> HttpResponseBase:
    """How far the places of each union are on each partner's map."""
    shown_by = queries.partners_showing(for_staff=request.staff)
    return render(
        request,
        "feeds/partners/coverage.html",
        {
            "partners": shown_by,
            "rows": queries.coverage(for_staff=request.staff, shown_by=shown_by),
            "figures": queries.figures(for_staff=request.staff),
            "may_manage": policy.holds(request.staff, MANAGE_PARTNERS),
        },
    )


@require_safe
@desk_page(VIEW_PARTNERS)
def listings(request: StaffRequest) -> HttpResponseBase:
    """Each place at each partner."""
    narrowed = ListingFilter(request.GET, queryset=queries.listings(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "feeds/partners/listings.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": [_row(listing) for listing in page],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_export": policy.holds(request.staff, EXPORT_LISTINGS),
        },
    )


@require_safe
@desk_page(EXPORT_LISTINGS)
@transaction.atomic
def export_listings(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded."""
    narrowed = ListingFilter(request.GET, queryset=queries.listings(for_staff=request.staff))
    response, count = spreadsheet(ListingResource(), narrowed.qs, form=form, name="listings")
    record(request.staff, LISTINGS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_safe
@desk_page(VIEW_PARTNERS)
def listing(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One place at one partner, with all the evidence."""
    found = _listing(request, public_id)
    page = Paginator(queries.evidence(found, for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "feeds/partners/listing.html",
        {
            **_row(found),
            "page": page,
            # The whole file shows what everyone else's places look like there: for those of the partner's own union.
            "may_open_exports": found.partner.union.path.startswith(request.staff.union.path),
            "may_note": not found.is_wanted
            and found.state != ListingState.WITHDRAWN
            and policy.allows(request.staff, RECONCILE, found.place.union),
        },
    )


@require_safe
@desk_page(VIEW_PARTNERS)
def deliveries(request: StaffRequest) -> HttpResponseBase:
    """Messages and files that went, or should have gone."""
    narrowed = PushFilter(request.GET, queryset=queries.pushes(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "feeds/partners/deliveries.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": [{"push": push, "tone": TONES[PushOutcome(push.outcome)]} for push in page],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
        },
    )


@require_safe
@desk_page(VIEW_PARTNERS)
def dead_letters(request: StaffRequest) -> HttpResponseBase:
    """What was given up, and a button to send it again."""
    dead = queries.dead_letters(for_staff=request.staff)
    page = Paginator(dead, _PER_PAGE).get_page(request.GET.get("page"))
    may_manage = policy.holds(request.staff, MANAGE_PARTNERS)
    figures = queries.figures_by_partner(for_staff=request.staff)
    return render(
        request,
        "feeds/partners/dead.html",
        {
            "page": page,
            "rows": [
                {"listing": found, "may_replay": policy.allows(request.staff, MANAGE_PARTNERS, found.partner.union)}
                for found in page
            ],
            "partners": [
                {"partner": partner, "dead": figures[partner.pk].dead}
                for partner in queries.partners(for_staff=request.staff)
                if partner.pk in figures and figures[partner.pk].dead
            ]
            if may_manage
            else [],
        },
    )


@require_safe
@desk_page(VIEW_PARTNERS)
def red_list(request: StaffRequest) -> HttpResponseBase:
    """Closed places that a partner may still show."""
    red = queries.red_list(for_staff=request.staff)
    page = Paginator(red, _PER_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    return render(
        request,
        "feeds/partners/red.html",
        {
            "page": page,
            "overdue": queries.overdue(red).count(),
            "rows": [
                {
                    **_row(found),
                    "is_over": found.red_until is not None and found.red_until <= now,
                    "may_note": policy.allows(request.staff, RECONCILE, found.place.union),
                }
                for found in page
            ],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(RECONCILE)
def taken_down(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Note that somebody looked, and the place is on the partner's map no more."""
    found = _listing(request, public_id)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            note_taken_down(staff=request.staff, listing=found, note=form.cleaned_data["note"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Noted: it is on the map no more."))
            return redirect("feeds:red_list")
    return render(
        request,
        "feeds/partners/taken_down.html",
        {"form": form, "listing": found},
        status=422 if form.is_bound and form.errors else 200,
    )


def _listing(request: StaffRequest, public_id: UUID) -> Listing:
    found: Listing = get_object_or_404(queries.listings(for_staff=request.staff), public_id=public_id)
    return found


def _row(listing: Listing) -> dict[str, object]:
    words = listing.get_state_display()
    if listing.state == ListingState.SENT and not listing.is_wanted:
        words = _("Asked to take it down")
    return {"listing": listing, "tone": _STATE_TONES[ListingState(listing.state)], "state": words}
