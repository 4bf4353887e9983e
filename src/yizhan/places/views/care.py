"""Verifying on the spot, the words of a union, and how closely it looks after its places."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.places import services
from yizhan.places.care import CareTree
from yizhan.places.forms import CareRulesForm, VerificationForm, WordForm
from yizhan.places.hours import hours_in_words
from yizhan.places.models import CareRules, OfferKind, Verification
from yizhan.places.queries import desk as queries
from yizhan.places.rights import EXTEND_VOCABULARY, SET_CARE_RULES, VERIFY_PLACES, VIEW_PLACES
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .lists import place_of


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(VERIFY_PLACES)
def verify(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The checklist, made for a telephone in the hand of someone who stands before the door."""
    place = place_of(request, public_id)
    policy.require(request.staff, VERIFY_PLACES, place.union)
    if place.is_closed:
        raise Http404
    form = VerificationForm(request.POST or None, request.FILES or None, place=place)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.verify_place(place, form.look(), actor=request.staff)
        except RuleBroken as broken:
            form.show(broken)
        else:
            if made.is_sound:
                messages.success(request, _("Verified: everything you looked at is right."))
            else:
                messages.warning(request, _("Recorded. What was wrong is mended where that could be done at once."))
            return redirect("places:desk_place", place.public_id)
    context = {
        "form": form,
        "place": place,
        "hours": hours_in_words(place.hours),
        "points": [[place.lon, place.lat], *([list(place.entrance)] if place.entrance else [])],
    }
    return render(request, "places/verify.html", context, status=422 if form.is_bound else 200)


@require_safe
@desk_page(VIEW_PLACES)
def evidence(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The photo of a verification, for the desk alone."""
    found: Verification = get_object_or_404(
        Verification.objects.filter(place__union__path__startswith=request.staff.union.path), public_id=public_id
    )
    if not found.photo:
        raise Http404
    answer = FileResponse(found.photo.open("rb"), content_type="image/jpeg")
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(EXTEND_VOCABULARY)
def words(request: StaffRequest) -> HttpResponseBase:
    """All words that the acting union may use, and adding one."""
    form = WordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_word(request.staff.union, **form.cleaned_data, actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” can be offered now.") % {"name": form.cleaned_data["name_zh"]})
            return redirect("places:words")
    known = services.vocabulary(request.staff.union)
    context = {
        "form": form,
        "own": [kind for kind in known if kind.union_id == request.staff.union_id],
        "inherited": [kind for kind in known if kind.union_id != request.staff.union_id],
    }
    return render(request, "places/words.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(EXTEND_VOCABULARY)
def word(request: StaffRequest, code: str) -> HttpResponseBase:
    """Call an own word something else."""
    found = _own_word(request, code)
    form = WordForm(request.POST or None, initial={"name_zh": found.name_zh, "name_en": found.name_en})
    if request.method == "POST" and form.is_valid():
        try:
            services.rename_word(found, **form.cleaned_data, actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The word was changed."))
            return redirect("places:words")
    return render(request, "places/word.html", {"form": form, "word": found}, status=422 if form.is_bound else 200)


@require_POST
@desk_page(EXTEND_VOCABULARY)
def remove_word(request: StaffRequest, code: str) -> HttpResponseBase:
    """Take an own word back."""
    found = _own_word(request, code)
    try:
        services.remove_word(found, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The word was removed."))
    return redirect("places:words")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(SET_CARE_RULES)
def rules(request: StaffRequest) -> HttpResponseBase:
    """The acting union's rules; what is empty comes from above."""
    union = request.staff.union
    own = CareRules.objects.filter(union=union).first()
    initial = {"verify_months": own.verify_months, "warn_days": own.warn_days} if own else {}
    form = CareRulesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_care_rules(union, **form.cleaned_data, actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The rules hold from now on, here and below."))
            return redirect("places:care_rules")
    context = {
        "form": form,
        "care": CareTree.load().at(union.path),
        "due": queries.verification_due(for_staff=request.staff).count(),
    }
    return render(request, "places/care_rules.html", context, status=422 if form.is_bound else 200)


def _own_word(request: StaffRequest, code: str) -> OfferKind:
    found: OfferKind = get_object_or_404(
        OfferKind.objects.select_related("union"), code=code, union=request.staff.union
    )
    return found
