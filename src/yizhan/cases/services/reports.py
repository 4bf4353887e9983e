"""A report about a station that needs more than the keeper becomes a case, and stays a report with its own answer."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases.facts import CaseFacts
from yizhan.cases.models import Case, CaseSource
from yizhan.places.models import Report, ReportReceipt
from yizhan.places.rights import VIEW_REPORTS
from yizhan.unions.rights import policy

from .intake import submit_case
from .log import Actor


@transaction.atomic
def case_from_report(report: Report, *, actor: Actor) -> Case:
    """The case of a report; made at the first call, the same at every further one.

    Raises:
        NotAllowed: `actor` may not see reports or take down cases there.
    """
    policy.require(actor, VIEW_REPORTS, report.place.union)
    earlier: Case | None = Case.objects.with_scopes_disabled().filter(report=report).select_related("union").first()
    if earlier is not None:
        return earlier
    receipts = ReportReceipt.objects.with_scopes_disabled().filter(report=report).exclude(words="")
    words = list(receipts.order_by("at").values_list("words", flat=True)[:3])
    facts = CaseFacts(
        kind="station_fault",
        title=f"{report.place.name[:30]}：{report.get_kind_display()}"[:60],
        text="\n".join(words) or _("Reported at the station: %(kind)s") % {"kind": report.get_kind_display()},
        place=report.place,
        address=report.place.address[:160],
        lon=report.place.lon,
        lat=report.place.lat,
    )
    return submit_case(
        facts, union=report.place.union, source=CaseSource.REPORT, actor=actor, report=report, lenient=True
    )
