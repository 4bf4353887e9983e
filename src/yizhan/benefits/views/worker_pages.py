"""What workers open: where to eat, a meal at the plate, the live ticket, their history, their phones."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits.daily_words import daily_word
from yizhan.benefits.forms_counter import AppealForm
from yizhan.benefits.models import RedemptionState
from yizhan.benefits.queries import meals as queries
from yizhan.benefits.queries.phones import phones_of
from yizhan.benefits.refusals import Refused
from yizhan.benefits.services.exclusions import appeal
from yizhan.benefits.services.phones import block
from yizhan.benefits.services.redeeming import why_not
from yizhan.benefits.services.self_service import redeem_at_plate
from yizhan.benefits.tickets import ticket_text
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import User, Worker
from yizhan.unions.queries.people import worker_of

_PER_PAGE = 20
WorkerView = Callable[..., HttpResponseBase]


def worker_page(view: WorkerView) -> WorkerView:
    """Admit workers, handing `worker` on; others are led to sign in, staff are told whom the page is for."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        worker = worker_of(request.user)
        if worker is None:
            return render(request, "benefits/worker/not_a_worker.html", status=403)
        return view(request, worker, *args, **kwargs)

    return never_cache(guarded)


@require_safe
def restaurants(request: HttpRequest) -> HttpResponse:
    """惠骑餐厅: where to eat for how much, on a map and as a list."""
    text = request.GET.get("q", "").strip().replace("\x00", "")[:60]
    open_now = request.GET.get("open") == "now"
    found = queries.restaurants(text=text, open_now=open_now)
    drawn = [
        {
            "name": one.place.name,
            "status": "published" if one.state.state == "yes" else "draft",
            "words": _("%(state)s · from %(yuan)s yuan") % {"state": one.words, "yuan": _yuan(one.least_fen)},
            "lon": round(one.place.lon, 6),
            "lat": round(one.place.lat, 6),
            "url": reverse("benefits:meals_at", args=[one.place.public_id]),
        }
        for one in found
    ]
    return render(
        request,
        "benefits/worker/restaurants.html",
        {
            "found": found,
            "page": Paginator(found, _PER_PAGE).get_page(request.GET.get("page")),
            "drawn": drawn,
            "text": text,
            "open_now": open_now,
        },
    )


@require_safe
def meals_at(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """First tap: choose the meal. Where the plate of a restaurant leads."""
    found = queries.restaurant(public_id)
    if found is None:
        raise Http404(_("There is no such place, or it is not open to the public now."))
    return render(request, "benefits/worker/meals_at.html", {"restaurant": found, "place": found.place})


@require_http_methods(["GET", "HEAD", "POST"])
@worker_page
def confirm(request: HttpRequest, worker: Worker, public_id: UUID, offer_id: UUID) -> HttpResponseBase:
    """Second tap: confirm. What would be refused is said before."""
    found = queries.restaurant(public_id)
    chosen = next((one for one in found.offers if one.offer.public_id == offer_id), None) if found else None
    if found is None or chosen is None:
        raise Http404(_("This meal is not offered here today."))
    refused: Refused | None = None
    if request.method == "POST":
        try:
            receipt = redeem_at_plate(
                worker,
                chosen.offer,
                request_id=_request_id(request.POST.get("request_id", "")),
                position=_position(request.POST.get("position", "")),
            )
        except Refused as broken:
            refused = broken
        else:
            return redirect("benefits:ticket", receipt.public_id)
    else:
        refused = why_not(offer=chosen.offer, worker=worker)
    context = {
        "place": found.place,
        "restaurant": found,
        "chosen": chosen,
        "refused": refused,
        "request_id": uuid4(),
    }
    return render(request, "benefits/worker/confirm.html", context, status=409 if request.method == "POST" else 200)


@require_safe
@worker_page
def ticket(request: HttpRequest, worker: Worker, public_id: UUID) -> HttpResponseBase:
    """The live ticket: shown to the cashier, who knows the word and the colour of the day."""
    found = queries.own_redemption(worker, public_id)
    if found is None:
        raise Http404
    is_today = timezone.localdate(found.redeemed_at) == timezone.localdate()
    word = daily_word(found.place.public_id, timezone.localdate())
    ended = found.state in {RedemptionState.VOIDED, RedemptionState.REFUNDED}
    context = {"redemption": found, "word": word, "is_live": is_today and not ended, "ended": ended}
    return render(request, "benefits/worker/ticket.html", context)


@require_safe
@worker_page
def ticket_now(request: HttpRequest, worker: Worker, public_id: UUID) -> HttpResponseBase:
    """What the live ticket asks for every few seconds."""
    found = queries.own_redemption(worker, public_id)
    if found is None:
        raise Http404
    now = timezone.now()
    ended = found.state in {RedemptionState.VOIDED, RedemptionState.REFUNDED}
    stale = timezone.localdate(found.redeemed_at) != timezone.localdate(now)
    return JsonResponse(
        {
            "text": ticket_text(found.public_id, now.timestamp()),
            "server_time": now.timestamp(),
            "ended": found.state if ended or stale else "",
        }
    )


@require_safe
@worker_page
def mine(request: HttpRequest, worker: Worker) -> HttpResponseBase:
    """The worker's meals, what they are kept from and why, and their phones."""
    page = Paginator(queries.history(worker), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "exclusions": queries.exclusions_of(worker), "phones": phones_of(worker)[:10]}
    return render(request, "benefits/worker/mine.html", context)


@require_POST
@worker_page
def block_phone(request: HttpRequest, worker: Worker, public_id: UUID) -> HttpResponseBase:
    """A lost phone shows no more codes."""
    phone = phones_of(worker).filter(public_id=public_id).first()
    if phone is None:
        raise Http404
    block(phone, actor=worker.user)
    messages.success(request, _("This phone shows no more codes. Open “My code” on it to set it up anew."))
    return redirect("benefits:my_meals")


@require_http_methods(["GET", "HEAD", "POST"])
@worker_page
def appeal_against(request: HttpRequest, worker: Worker, public_id: UUID) -> HttpResponseBase:
    """Say why being kept from a programme is wrong."""
    exclusion = queries.exclusions_of(worker).filter(public_id=public_id).first()
    if exclusion is None:
        raise Http404
    form = AppealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeal(exclusion, worker=worker, words=form.cleaned_data["words"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Your appeal has been sent. The answer appears here."))
            return redirect("benefits:my_meals")
    return render(request, "benefits/worker/appeal.html", {"exclusion": exclusion, "form": form})


@require_safe
def code(request: HttpRequest) -> HttpResponse:
    """The page of the code: the same for everyone, so that a phone may keep it; the code is made on the phone."""
    return render(request, "benefits/worker/code.html")


def _request_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


def _position(text: str) -> tuple[float, float] | None:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        return None
    return (lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None


def _yuan(fen: int) -> str:
    return f"{fen / 100:.2f}".rstrip("0").rstrip(".")
