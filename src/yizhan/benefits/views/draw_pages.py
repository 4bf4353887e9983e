"""Draws for workers: enter, and see what came of it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from yizhan.benefits.queries.draws import draw_for, draws_for
from yizhan.benefits.services.lotteries import enter
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Worker

from .worker_pages import worker_page


@require_safe
@worker_page
def draws(request: HttpRequest, worker: Worker) -> HttpResponseBase:
    """All draws that are for this worker."""
    return render(request, "benefits/worker/draws.html", {"draws": draws_for(worker)})


@require_POST
@worker_page
def enter_draw(request: HttpRequest, worker: Worker, public_id: UUID) -> HttpResponseBase:
    """Take part; whoever takes part already keeps their ticket."""
    draw = draw_for(worker, public_id)
    if draw is None:
        raise Http404(_("There is no such draw for you."))
    try:
        enter(draw.lottery, worker=worker)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("You take part. The lots are drawn after entries close; the result appears here."))
    return redirect("benefits:draws")
