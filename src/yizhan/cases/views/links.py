"""Links on the desk: who is whose contact, how far targets are reached, and hand-overs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases import outreach_actions as actions
from yizhan.cases.forms.links import AnswerForm, CardForm, CountForm, MessageForm, NewLinkForm, ReasonForm, TargetForm
from yizhan.cases.links import queries
from yizhan.cases.links.exports import LinkResource
from yizhan.cases.links.filters import LinkFilter
from yizhan.cases.models import Link, LinkKind, LinkTarget
from yizhan.cases.outreach_rights import ASSIGN_LINKS, HOLD_LINKS, SET_LINK_TARGETS, VIEW_LINKS
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.services import links as services
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.identity import new_public_id
from yizhan.unions.models import Worker
from yizhan.unions.personal_data import show_phone
from yizhan.unions.queries import people
from yizhan.unions.queries.numbers import numbers_of
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import policy

_PER_PAGE = 50


def told(request: StaffRequest, act: Callable[[], object], success: str) -> bool:
    """Do it; say that it was done, or why not, above the next page."""
    try:
        act()
    except RuleBroken as broken:
        for problem in broken.problems:
            messages.error(request, str(problem.message))
        return False
    messages.success(request, success)
    return True


@require_safe
@desk_page(VIEW_LINKS)
def links(request: StaffRequest) -> HttpResponseBase:
    """Links of the acting union and below; looking them through is recorded, since they name workers."""
    staff = request.staff
    narrowed = LinkFilter(request.GET, queryset=queries.links(for_staff=staff))
    paginator = KeysFirst(narrowed.qs, _PER_PAGE)
    ownerless, waiting = numbers_of(staff, queries.ownerless(for_staff=staff), queries.waiting_for(staff))
    page = paginator.get_page(request.GET.get("page"))
    if page.object_list:
        details = {"shown": len(page.object_list), "page": page.number}
        record(staff, actions.LINKS_LISTED, union=staff.union, details=details)
    (mine,) = queries.progress([staff])
    return render(
        request,
        "cases/links/list.html",
        {
            "filter": narrowed,
            "page": page,
            "mine": mine,
            "contacts": queries.contacts_of_union(for_staff=staff),
            "ownerless": ownerless,
            "waiting": waiting,
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_hold": policy.holds(staff, HOLD_LINKS),
        },
    )


@require_safe
@desk_page(VIEW_LINKS)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded."""
    narrowed = LinkFilter(request.GET, queryset=queries.links(for_staff=request.staff))
    response, count = spreadsheet(LinkResource(), narrowed.qs, form=form, name="links")
    record(request.staff, actions.LINKS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(HOLD_LINKS)
def new_link(request: StaffRequest) -> HttpResponseBase:
    """Make oneself, or a colleague, somebody's contact."""
    initial = {"kind": LinkKind.WORKER, "worker": request.GET.get("worker", "")[:60]}
    form = NewLinkForm(request.POST if request.method == "POST" else None, staff=request.staff, initial=initial)
    if request.method == "POST" and form.is_valid():
        told_so = form.cleaned_data
        try:
            link = services.make_link(actor=request.staff, post=told_so["post"], end=_end(request, told_so))
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” has a contact now.") % {"name": link.name})
            return redirect(link)
    return render(request, "cases/links/new.html", {"form": form}, status=422 if form.is_bound else 200)


def _end(request: StaffRequest, told_so: dict[str, Any]) -> services.LinkEnd:
    if told_so["kind"] == LinkKind.UNION:
        return services.LinkEnd(union=union_called(told_so["union"], field="union", below=request.staff.union))
    if told_so["kind"] == LinkKind.WORKER:
        return services.LinkEnd(worker=_worker(request, told_so["worker"]))
    return services.LinkEnd(
        group_name=told_so["group_name"], group_app=told_so["group_app"], group_size=told_so["group_size"]
    )


def _worker(request: StaffRequest, text: str) -> Worker:
    found = list(people.matching(people.workers(for_staff=request.staff), text)[:3]) if text.strip() else []
    exact = [worker for worker in found if str(worker) == text.strip()] or found
    if len(exact) != 1:
        rule = _("Nobody of your union is called so.") if not found else _("Several are called so; give the phone.")
        raise RuleBroken.at("worker", "", rule, "unknown")
    return exact[0]


@require_safe
@desk_page(VIEW_LINKS)
def link(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One link: its ends, what was written, and where it was before."""
    return _page(request, _link_of(request, public_id))


@require_POST
@desk_page(HOLD_LINKS)
def end_link(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """End it, with a reason."""
    found = _link_of(request, public_id)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    told(
        request,
        lambda: services.end_link(actor=request.staff, link=found, reason=reason),
        _("The link has ended; it stays in the history."),
    )
    return redirect(found)


@require_POST
@desk_page(HOLD_LINKS)
def count_group(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Count a group anew."""
    found = _link_of(request, public_id)
    form = CountForm(request.POST)
    size = form.cleaned_data["size"] if form.is_valid() else 0
    told(
        request,
        lambda: services.count_group(actor=request.staff, link=found, size=size),
        _("The number of members was kept."),
    )
    return redirect(found)


@require_POST
@desk_page(HOLD_LINKS)
def write(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Write to the worker."""
    found = _link_of(request, public_id)
    form = MessageForm(request.POST)
    if form.is_valid():
        try:
            services.write_message(actor=request.staff, link=found, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Sent. The worker reads it under “My contact”."))
            return redirect(found)
    return _page(request, found, message_form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(HOLD_LINKS)
def card(request: StaffRequest) -> HttpResponseBase:
    """What my workers see of me."""
    kept = queries.card_of(request.staff)
    initial = {"phone": show_phone(kept.phone), "shows_phone": kept.shows_phone, "hours": kept.hours} if kept else {}
    form = CardForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_card(actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Your card was kept."))
            return redirect("cases:links")
    return render(request, "cases/links/card.html", {"form": form, "kept": kept}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(VIEW_LINKS)
def targets(request: StaffRequest) -> HttpResponseBase:
    """How far each post is, and what the acting union wants."""
    union = request.staff.union
    may_set = policy.allows(request.staff, SET_LINK_TARGETS, union)
    own = LinkTarget.objects.filter(union=union).first()
    initial = {name: getattr(own, name) for name in ("units", "workers", "groups")} if own else {}
    form = TargetForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        policy.require(request.staff, SET_LINK_TARGETS, union)
        if form.is_valid():
            try:
                services.set_target(actor=request.staff, union=union, **form.cleaned_data)
            except RuleBroken as broken:
                broken.show_on(form)
            else:
                messages.success(request, _("The target holds for each post of your union and below."))
                return redirect("cases:link_targets")
    page = Paginator(queries.posts_that_may_hold(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "cases/links/targets.html",
        {"form": form, "page": page, "rows": queries.progress(page), "may_set": may_set, "union": union},
        status=422 if form.is_bound else 200,
    )


def _link_of(request: StaffRequest, public_id: UUID) -> Link:
    found: Link = get_object_or_404(queries.links(for_staff=request.staff), public_id=public_id)
    return found


def _page(
    request: StaffRequest, found: Link, *, message_form: MessageForm | None = None, status: int = 200
) -> HttpResponseBase:
    is_mine = found.post_id == request.staff.pk
    may_change = is_mine or policy.allows(request.staff, ASSIGN_LINKS, found.post.union)
    stands = found.ended_at is None
    return render(
        request,
        "cases/links/link.html",
        {
            "link": found,
            "stands": stands,
            "may_change": may_change and stands,
            # What workers write is between them and their contact: administrators see that there is something.
            "may_read": is_mine and found.kind == LinkKind.WORKER,
            "chat": queries.messages_of(found) if is_mine else [],
            "moves": found.hand_overs.select_related("hand_over__from_post__user", "hand_over__to_post__user").order_by(
                "-pk"
            ),
            "message_form": message_form or MessageForm(initial={"request_id": new_public_id()}),
            "reason_form": ReasonForm(),
            "count_form": CountForm(initial={"size": found.group_size}),
            "answer_form": AnswerForm(),
        },
        status=status,
    )
