"""Workers' phones on the desk: find one, block it when it is lost."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from yizhan.benefits.forms_counter import FindWorkerForm
from yizhan.benefits.queries import phones as queries
from yizhan.benefits.services.phones import block
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import SEE_WORKERS


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(SEE_WORKERS)
def phones(request: StaffRequest) -> HttpResponseBase:
    """Who is called by a phone or identity number, and the phones that show their codes.

    Asked by POST, so that numbers stand in no address and no log; the worker's own identifier may stand in one.
    """
    form = FindWorkerForm(request.POST or None)
    worker = None
    if request.method == "POST" and form.is_valid():
        worker = queries.worker_to_help(form.cleaned_data["worker"], for_staff=request.staff)
        if worker is None:
            message = _("No worker of your union and below is found by this.")
            RuleBroken.at("worker", None, message, "unknown").show_on(form)
    elif "worker" in request.GET:
        worker = queries.worker_to_help(request.GET["worker"], for_staff=request.staff)
    return render(
        request,
        "benefits/phones/list.html",
        {"form": form, "worker": worker, "phones": queries.phones_of(worker) if worker else []},
        status=422 if form.is_bound and worker is None else 200,
    )


@require_POST
@desk_page(SEE_WORKERS)
def block_workers_phone(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A worker says that it is lost."""
    phone = get_object_or_404(queries.phones(for_staff=request.staff), public_id=public_id)
    block(phone, actor=request.staff)
    messages.success(request, _("The phone shows no more codes; its worker can set it up anew."))
    return HttpResponseRedirect(reverse("benefits:worker_phones") + "?" + urlencode({"worker": phone.worker.public_id}))
