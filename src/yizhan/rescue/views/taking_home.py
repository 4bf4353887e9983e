"""A narrowed list as a file that is taken home: counted against the list, and recorded."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from yizhan.rescue.exports import MOST_EXPORTED
from yizhan.unions.audit import Action, record
from yizhan.unions.desk import StaffRequest
from yizhan.unions.exports import ListResource, spreadsheet


@transaction.atomic
def take_home(
    request: StaffRequest,
    resource: ListResource,
    found: QuerySet[Any],
    *,
    form: str,
    name: str,
    recorded_as: Action,
    back: str,
) -> HttpResponseBase:
    """All of `found` as xlsx or CSV, or the way `back` with the reason where there are too many."""
    expected = found.count()
    if expected > MOST_EXPORTED:
        words = _("The list has %(given)d rows; narrow it to at most %(limit)d.")
        messages.error(request, words % {"given": expected, "limit": MOST_EXPORTED})
        return redirect(back)
    response, count = spreadsheet(resource, found, form=form, name=name)
    if count != expected:
        msg = f"{name}: the export holds {count} of {expected} rows"
        raise RuntimeError(msg)
    record(request.staff, recorded_as, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response
