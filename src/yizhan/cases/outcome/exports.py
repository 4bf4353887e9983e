"""The figures as a sheet to take home: the lines, then all of it in one."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from import_export.fields import Field

from yizhan.unions.exports import ListResource

from .figures import Line

COLUMNS: dict[str, Any] = {
    "visits": _("Visits"),
    "people": _("People reached"),
    "people_named": _("Met by name"),
    "people_counted": _("Only counted"),
    "needs_heard": _("Needs heard"),
    "brought": _("Cases brought"),
    "open": _("Open"),
    "closed": _("Closed"),
    "solved": _("Solved at the first go"),
    "on_time": _("On time"),
    "late": _("Late at least once"),
    "reopened": _("Reopened"),
    "rated": _("With a verdict"),
    "satisfaction": _("Satisfaction (1 to 5)"),
}


class OutcomeResource(ListResource):
    """A line as a row."""

    label = Field(attribute="label", column_name=pgettext_lazy("breakdown", "By"))

    def get_export_fields(self, selected_fields: Any = None) -> list[Field]:
        """The label, then every figure."""
        del selected_fields
        figures = [Field(attribute=name, column_name=title) for name, title in COLUMNS.items()]
        return [self.fields["label"], *figures]

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        """What each column is called."""
        return [str(field.column_name) for field in self.get_export_fields(selected_fields)]

    def export_field(self, field: Field, instance: Line, **options: Any) -> Any:
        """A figure as a number; empty where it does not apply."""
        if field.attribute == "label":
            return super().export_field(field, instance, **options)
        return instance.figures[str(field.attribute)]
