"""Programmes to take home."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from import_export.fields import Field

from yizhan.benefits.models import Programme
from yizhan.unions.exports import ListResource


class ProgrammeResource(ListResource):
    """A programme as a row."""

    name = Field(attribute="name", column_name=_("Name"))
    union = Field(attribute="union__name", column_name=_("Union"))
    kind = Field(column_name=_("Kind"))
    state = Field(column_name=_("State"))
    starts_on = Field(attribute="starts_on", column_name=_("First day"))
    ends_on = Field(attribute="ends_on", column_name=_("Last day"))
    places = Field(attribute="places_count", column_name=_("Merchants"))
    quota_day = Field(attribute="quota_day", column_name=_("Most a worker a day"))
    quota_month = Field(attribute="quota_month", column_name=_("Most a worker a month"))
    identifier = Field(attribute="public_id", column_name=pgettext_lazy("programme", "Identifier"))

    def dehydrate_kind(self, row: Programme) -> str:
        """In the reader's language."""
        return str(row.get_kind_display())

    def dehydrate_state(self, row: Programme) -> str:
        """In the reader's language."""
        return str(row.get_state_display())
