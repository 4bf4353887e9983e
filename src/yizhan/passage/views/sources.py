"""Who may send pings."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.passage.forms import RateForm, SourceForm, WebhookForm
from yizhan.passage.models import PingSource
from yizhan.passage.queries import sources as queries
from yizhan.passage.rights import MANAGE_SOURCES
from yizhan.passage.services import sources as services
from yizhan.passage.services import webhooks
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.queries.tree import union_called


@require_safe
@desk_page(MANAGE_SOURCES)
def sources(request: StaffRequest) -> HttpResponseBase:
    """All sources at and below the acting union."""
    found = queries.sources(for_staff=request.staff)
    return render(request, "passage/sources.html", {"page": Paginator(found, 50).get_page(request.GET.get("page"))})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@desk_page(MANAGE_SOURCES)
def create(request: StaffRequest) -> HttpResponseBase:
    """A new source; shows its key once."""
    form = SourceForm(request.POST or None, initial={"union": request.staff.union.name})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_source(
                staff=request.staff,
                union=union_called(form.cleaned_data["union"], field="union", below=request.staff.union),
                name=form.cleaned_data["name"],
                is_simulated=form.cleaned_data["is_simulated"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return render(request, "passage/source_key.html", {"made": made})
    return render(request, "passage/source_form.html", {"form": form})


@require_safe
@desk_page(MANAGE_SOURCES)
def source(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One source: what it may do."""
    return _show(request, _source(request, public_id))


@require_POST
@desk_page(MANAGE_SOURCES)
def limit(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change how many pings it may send."""
    found, form = _source(request, public_id), RateForm(request.POST)
    if form.is_valid():
        services.limit_source(staff=request.staff, source=found, pings_per_second=form.cleaned_data["pings_per_second"])
        messages.success(request, _("The limit holds from now on."))
        return redirect("passage:source", found.public_id)
    return _show(request, found, rate=form)


@require_POST
@never_cache
@desk_page(MANAGE_SOURCES)
def webhook(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change where its reminders are delivered to; the first address comes with a secret, shown once."""
    found, form = _source(request, public_id), WebhookForm(request.POST)
    if form.is_valid():
        try:
            made = webhooks.set_webhook(staff=request.staff, source=found, url=form.cleaned_data["webhook_url"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            if made:
                return render(request, "passage/webhook_secret.html", {"made": made})
            messages.success(request, _("The address holds from now on."))
            return redirect("passage:source", found.public_id)
    return _show(request, found, webhook=form)


@require_POST
@never_cache
@desk_page(MANAGE_SOURCES)
def rotate_secret(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A new signing secret, shown once."""
    made = webhooks.rotate_webhook_secret(staff=request.staff, source=_source(request, public_id))
    return render(request, "passage/webhook_secret.html", {"made": made, "again": True})


@require_POST
@desk_page(MANAGE_SOURCES)
def send_again(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let dead letters wait for delivery anew."""
    found = _source(request, public_id)
    try:
        count = webhooks.send_again(staff=request.staff, source=found)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    else:
        messages.success(request, _("%(count)s reminders wait for delivery again.") % {"count": count})
    return redirect("passage:source", found.public_id)


@require_POST
@never_cache
@desk_page(MANAGE_SOURCES)
def rotate(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A new key, shown once."""
    made = services.rotate_key(staff=request.staff, source=_source(request, public_id))
    return render(request, "passage/source_key.html", {"made": made, "again": True})


@require_POST
@desk_page(MANAGE_SOURCES)
def revoke(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take no more pings."""
    services.revoke_source(staff=request.staff, source=_source(request, public_id))
    messages.success(request, _("The source has been revoked: its pings are refused from now on."))
    return redirect("passage:sources")


def _show(
    request: StaffRequest, found: PingSource, *, rate: RateForm | None = None, webhook: WebhookForm | None = None
) -> HttpResponseBase:
    return render(
        request,
        "passage/source.html",
        {
            "source": found,
            "rate": rate or RateForm(initial={"pings_per_second": found.pings_per_second}),
            "webhook": webhook or WebhookForm(initial={"webhook_url": found.webhook_url}),
            "deliveries": queries.deliveries(for_staff=request.staff, source=found),
        },
    )


def _source(request: StaffRequest, public_id: UUID) -> PingSource:
    found: PingSource = get_object_or_404(queries.sources(for_staff=request.staff), public_id=public_id)
    return found
