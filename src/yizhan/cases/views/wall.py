"""The public wall of wishes, a sponsor's own page behind its signed link, and the worker's thanks."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from yizhan.cases.forms.wishes import ThanksForm, WordsForm
from yizhan.cases.models import Case, Sponsor, Wish
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.queries.wishes import claims_of, come_true, public_wish, unions_with_wishes, wall, wish_of_case
from yizhan.cases.queries.worker import own_case
from yizhan.cases.services import wishes as services
from yizhan.cases.services.sponsors import link_of, sponsor_by_link
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union, User
from yizhan.unions.queries.people import worker_of

_PER_PAGE = 24


@require_safe
def wishes(request: HttpRequest) -> HttpResponseBase:
    """Wishes that wait for a sponsor, and those that came true; nobody can be recognised in them."""
    union = _chosen(request)
    page = KeysFirst(wall(union), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "union": union, "unions": unions_with_wishes(), "done": come_true(union)[:12]}
    return render(request, "cases/wishes/wall.html", context)


def _chosen(request: HttpRequest) -> Union | None:
    chosen = request.GET.get("union", "")
    if not chosen:
        return None
    try:
        found = Union.objects.filter(public_id=UUID(chosen), is_active=True).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


@require_safe
def wish(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """One wish, and how to make it come true."""
    try:
        found = public_wish(public_id)
    except Wish.DoesNotExist:
        raise Http404 from None
    return render(request, "cases/wishes/public_wish.html", {"wish": found})


def _sponsor(public_id: UUID, signature: str) -> Sponsor:
    try:
        return sponsor_by_link(public_id, signature)
    except Sponsor.DoesNotExist:
        raise Http404(_("This link does not hold any more; ask the union for a new one.")) from None


@never_cache
@require_safe
def sponsor_wall(request: HttpRequest, public_id: UUID, signature: str) -> HttpResponseBase:
    """What a sponsor can claim, has claimed, and what came of it."""
    sponsor = _sponsor(public_id, signature)
    # A sponsor of a union takes on the wishes of that union and all below.
    page = KeysFirst(wall(sponsor.union), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"sponsor": sponsor, "page": page, "claims": claims_of(sponsor), "signature": signature}
    response = render(request, "cases/wishes/sponsor_wall.html", context)
    response["Referrer-Policy"] = "same-origin"  # "no-referrer": no origin, and our own forms are refused
    response["X-Robots-Tag"] = "noindex"
    return response


@require_POST
def sponsor_step(request: HttpRequest, public_id: UUID, signature: str, wish_id: UUID, step: str) -> HttpResponseBase:
    """Claim a wish, give it up, or say that it was handed over."""
    sponsor = _sponsor(public_id, signature)
    try:
        found = public_wish(wish_id)
    except Wish.DoesNotExist:
        raise Http404 from None
    if not found.case.union.path.startswith(sponsor.union.path):
        raise Http404
    form = WordsForm(request.POST)
    words = form.cleaned_data["words"] if form.is_valid() else ""
    try:
        match step:
            case "claim":
                services.claim_wish(found, sponsor=sponsor)
                said = _("It is yours. Thank you! The union is told and helps with handing it over.")
            case "give-up":
                services.free_wish(found, sponsor=sponsor, words=words)
                said = _("It is on the wall again.")
            case "delivered":
                services.deliver_wish(found, sponsor=sponsor, words=words)
                said = _("Thank you. The worker is asked whether it came true.")
            case _:
                raise Http404
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, said)
    return redirect(link_of(sponsor))


@require_POST
@login_required
def thank(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The worker's thanks for a wish that came true."""
    worker = worker_of(request.user) if isinstance(request.user, User) else None
    if worker is None:
        raise Http404
    try:
        case = own_case(worker, public_id)
    except Case.DoesNotExist:
        raise Http404 from None
    found = wish_of_case(case)
    if found is None:
        raise Http404
    form = ThanksForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write a line of thanks."))
    else:
        try:
            services.thank_for_wish(found, worker=worker, words=form.cleaned_data["words"])
        except RuleBroken as broken:
            messages.error(request, str(broken.problems[0].message))
        else:
            messages.success(request, _("Thank you. The union reads it before the sponsor does."))
    return redirect("cases:own", public_id=public_id)


def full_link(sponsor: Sponsor) -> str:
    """The whole address of a sponsor's page."""
    return settings.BASE_URL + link_of(sponsor)
