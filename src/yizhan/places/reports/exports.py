"""Reports and visits as lists to take home. What reporters wrote stays here: it may name people."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from import_export.fields import Field

from yizhan.places.models import EventKind, PlateVisits, Report
from yizhan.unions.exports import ListResource

from .deadlines import last_day


class ReportResource(ListResource):
    """A report as a row."""

    place = Field(attribute="place__name", column_name=gettext_lazy("Place"))
    union = Field(attribute="place__union__name", column_name=gettext_lazy("Union"))
    kind = Field(column_name=gettext_lazy("What is wrong"))
    state = Field(column_name=gettext_lazy("Status"))
    opened_at = Field(attribute="opened_at", column_name=gettext_lazy("Reported at"))
    told = Field(attribute="told", column_name=gettext_lazy("Reported by how many"))
    until = Field(column_name=gettext_lazy("Answer due by"))
    overdue = Field(column_name=gettext_lazy("Overdue"))
    answer = Field(column_name=gettext_lazy("Answer"))
    answer_words = Field(attribute="answer_words", column_name=gettext_lazy("Words of the answer"))
    answered_at = Field(attribute="answered_at", column_name=gettext_lazy("Answered at"))

    def dehydrate_kind(self, report: Report) -> str:
        """In the reader's language."""
        return report.get_kind_display()

    def dehydrate_state(self, report: Report) -> str:
        """In the reader's language."""
        return report.get_state_display()

    def dehydrate_until(self, report: Report) -> str:
        """The last day; empty when nothing is owed."""
        due = report.due  # type: ignore[attr-defined]
        return last_day(due).isoformat() if due else ""

    def dehydrate_overdue(self, report: Report) -> str:
        """Yes or no."""
        due = report.due  # type: ignore[attr-defined]
        return _("yes") if due and due <= timezone.now() else _("no")

    def dehydrate_answer(self, report: Report) -> str:
        """In the reader's language."""
        answer = report.answer  # type: ignore[attr-defined]
        return str(EventKind(answer).label) if answer else ""


class VisitsResource(ListResource):
    """The visits of one plate on one day."""

    day = Field(column_name=gettext_lazy("Day"))
    place = Field(attribute="plate__place__name", column_name=gettext_lazy("Place"))
    union = Field(attribute="plate__place__union__name", column_name=gettext_lazy("Union"))
    code = Field(attribute="plate__code", column_name=gettext_lazy("Plate"))
    count = Field(attribute="count", column_name=pgettext_lazy("plate", "Visits"))

    def dehydrate_day(self, visits: PlateVisits) -> str:
        """As a date."""
        return visits.day.isoformat()
