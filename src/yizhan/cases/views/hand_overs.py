"""Hand-overs, coverage, and the worker's own contacts."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases import outreach_actions as actions
from yizhan.cases.forms.links import AnswerForm, HandOverForm, MessageForm
from yizhan.cases.ledger.queries import ownerless_tasks
from yizhan.cases.links import coverage as gaps
from yizhan.cases.links import queries
from yizhan.cases.links.exports import CoverageResource
from yizhan.cases.models import HandOver, HandOverState
from yizhan.cases.outreach_rights import ASSIGN_LINKS, HOLD_LINKS, VIEW_COVERAGE, VIEW_LINKS
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.services import hand_overs as services
from yizhan.cases.services.links import write_message
from yizhan.cases.visits.queries import ownerless_rounds
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.identity import new_public_id
from yizhan.unions.models import Staff, User
from yizhan.unions.queries import people
from yizhan.unions.rights import policy

from .links import told

_PER_PAGE = 50


@require_safe
@desk_page(VIEW_LINKS)
def hand_overs(request: StaffRequest) -> HttpResponseBase:
    """What is on its way, and what has no owner because a post ended."""
    staff = request.staff
    page = Paginator(queries.hand_overs(for_staff=staff), _PER_PAGE).get_page(request.GET.get("page"))
    left: dict[int, tuple[Staff, int]] = {}
    for link in queries.ownerless(for_staff=staff):
        left[link.post_id] = (link.post, left.get(link.post_id, (link.post, 0))[1] + 1)
    return render(
        request,
        "cases/links/hand_overs.html",
        {
            "page": page,
            "left": list(left.values()),
            "left_tasks": ownerless_tasks(for_staff=staff)[:100],
            "left_rounds": ownerless_rounds(for_staff=staff, today=timezone.localdate()),
            "posts": queries.posts_that_may_hold(for_staff=staff),
            "staff": staff,
            "may_assign": policy.holds(staff, ASSIGN_LINKS),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(HOLD_LINKS)
def new_hand_over(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Offer links of one post to another."""
    from_post: Staff = get_object_or_404(people.posts(for_staff=request.staff), public_id=public_id)
    if from_post.pk != request.staff.pk:
        policy.require(request.staff, ASSIGN_LINKS, from_post.union)
    form = HandOverForm(request.POST if request.method == "POST" else None, staff=request.staff, from_post=from_post)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            made = services.offer_links(
                actor=request.staff,
                from_post=from_post,
                to_post=chosen["to_post"],
                links=list(chosen["links"]),
                reason=chosen["reason"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Offered. Nothing moves until your colleague accepts."))
            return redirect(made)
    return render(
        request,
        "cases/links/new_hand_over.html",
        {"form": form, "from_post": from_post},
        status=422 if form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(VIEW_LINKS)
def hand_over(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One hand-over; its receiver answers here, its giver takes it back."""
    found: HandOver = get_object_or_404(queries.hand_overs(for_staff=request.staff), public_id=public_id)
    staff = request.staff
    if request.method == "POST":
        policy.require(staff, HOLD_LINKS, staff.union)
        form = AnswerForm(request.POST)
        answer = form.cleaned_data["answer"] if form.is_valid() else ""
        match request.POST.get("step"):
            case "accept":
                told(
                    request,
                    lambda: services.accept(actor=staff, hand_over=found),
                    _("These links are yours now."),
                )
            case "refuse":
                told(
                    request,
                    lambda: services.refuse(actor=staff, hand_over=found, answer=answer),
                    _("Refused; the links stay where they are."),
                )
            case "withdraw":
                told(
                    request,
                    lambda: services.withdraw(actor=staff, hand_over=found),
                    _("Taken back; the links stay where they are."),
                )
            case _other:
                messages.error(request, _("Choose what to do."))
        return redirect(found)
    waits = found.state == HandOverState.PENDING
    gives = found.from_post_id == staff.pk or policy.allows(staff, ASSIGN_LINKS, found.from_post.union)
    return render(
        request,
        "cases/links/hand_over.html",
        {
            "hand_over": found,
            "items": queries.items_of(found),
            "form": AnswerForm(),
            "may_answer": waits and found.to_post_id == staff.pk,
            "may_withdraw": waits and gives,
        },
    )


@require_safe
@desk_page(VIEW_COVERAGE)
def coverage(request: StaffRequest) -> HttpResponseBase:
    """Where contacts are missing."""
    staff = request.staff
    sees_workers = policy.holds(staff, VIEW_LINKS)
    missing = gaps.without_contact(for_staff=staff) if sees_workers else None
    counted = gaps.coverage_lately(for_staff=staff)
    page = None
    if missing is not None:
        paginator = KeysFirst(missing, _PER_PAGE)
        paginator.count = counted.total.missing  # counted already
        page = paginator.get_page(request.GET.get("page"))
    if page and page.object_list:
        details = {"shown": len(page.object_list), "page": page.number}
        record(staff, actions.LINKS_LISTED, union=staff.union, details=details)
    return render(
        request,
        "cases/links/coverage.html",
        {
            "total": counted.total,
            "tables": [
                (_("By union"), counted.by_union, True),
                (_("By occupation"), counted.by_occupation, False),
                (_("By platform or company"), counted.by_company, False),
            ],
            "page": page,
        },
    )


@require_safe
@desk_page(VIEW_COVERAGE)
@transaction.atomic
def export_coverage(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same numbers as a spreadsheet."""
    staff = request.staff
    counted = gaps.coverage(for_staff=staff)
    parts = [
        (_("All"), [counted.total]),
        (_("Union"), counted.by_union),
        (_("Occupation"), counted.by_occupation),
        (_("Platform or company"), counted.by_company),
    ]
    rows = [
        SimpleNamespace(
            by=by,
            name=gap.name or _("Not said"),
            workers=gap.workers,
            linked=gap.linked,
            missing=gap.missing,
            percent=gap.percent,
            units=gap.units,
            units_linked=gap.units_linked,
        )
        for by, found in parts
        for gap in found
    ]
    response, count = spreadsheet(CoverageResource(), rows, form=form, name="coverage")
    record(staff, actions.COVERAGE_EXPORTED, union=staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_safe
@never_cache
@login_required
def my_contacts(request: HttpRequest) -> HttpResponseBase:
    """The worker's page: who my contact at the union is, and how to reach them."""
    return _contacts(request)


@require_POST
@never_cache
@login_required
def write_to_contact(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """A message of the worker."""
    user = request.user
    worker = people.worker_of(user) if isinstance(user, User) else None
    if worker is None or not isinstance(user, User):
        raise Http404
    link = next((each.link for each in queries.contacts_of(worker) if each.link.public_id == public_id), None)
    if link is None:
        raise Http404
    form = MessageForm(request.POST)
    if form.is_valid():
        try:
            write_message(actor=user, link=link, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Sent. The answer will stand here."))
            return redirect("cases:my_contacts")
    return _contacts(request, wrong={link.public_id: form}, status=422)


def _contacts(
    request: HttpRequest, *, wrong: dict[UUID, MessageForm] | None = None, status: int = 200
) -> HttpResponseBase:
    user = request.user
    worker = people.worker_of(user) if isinstance(user, User) else None
    contacts = queries.contacts_of(worker) if worker else []
    forms = wrong or {}
    return render(
        request,
        "cases/my_contacts.html",
        {
            "worker": worker,
            "contacts": [
                (
                    contact,
                    forms.get(contact.link.public_id)
                    or MessageForm(initial={"request_id": new_public_id()}, auto_id=f"m{number}_%s"),
                )
                for number, contact in enumerate(contacts)
            ],
        },
        status=status,
    )
