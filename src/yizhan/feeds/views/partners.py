"""Partners: who they are, how they are reached, and what is done about them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.feeds.models import Carrier, Partner, PushOutcome, Signing
from yizhan.feeds.partner_forms import PartnerForm, initial_of, initial_of_partner
from yizhan.feeds.presets import PRESETS
from yizhan.feeds.pushing.files import ssh_public_key
from yizhan.feeds.queries import partners as queries
from yizhan.feeds.rights import MANAGE_PARTNERS, RECONCILE, VIEW_PARTNERS
from yizhan.feeds.services import partners as services
from yizhan.feeds.services.testing import test_partner
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import policy
from yizhan.unions.webhooks.signing import public_key

TONES = {PushOutcome.TAKEN: "good", PushOutcome.FAILED: "bad", PushOutcome.REFUSED: "warn"}


@require_safe
@desk_page(VIEW_PARTNERS)
def partners(request: StaffRequest) -> HttpResponseBase:
    """All partners at and below the acting union, each with how far it is."""
    page = Paginator(queries.partners(for_staff=request.staff), 50).get_page(request.GET.get("page"))
    figures = queries.figures_by_partner(for_staff=request.staff)
    rows = [
        {
            "partner": partner,
            "figures": figures.get(partner.pk, queries.Figures()),
            "preset": _preset_label(partner),
            "state": _state(partner),
        }
        for partner in page
    ]
    return render(
        request,
        "feeds/partners/list.html",
        {"page": page, "rows": rows, "may_manage": policy.holds(request.staff, MANAGE_PARTNERS)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@desk_page(MANAGE_PARTNERS)
def create(request: StaffRequest) -> HttpResponseBase:
    """A new partner: choose what it is, then say how it is reached; shows its key once."""
    preset = PRESETS.get(request.GET.get("preset", ""))
    if preset is None:
        return render(request, "feeds/partners/choose.html", {"presets": list(PRESETS.values())})
    form = PartnerForm(
        request.POST or None, initial={"union": request.staff.union.name, **initial_of(preset)}, is_new=True
    )
    if request.method == "POST" and form.is_valid():
        try:
            union = union_called(form.cleaned_data["union"], field="union", below=request.staff.union)
            made = services.create_partner(
                staff=request.staff,
                union=union,
                preset=preset.code,
                facts=form.facts(union=union),
                is_simulated=form.cleaned_data["is_simulated"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return render(request, "feeds/partners/key.html", {"made": made, "is_new": True})
    return render(
        request,
        "feeds/partners/form.html",
        {"form": form, "preset": preset},
        status=422 if form.is_bound and form.errors else 200,
    )


@require_safe
@desk_page(VIEW_PARTNERS)
def partner(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One partner: how it is reached, how far it is, what happened last."""
    found = partner_of(request, public_id)
    may_manage = policy.holds(request.staff, MANAGE_PARTNERS)
    preset = PRESETS.get(found.preset)
    return render(
        request,
        "feeds/partners/partner.html",
        {
            "partner": found,
            "preset": preset,
            "preset_label": _preset_label(found),
            "state": _state(found),
            "figures": queries.figures_by_partner(for_staff=request.staff).get(found.pk, queries.Figures()),
            "filters": _filters(found),
            "pushes": [
                {"push": push, "tone": TONES[PushOutcome(push.outcome)]}
                for push in queries.pushes(for_staff=request.staff).filter(partner=found)[:10]
            ],
            "may_manage": may_manage,
            "may_reconcile": policy.holds(request.staff, RECONCILE),
            "signs": found.carrier == Carrier.WEBHOOK,
            "public_key": public_key(found.secret)
            if found.carrier == Carrier.WEBHOOK and found.signing == Signing.ED25519 and found.secret
            else "",
            "ssh_key": ssh_public_key(found.private_key) if found.carrier == Carrier.SFTP and found.private_key else "",
            "is_platform": found.carrier == Carrier.PLATFORM,
            "sends": found.carrier != Carrier.NONE,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@desk_page(MANAGE_PARTNERS)
def change(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change what is said of a partner; a new signing secret is shown once."""
    found = partner_of(request, public_id)
    form = PartnerForm(request.POST or None, initial=initial_of_partner(found), is_new=False)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.change_partner(staff=request.staff, partner=found, facts=form.facts(union=found.union))
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            if made is not None:
                return render(request, "feeds/partners/key.html", {"made": made})
            messages.success(request, _("The change holds from now on."))
            return redirect("feeds:partner", found.public_id)
    return render(
        request,
        "feeds/partners/form.html",
        {"form": form, "partner": found, "preset": PRESETS.get(found.preset)},
        status=422 if form.is_bound and form.errors else 200,
    )


@require_POST
@never_cache
@desk_page(MANAGE_PARTNERS)
def rotate_key(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A new key, shown once; the present one goes on for a week."""
    made = services.rotate_key(staff=request.staff, partner=partner_of(request, public_id))
    return render(request, "feeds/partners/key.html", {"made": made})


@require_POST
@never_cache
@desk_page(MANAGE_PARTNERS)
def rotate_secret(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A new signing secret, shown once."""
    found = partner_of(request, public_id)
    try:
        made = services.rotate_secret(staff=request.staff, partner=found)
    except RuleBroken as broken:
        return _told(request, found, broken)
    return render(request, "feeds/partners/key.html", {"made": made})


@require_POST
@desk_page(MANAGE_PARTNERS)
def pause(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Send nothing for the time being."""
    found = services.pause(staff=request.staff, partner=partner_of(request, public_id))
    messages.success(request, _("Nothing is sent until you let it go on. What changes waits."))
    return redirect("feeds:partner", found.public_id)


@require_POST
@desk_page(MANAGE_PARTNERS)
def resume(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Send again."""
    found = services.resume(staff=request.staff, partner=partner_of(request, public_id))
    messages.success(request, _("What waits goes now."))
    return redirect("feeds:partner", found.public_id)


@require_POST
@desk_page(MANAGE_PARTNERS)
def send_everything(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Send all that it is to show once more."""
    found = partner_of(request, public_id)
    count = services.send_everything(staff=request.staff, partner=found)
    messages.success(
        request, ngettext("%(n)d place goes once more.", "%(n)d places go once more.", count) % {"n": count}
    )
    return redirect("feeds:partner", found.public_id)


@require_POST
@desk_page(MANAGE_PARTNERS)
def replay(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Send dead letters again: all of a partner, or one."""
    found = partner_of(request, public_id)
    one = request.POST.get("listing", "")
    listings = None
    if one:
        try:
            listings = [UUID(one)]
        except ValueError:
            listings = []
    count = services.replay_dead_letters(staff=request.staff, partner=found, listings=listings)
    messages.success(
        request, ngettext("%(n)d dead letter goes again.", "%(n)d dead letters go again.", count) % {"n": count}
    )
    return redirect("feeds:dead_letters")


@require_POST
@desk_page(MANAGE_PARTNERS)
def test(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Really send something, and tell what came back."""
    found = partner_of(request, public_id)
    try:
        answer = test_partner(staff=request.staff, partner=found)
    except RuleBroken as broken:
        return _told(request, found, broken)
    if answer.is_taken:
        messages.success(request, _("It was taken: %(answer)s") % {"answer": answer.words})
    else:
        messages.error(request, _("It was not taken: %(answer)s") % {"answer": answer.words})
    return redirect("feeds:partner", found.public_id)


def partner_of(request: StaffRequest, public_id: UUID) -> Partner:
    """A partner that the acting staff may see, or 404."""
    found: Partner = get_object_or_404(queries.partners(for_staff=request.staff), public_id=public_id)
    return found


def _told(request: StaffRequest, found: Partner, broken: RuleBroken) -> HttpResponseBase:
    messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    return redirect(reverse("feeds:partner", args=[found.public_id]))


def _preset_label(partner: Partner) -> str:
    preset = PRESETS.get(partner.preset)
    return str(preset.label) if preset else partner.preset


def _state(partner: Partner) -> tuple[str, str]:
    """Tone and words."""
    if partner.carrier == Carrier.NONE:
        return "neutral", _("Reads itself")
    if partner.is_paused:
        return "warn", _("Paused")
    if not partner.is_ready:
        return "warn", _("Not set up yet")
    if partner.is_cut_off:
        return "bad", _("Cut off: only probed")
    if partner.failures:
        return "warn", _("Failing")
    return "good", _("In order")


def _filters(partner: Partner) -> list[str]:
    """In words; empty: all places."""
    words = [
        str(dict(partner._meta.get_field("kinds").base_field.flatchoices).get(kind, kind)) for kind in partner.kinds
    ]
    return [*words, *(union.name for union in partner.unions.all()), *partner.areas]
