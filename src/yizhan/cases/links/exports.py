"""Links and coverage as lists to take home."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from import_export.fields import Field

from yizhan.cases.models import Link
from yizhan.unions.exports import ListResource


class LinkResource(ListResource):
    """A link as a row; workers by name, as on the screen."""

    contact = Field(attribute="post__user__name", column_name=pgettext_lazy("person", "Contact"))
    union = Field(attribute="post__union__name", column_name=_("Union"))
    kind = Field(column_name=_("Kind"))
    name = Field(attribute="name", column_name=_("Linked with"))
    members = Field(attribute="group_size", column_name=_("Members of the group"))
    since = Field(attribute="began_at", column_name=pgettext_lazy("link", "Since"))
    ended = Field(attribute="ended_at", column_name=pgettext_lazy("day", "Ended"))
    reason = Field(attribute="end_reason", column_name=_("Why it ended"))

    def dehydrate_kind(self, link: Link) -> str:
        """In the reader's language."""
        return link.get_kind_display()


class CoverageResource(ListResource):
    """A gap as a row."""

    by = Field(attribute="by", column_name=pgettext_lazy("breakdown", "By"))
    name = Field(attribute="name", column_name=_("Name"))
    workers = Field(attribute="workers", column_name=pgettext_lazy("link", "Workers"))
    linked = Field(attribute="linked", column_name=_("With a contact"))
    missing = Field(attribute="missing", column_name=_("Without a contact"))
    percent = Field(attribute="percent", column_name=_("Coverage in percent"))
    units = Field(attribute="units", column_name=_("Lower unions"))
    units_linked = Field(attribute="units_linked", column_name=_("Lower unions with a contact"))
