"""Wishes and sponsors on the desk: reviewing, claiming on behalf, handing over, thanks."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.forms.wishes import ClaimForm, PublishWishForm, SponsorForm, ThanksForm, WordsForm
from yizhan.cases.models import Case, Sponsor, Wish, WishState
from yizhan.cases.outcome.lists import WishFilter, WishResource
from yizhan.cases.queries import wishes as queries
from yizhan.cases.queries.kept import counted_lately
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.queries.visible import case_for
from yizhan.cases.rights import HANDLE_CASES
from yizhan.cases.services import sponsors as sponsor_services
from yizhan.cases.services import wishes as services
from yizhan.cases.wish_actions import SPONSOR_SEEN
from yizhan.cases.wish_rights import MANAGE_SPONSORS, PUBLISH_WISHES, VIEW_WISHES
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.personal_data import mask_phone
from yizhan.unions.rights import policy

from .links import told
from .wall import full_link

_PER_PAGE = 50


@require_safe
@desk_page(VIEW_WISHES)
def desk_wishes(request: StaffRequest) -> HttpResponseBase:
    """What waits for review, and what stands on the wall, is claimed, was handed over."""
    staff = request.staff
    narrowed = WishFilter(request.GET, queryset=queries.wishes(for_staff=staff))
    waiting = queries.to_review(for_staff=staff)
    paginator = KeysFirst(narrowed.qs, _PER_PAGE)
    waiting_count = counted_lately("review", waiting, waiting.order_by().count, rows=int)
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "filter": narrowed,
        "page": page,
        "waiting": KeysFirst(waiting.select_related("union"), 20).first(waiting_count),
        "waiting_count": waiting_count,
        "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
        "may_publish": policy.holds(staff, PUBLISH_WISHES),
        "may_sponsor": policy.holds(staff, MANAGE_SPONSORS),
    }
    return render(request, "cases/wishes/list.html", context)


@require_safe
@desk_page(VIEW_WISHES)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV."""
    narrowed = WishFilter(request.GET, queryset=queries.wishes(for_staff=request.staff))
    response, count = spreadsheet(WishResource(), narrowed.qs, form=form, name="wishes")
    response["X-Row-Count"] = str(count)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(PUBLISH_WISHES)
def publish(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Review a wish: what the worker wrote beside what everyone will read."""
    try:
        case = case_for(request.staff, public_id)
    except Case.DoesNotExist:
        raise Http404 from None
    item = str(case.fields.get("item", ""))
    first = {"title": item[:60] or case.title[:60], "words": case.text[:300]}
    form = PublishWishForm(request.POST if request.method == "POST" else None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.publish_wish(case, actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("It is on the wall."))
            return redirect(made)
    status = 422 if form.is_bound else 200
    return render(request, "cases/wishes/publish.html", {"form": form, "case": case}, status=status)


def _wish(request: StaffRequest, public_id: UUID) -> Wish:
    found: Wish = get_object_or_404(queries.wishes(for_staff=request.staff), public_id=public_id)
    return found


@require_safe
@desk_page(VIEW_WISHES)
def desk_wish(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One wish: its claims, and what can be done with it now."""
    found = _wish(request, public_id)
    union = found.case.union
    publishes = policy.allows(request.staff, PUBLISH_WISHES, union)
    handles = policy.allows(request.staff, HANDLE_CASES, union)
    is_open = found.state in {WishState.PUBLISHED, WishState.CLAIMED}
    context = {
        "wish": found,
        "history": queries.history_of(found),
        "claim": ClaimForm(union=union) if publishes and found.state == WishState.PUBLISHED else None,
        "words": WordsForm(auto_id="deliver_%s") if handles and found.state == WishState.CLAIMED else None,
        "may_free": publishes and (found.state == WishState.CLAIMED or services.was_sent_back(found)),
        "may_withdraw": publishes and is_open,
        "thanks": ThanksForm(initial={"words": found.thanks}) if publishes and found.thanks else None,
    }
    return render(request, "cases/wishes/wish.html", context)


@require_POST
@desk_page(VIEW_WISHES)
def step(request: StaffRequest, public_id: UUID, step: str) -> HttpResponseBase:
    """Claim on behalf, end a claim, say that it was handed over, take it off, publish thanks."""
    found, staff = _wish(request, public_id), request.staff
    words = request.POST.get("words", "")
    match step:
        case "claim":
            form = ClaimForm(request.POST, union=found.case.union)
            if not form.is_valid():
                messages.error(request, _("Choose a sponsor."))
            else:
                sponsor = form.cleaned_data["sponsor"]
                told(request, lambda: services.claim_wish(found, sponsor=sponsor, actor=staff), _("Claimed."))
        case "free":
            told(request, lambda: services.free_wish(found, actor=staff, words=words), _("It is on the wall again."))
        case "deliver":
            done = _("The worker is asked whether it came true.")
            told(request, lambda: services.deliver_wish(found, actor=staff, words=words), done)
        case "withdraw":
            told(request, lambda: services.withdraw_wish(found, actor=staff, words=words), _("It is off the wall."))
        case "thanks":
            told(request, lambda: services.publish_thanks(found, actor=staff, words=words), _("Published."))
        case _:
            raise Http404
    return redirect(found)


@require_safe
@desk_page(MANAGE_SPONSORS)
def sponsors(request: StaffRequest) -> HttpResponseBase:
    """Sponsors of the acting union and below."""
    page = KeysFirst(queries.sponsors(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "cases/wishes/sponsors.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_SPONSORS)
def new_sponsor(request: StaffRequest) -> HttpResponseBase:
    """Enter a sponsor of the acting union."""
    form = SponsorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            union = request.staff.union
            made = sponsor_services.save_sponsor(union=union, actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return redirect(made)
    return render(request, "cases/wishes/sponsor.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_SPONSORS)
@transaction.atomic
def sponsor(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One sponsor: whom to call, its signed link, what it claimed. That someone saw whom to call is recorded."""
    found: Sponsor = get_object_or_404(queries.sponsors(for_staff=request.staff), public_id=public_id)
    first = {"name": found.name, "contact_name": found.contact_name, "note": found.note, "is_active": found.is_active}
    form = SponsorForm(request.POST if request.method == "POST" else None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                sponsor_services.save_sponsor(
                    union=found.union, actor=request.staff, sponsor=found, **form.cleaned_data
                )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Saved."))
            return redirect(found)
    record(request.staff, SPONSOR_SEEN, union=found.union, target=found)
    context = {
        "form": form,
        "sponsor": found,
        "masked_phone": mask_phone(found.contact_phone or None),
        "link": full_link(found) if found.is_active else "",
        "claims": queries.claims_of(found),
    }
    return render(request, "cases/wishes/sponsor.html", context, status=422 if form.is_bound else 200)


@require_POST
@desk_page(MANAGE_SPONSORS)
def renew(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Make the sponsor's earlier links worthless."""
    found: Sponsor = get_object_or_404(queries.sponsors(for_staff=request.staff), public_id=public_id)
    said = _("Only the new link holds now.")
    told(request, lambda: sponsor_services.renew_link(found, actor=request.staff), said)
    return redirect(found)
