"""Visits as a list to take home: people as numbers, needs as numbers; what was said stays here."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from import_export.fields import Field

from yizhan.cases.models import Visit
from yizhan.unions.exports import ListResource


class VisitResource(ListResource):
    """A visit as a row."""

    at = Field(attribute="at", column_name=_("When"))
    kind = Field(column_name=_("Kind"))
    where = Field(attribute="where", column_name=_("Where"))
    company = Field(attribute="company", column_name=_("Platform or company"))
    who = Field(attribute="post__user__name", column_name=pgettext_lazy("visitor", "Who"))
    union = Field(attribute="union__name", column_name=_("Union"))
    minutes = Field(attribute="minutes", column_name=_("Minutes"))
    named = Field(attribute="named", column_name=_("People met, by name"))
    counted = Field(attribute="counted", column_name=_("Further people met"))
    heard = Field(attribute="heard", column_name=_("Needs heard"))

    def dehydrate_kind(self, visit: Visit) -> str:
        """In the reader's language."""
        return visit.get_kind_display()
