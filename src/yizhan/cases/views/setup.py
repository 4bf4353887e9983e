"""What a union sets: kinds of cases, circles of handlers, QR codes and other systems, the mail digest."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.forms.setup import CircleForm, ClientForm, DigestForm, KindRulesForm
from yizhan.cases.kinds import confidential_codes, house_kinds, kind_of, kinds_of
from yizhan.cases.models import CaseKind, CircleSeat, IntakeCode, MailDigest
from yizhan.cases.models.kinds import DAY_LIMITS
from yizhan.cases.queries import intake as queries
from yizhan.cases.rights import MANAGE_INTAKE, SET_CIRCLE, SET_KINDS, VIEW_CASES
from yizhan.cases.services import kinds as services
from yizhan.places import plates
from yizhan.places.models import Place
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy


@require_safe
@desk_page(VIEW_CASES)
def kinds(request: StaffRequest) -> HttpResponseBase:
    """All kinds as they hold at the acting union."""
    union = request.staff.union
    own = set(CaseKind.objects.filter(union=union).values_list("code", flat=True))
    seats = dict(
        CircleSeat.objects.filter(staff__union=union).values_list("kind").annotate(n=Count("pk")).order_by("kind")
    )
    rows = [(kind, kind.code in own, seats.get(kind.code, 0)) for kind in kinds_of(union).values()]
    context = {"rows": rows, "union": union, "may_set": policy.holds(request.staff, SET_KINDS)}
    return render(request, "cases/kinds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(SET_KINDS)
def kind(request: StaffRequest, code: str) -> HttpResponseBase:
    """The days and fields of one kind, and who handles it when it is confidential."""
    if code not in house_kinds():
        raise Http404
    union = request.staff.union
    row = CaseKind.objects.filter(union=union, code=code).first() or CaseKind(union=union, code=code)
    spec = kind_of(code, union)
    posted = request.POST if request.method == "POST" else None
    form = KindRulesForm(posted, instance=row, kind=spec)
    status = 200
    if posted is not None:
        status = 422
        if form.is_valid():
            told = form.cleaned_data
            values = {name: told[name] for name in (*DAY_LIMITS, "is_offered")} | {"fields": told["fields_text"]}
            try:
                services.set_kind(union, code, values, actor=request.staff)
            except RuleBroken as broken:
                for problem in broken.problems:
                    name = "fields_text" if problem.field == "fields" else problem.field
                    form.add_error(name if name in form.fields else None, f"{problem.value}: {problem.message}")
            else:
                messages.success(request, _("Saved. Open cases follow the new rules."))
                return redirect("cases:kinds")
    circle = CircleForm(staff=request.staff, initial={"posts": _seated(union.pk, code)})
    context = {"form": form, "kind": spec, "union": union, "circle": circle if code in confidential_codes() else None}
    return render(request, "cases/kind.html", context, status=status)


def _seated(union: int, code: str) -> list[UUID]:
    seats = CircleSeat.objects.filter(staff__union=union, kind=code)
    return list(seats.values_list("staff__public_id", flat=True))


@require_POST
@desk_page(SET_CIRCLE)
def circle(request: StaffRequest, code: str) -> HttpResponseBase:
    """Name who handles confidential cases of a kind."""
    form = CircleForm(request.POST, staff=request.staff)
    try:
        if not form.is_valid():
            messages.error(request, _("Choose among the people of your union."))
            return redirect("cases:kinds")
        services.set_circle(request.staff.union, code, form.cleaned_data["posts"], actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("Saved: only they see these cases now."))
    return redirect("cases:kinds")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_INTAKE)
def intake(request: StaffRequest) -> HttpResponseBase:
    """QR codes to print, and other systems that file cases."""
    form = ClientForm(request.POST or None)
    key = ""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _client, key = services.create_client(
                    request.staff.union, name=form.cleaned_data["name"], actor=request.staff
                )
                form, status = ClientForm(), 200
            except RuleBroken as broken:
                broken.show_on(form)
    places = Place.objects.filter(union__path__startswith=request.staff.union.path).order_by("name")
    without = places.filter(intake_codes=None, status="published")[:200]
    context = {
        "codes": list(queries.codes(request.staff)[:500]), "clients": queries.clients(request.staff), "form": form,
        "key": key,
        "places": without, "endpoint": f"{settings.BASE_URL}/open311/v2/", "union": request.staff.union,
    }  # fmt: skip
    return render(request, "cases/intake.html", context, status=status)


@require_POST
@desk_page(MANAGE_INTAKE)
def make_code(request: StaffRequest) -> HttpResponseBase:
    """A code for the union, or for one of its places."""
    place: Place | None = None
    if chosen := request.POST.get("place", ""):
        try:
            place = get_object_or_404(
                Place.objects.filter(union__path__startswith=request.staff.union.path), public_id=UUID(chosen)
            )
        except ValueError:
            raise Http404 from None
    services.intake_code(place.union if place else request.staff.union, place=place, actor=request.staff)
    messages.success(request, _("The code is there; print it below."))
    return redirect("cases:intake")


@require_POST
@desk_page(MANAGE_INTAKE)
def revoke(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let a system file no more."""
    services.revoke_client(get_object_or_404(queries.clients(request.staff), public_id=public_id), actor=request.staff)
    messages.success(request, _("It can file no more cases; what it filed stays."))
    return redirect("cases:intake")


@require_safe
@desk_page(MANAGE_INTAKE)
def code_pdf(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The code as a sheet to print."""
    code = get_object_or_404(queries.codes(request.staff), public_id=public_id)
    content = plates.pdf([_text(code)], size="a5")
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="cases-{code.code}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@desk_page(MANAGE_INTAKE)
def code_svg(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The code to look at."""
    code = get_object_or_404(queries.codes(request.staff), public_id=public_id)
    response = HttpResponse(plates.svg(_text(code)), content_type="image/svg+xml")
    response["Cache-Control"] = "private, no-store"
    return response


def _text(code: IntakeCode) -> plates.PlateText:
    address = settings.BASE_URL + reverse("cases:at_code", args=[code.code])
    name = code.place.name if code.place else _("Tell your union what you need")
    return plates.PlateText(place=name, union=code.union.name, url=address)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(VIEW_CASES)
def digest(request: StaffRequest) -> HttpResponseBase:
    """Where the daily list goes."""
    held = MailDigest.objects.filter(staff=request.staff).first()
    form = DigestForm(
        request.POST if request.method == "POST" else None, initial={"address": held.address if held else ""}
    )
    if request.method == "POST" and form.is_valid():
        services.set_digest(request.staff, form.cleaned_data["address"])
        messages.success(request, _("Saved."))
        return redirect("cases:digest")
    return render(request, "cases/digest.html", {"form": form, "held": held}, status=422 if form.is_bound else 200)
