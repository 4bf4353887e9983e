"""The worker's own reminders: judged on the phone, told to nobody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yizhan.passage.vapid import public_key
from yizhan.places.models import OfferKind


@require_safe
def passing(request: HttpRequest) -> HttpResponse:
    """The switch, what it does, and the reminders of today. The same for everyone: nothing of the phone is here."""
    kinds = OfferKind.objects.filter(union=None).order_by("code")
    return render(request, "passage/passing.html", {"services": kinds, "push_key": public_key()})
