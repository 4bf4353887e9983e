"""Cases as a list to take home. Telephone numbers stay masked; confidential rows only come with their circle."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from import_export.fields import Field

from yizhan.unions.exports import ListResource
from yizhan.unions.personal_data import mask_phone

from .clocks import last_day
from .kinds import title_of
from .models import Case
from .queries.desk import due_of


class CaseResource(ListResource):
    """A case as a row."""

    number = Field(attribute="number", column_name=pgettext_lazy("order", "Number"))
    kind = Field(column_name=gettext_lazy("Kind"))
    title = Field(attribute="heading", column_name=gettext_lazy("What it is about"))
    text = Field(column_name=gettext_lazy("Text"))
    state = Field(column_name=gettext_lazy("State"))
    union = Field(attribute="union__name", column_name=gettext_lazy("Union"))
    handler = Field(column_name=gettext_lazy("Handler"))
    source = Field(column_name=gettext_lazy("How it came in"))
    hotline_number = Field(attribute="hotline_number", column_name=gettext_lazy("Number of the hotline's order"))
    person = Field(column_name=gettext_lazy("Whose"))
    phone = Field(column_name=gettext_lazy("Phone (masked)"))
    place = Field(attribute="place__name", column_name=gettext_lazy("Station"))
    submitted_at = Field(attribute="submitted_at", column_name=gettext_lazy("Brought at"))
    due = Field(column_name=gettext_lazy("Due by"))
    answered_at = Field(attribute="answered_at", column_name=gettext_lazy("First answer at"))
    closed_at = Field(attribute="closed_at", column_name=gettext_lazy("Closed at"))
    late = Field(column_name=gettext_lazy("Was late"))
    times_reopened = Field(attribute="times_reopened", column_name=gettext_lazy("Reopened"))
    stars = Field(attribute="stars", column_name=gettext_lazy("Stars"))

    def dehydrate_kind(self, case: Case) -> str:
        """In the reader's language."""
        return title_of(case.kind)

    def dehydrate_text(self, case: Case) -> str:
        """Also of a confidential case: the row is here only for its circle."""
        return str(case.opened["text"])

    def dehydrate_state(self, case: Case) -> str:
        """In the reader's language."""
        return case.get_state_display()

    def dehydrate_source(self, case: Case) -> str:
        """In the reader's language."""
        return case.get_source_display()

    def dehydrate_handler(self, case: Case) -> str:
        """The person."""
        return str(case.handler.user) if case.handler else ""

    def dehydrate_person(self, case: Case) -> str:
        """Whoever brought it."""
        return case.worker.user.name if case.worker else case.contact_name

    def dehydrate_phone(self, case: Case) -> str:
        """As much of it as a screen shows."""
        return case.worker.user.masked_phone if case.worker else mask_phone(case.contact_phone)

    def dehydrate_due(self, case: Case) -> str:
        """The last day; empty when nothing is owed."""
        due = due_of(case)
        return last_day(due).isoformat() if due else ""

    def dehydrate_late(self, case: Case) -> str:
        """Yes or no."""
        return _("yes") if case.was_late else _("no")
