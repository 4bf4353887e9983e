"""Lists of listings and findings to take home."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field

from yizhan.unions.exports import ListResource

from .models import Finding, FindingKind, Listing


class ListingResource(ListResource):
    """A listing as a row."""

    place = Field(attribute="place__name", column_name=gettext_lazy("Place"))
    number = Field(attribute="place__public_id", column_name=gettext_lazy("Number of the place"))
    union = Field(attribute="place__union__name", column_name=gettext_lazy("Union"))
    partner = Field(attribute="partner__name", column_name=gettext_lazy("Partner"))
    wanted = Field(column_name=gettext_lazy("To be shown"))
    state = Field(column_name=gettext_lazy("State"))
    finding = Field(column_name=gettext_lazy("Found in an export"))
    their_id = Field(attribute="their_id", column_name=gettext_lazy("Number at the partner"))
    last_answer = Field(attribute="last_answer", column_name=gettext_lazy("Last answer"))
    seen_at = Field(attribute="seen_at", column_name=gettext_lazy("Last seen on the map"))
    red_until = Field(attribute="red_until", column_name=gettext_lazy("To be taken down by"))
    changed_at = Field(attribute="changed_at", column_name=gettext_lazy("Last changed"))

    def dehydrate_wanted(self, listing: Listing) -> str:
        """Yes or no."""
        return _("yes") if listing.is_wanted else _("no")

    def dehydrate_state(self, listing: Listing) -> str:
        """In the reader's language."""
        return listing.get_state_display()

    def dehydrate_finding(self, listing: Listing) -> str:
        """In the reader's language; empty: nothing wrong was found."""
        return listing.get_finding_display() if listing.finding else ""


class FindingResource(ListResource):
    """A finding as a row."""

    kind = Field(column_name=gettext_lazy("Finding"))
    place = Field(attribute="listing__place__name", column_name=gettext_lazy("Place"))
    number = Field(attribute="listing__place__public_id", column_name=gettext_lazy("Number of the place"))
    union = Field(attribute="listing__place__union__name", column_name=gettext_lazy("Union"))
    their_name = Field(attribute="their_name", column_name=gettext_lazy("Name at the partner"))
    their_id = Field(attribute="their_id", column_name=gettext_lazy("Number at the partner"))
    line = Field(attribute="line", column_name=gettext_lazy("Line"))
    metres = Field(attribute="metres", column_name=gettext_lazy("Metres away"))
    likeness = Field(attribute="likeness", column_name=gettext_lazy("Likeness of the names"))

    def dehydrate_kind(self, finding: Finding) -> str:
        """In the reader's language."""
        return str(FindingKind(finding.kind).label)
