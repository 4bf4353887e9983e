"""The counter's page, and the merchant's own: today, meals, cashiers."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from yizhan.benefits.daily_words import daily_word
from yizhan.benefits.forms_counter import JoinForm
from yizhan.benefits.models import CounterPost
from yizhan.benefits.queries import counters as queries
from yizhan.benefits.rights import SEE_MERCHANT
from yizhan.benefits.services import counters as services
from yizhan.places.models import Place
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import MANAGE_CASHIERS, MANAGE_MERCHANTS, Role, policy


@require_safe
def counter(request: HttpRequest) -> HttpResponse:
    """The page of the counter: the same for everyone, so that a phone may keep it; what is theirs comes by the API."""
    return render(request, "benefits/counter/counter.html")


@require_safe
@desk_page(SEE_MERCHANT)
def merchants(request: StaffRequest) -> HttpResponseBase:
    """Counters of the acting post; of one alone, its page."""
    places = list(queries.counters_of(request.staff)[:500])
    if len(places) == 1 and Role(request.staff.role) is Role.MERCHANT:
        return redirect("benefits:merchant", places[0].public_id)
    days = [(place, queries.day_at(place)) for place in places[:50]]
    return render(request, "benefits/merchant/list.html", {"days": days, "total": len(places)})


@require_safe
@never_cache
@desk_page(SEE_MERCHANT)
def merchant(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One merchant: today, the last days, meals, cashiers."""
    place = _place(request, public_id)
    return _show(request, place, _form(request, place, None))


@require_POST
@never_cache
@desk_page(SEE_MERCHANT)
def join(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Give someone a post at this counter; shows a new person's one-time password once."""
    place = _place(request, public_id)
    form = _form(request, place, request.POST)
    if form.is_valid():
        try:
            post, password = services.join_counter(
                actor=request.staff,
                place=place,
                role=Role(form.cleaned_data["role"]),
                username=form.cleaned_data["username"],
                name=form.cleaned_data["name"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            context = {"post": post, "place": place, "password": password}
            return render(request, "benefits/merchant/joined.html", context)
    return _show(request, place, form)


@require_POST
@desk_page(SEE_MERCHANT)
def leave(request: StaffRequest, public_id: UUID, post_id: UUID) -> HttpResponseBase:
    """Take someone from this counter."""
    place, post = _post(request, public_id, post_id)
    try:
        services.leave_counter(post, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("%(person)s no longer works at this counter.") % {"person": post.staff.user})
    return redirect("benefits:merchant", place.public_id)


@require_POST
@never_cache
@desk_page(SEE_MERCHANT)
def new_password(request: StaffRequest, public_id: UUID, post_id: UUID) -> HttpResponseBase:
    """A new one-time password, shown once."""
    place, post = _post(request, public_id, post_id)
    try:
        password = services.new_password(post, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
        return redirect("benefits:merchant", place.public_id)
    context = {"post": post, "place": place, "password": password, "again": True}
    return render(request, "benefits/merchant/joined.html", context)


def _place(request: StaffRequest, public_id: UUID) -> Place:
    place = queries.counters_of(request.staff).filter(public_id=public_id).first()
    if place is None or not policy.allows(request.staff, SEE_MERCHANT, place.union, within=place):
        raise Http404
    return place


def _post(request: StaffRequest, public_id: UUID, post_id: UUID) -> tuple[Place, CounterPost]:
    place = _place(request, public_id)
    post = queries.posts_at(place).filter(public_id=post_id).first()
    if post is None:
        raise Http404
    return place, post


def _form(request: StaffRequest, place: Place, data: object) -> JoinForm:
    may = policy.allows(request.staff, MANAGE_MERCHANTS, place.union, within=place)
    return JoinForm(data, may_make_merchants=may)


def _show(request: StaffRequest, place: Place, form: JoinForm) -> HttpResponseBase:
    today = timezone.localdate()
    return render(
        request,
        "benefits/merchant/merchant.html",
        {
            "place": place,
            "form": form,
            "today": queries.day_at(place),
            "days": queries.days_at(place),
            "latest": queries.latest_at(place),
            "offers": queries.offers_by_place([place], at=timezone.now()).get(place.pk, []),
            "posts": queries.posts_at(place),
            "word": daily_word(place.public_id, today),
            "to_decide": queries.uploads_to_decide(place),
            "may_manage": policy.allows(request.staff, MANAGE_CASHIERS, place.union, within=place),
        },
    )
