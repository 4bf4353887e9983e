"""The inbox."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.queries import inbox as queries
from yizhan.unions.services import inbox as services


@require_safe
@desk_page()
def inbox(request: StaffRequest) -> HttpResponseBase:
    """Messages to the acting post; `?show=unread` narrows."""
    unread_only = request.GET.get("show") == "unread"
    found = queries.messages(for_staff=request.staff, unread_only=unread_only)
    return render(
        request,
        "unions/inbox.html",
        {
            "page": Paginator(found, 30).get_page(request.GET.get("page")),
            "unread_only": unread_only,
            "unread_count": queries.unread_count(for_staff=request.staff),
        },
    )


@require_safe
@desk_page()
def message(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One message; opening it reads it."""
    found = get_object_or_404(queries.messages(for_staff=request.staff), public_id=public_id)
    services.mark_read(reader=request.staff, public_ids=[found.public_id])
    return render(request, "unions/message.html", {"message_": found})


@require_POST
@desk_page()
def mark_read(request: StaffRequest) -> HttpResponseBase:
    """Mark all as read."""
    services.mark_read(reader=request.staff)
    return redirect("unions:inbox")
