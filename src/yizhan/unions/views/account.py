"""What people see and say of themselves; in which post they act."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.forms import AccountForm, WorkerForm
from yizhan.unions.models import Occupation, User, Worker
from yizhan.unions.queries.people import posts_of, worker_of
from yizhan.unions.queries.tree import union_called
from yizhan.unions.services import people, workers


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponseBase:
    """The signed-in person's own page."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101
    worker = worker_of(user)
    initial: dict[str, Any] = {"name": user.name, "language": user.language}
    form: AccountForm
    if worker is None:
        form = AccountForm(request.POST or None, initial=initial)
    else:
        initial |= {
            "occupation": worker.occupation,
            "platform_company": worker.platform_company,
            "union": (worker.union.division_code or worker.union.name) if worker.union else "",
        }
        form = WorkerForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            _save(user, worker, form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Saved."))
            return redirect("unions:account")
    return render(
        request,
        "unions/account.html",
        {"form": form, "worker": worker, "has_password": user.has_usable_password()},
    )


@transaction.atomic
def _save(user: User, worker: Worker | None, said: dict[str, Any]) -> None:
    # The form shows all there is, so that what it leaves empty is meant so; only the identity number is never shown.
    people.update_person(user=user, name=said["name"], language=said["language"])
    if worker is not None:
        workers.update_worker(
            actor=user,
            worker=worker,
            union=union_called(said["union"], field="union") if said["union"] else None,
            occupation=Occupation(said["occupation"]) if said["occupation"] else None,
            platform_company=said["platform_company"],
            identity_number=said["identity_number"] or None,
            leave_union=not said["union"],
            forget_occupation=not said["occupation"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page()
def choose_post(request: StaffRequest) -> HttpResponseBase:
    """In which of their posts the person goes on."""
    posts = posts_of(request.staff)
    if request.method == "POST":
        chosen = next((post for post in posts if str(post.public_id) == request.POST.get("post")), None)
        if chosen is None:
            raise Http404
        request.session["acting_post"] = str(chosen.public_id)
        record(chosen, actions.POST_CHOSEN, union=chosen.union, target=chosen)
        messages.success(request, _("You now act for %(union)s.") % {"union": chosen.union.name})
        return redirect("web:desk")
    return render(request, "unions/choose_post.html", {"posts": posts})
