"""The figures that greet staff at the desk: counted now, in the acting union and below, each leading to its list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yizhan.benefits.queries.finance import overview
from yizhan.benefits.queries.programmes import appeals_waiting, running
from yizhan.benefits.rights import EXCLUDE_WORKERS, VIEW_MONEY, VIEW_PROGRAMMES
from yizhan.cases.ledger.queries import waiting as tasks_waiting
from yizhan.cases.links.queries import ownerless, waiting_for
from yizhan.cases.outreach_rights import VIEW_LEDGER, VIEW_LINKS
from yizhan.cases.queries.desk import counted as case_counted
from yizhan.cases.queries.desk import counts as case_counts
from yizhan.cases.queries.wishes import to_review
from yizhan.cases.rights import VIEW_CASES
from yizhan.cases.wish_rights import PUBLISH_WISHES
from yizhan.feeds.queries import partners as partner_queries
from yizhan.feeds.rights import VIEW_PARTNERS
from yizhan.passage.models import Reminder
from yizhan.passage.rights import VIEW_REMINDERS
from yizhan.places.models import Place, PlaceStatus
from yizhan.places.queries.desk import equipment_in_need, verification_due
from yizhan.places.reports.queries import overdue, reports
from yizhan.places.rights import VIEW_PLACES, VIEW_REPORTS
from yizhan.unions.models import Staff
from yizhan.unions.queries.inbox import unread_count
from yizhan.unions.rights import policy

from .navigation import address_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Card:
    """One figure with its meaning.

    Attributes:
        label: What is counted.
        value: How many.
        note: Out of what, or since when; may be empty.
        url: The list that is counted; empty when there is none to open.
        tone: `neutral`, or `warn` for what should not wait.
    """

    label: str
    value: int
    note: str = ""
    url: str = ""
    tone: str = "neutral"


def cards(staff: Staff, *, at: datetime | None = None) -> list[Card]:
    """All figures that the acting post may see, most pressing first."""
    at = at or timezone.now()
    return [
        *_inbox(staff),
        *_cases(staff, at),
        *_outreach(staff),
        *_reports(staff, at),
        *_money(staff, at),
        *_programmes(staff),
        *_places(staff),
        *_partners(staff),
        *_reminders(staff, at),
    ]


def _inbox(staff: Staff) -> Iterator[Card]:
    unread = unread_count(for_staff=staff)
    yield Card(_("Unread messages"), unread, url=address_of("unions:inbox"), tone="warn" if unread else "neutral")


def _cases(staff: Staff, at: datetime) -> Iterator[Card]:
    if not policy.holds(staff, VIEW_CASES):
        return
    told = case_counts(staff, at=at)
    url = address_of("cases:cases")
    yield Card(
        _("Overdue cases"),
        told.overdue,
        note=_("An answer, news or a result was promised by now."),
        url=f"{url}?waiting=overdue" if url else "",
        tone="warn" if told.overdue else "neutral",
    )
    yield Card(
        _("Cases without a first answer"),
        told.to_answer,
        note=_("Accept them, or say why not."),
        url=f"{url}?waiting=answer" if url else "",
        tone="warn" if told.to_answer else "neutral",
    )


def _outreach(staff: Staff) -> Iterator[Card]:
    """Only what waits: where nothing does, there is nothing to greet anyone with."""
    if policy.holds(staff, VIEW_LINKS):
        if to_answer := waiting_for(staff).count():
            yield Card(_("Links offered to you"), to_answer, url=address_of("cases:hand_overs"), tone="warn")
        if left := ownerless(for_staff=staff).count():
            note = _("Their posts have ended; offer them to a colleague.")
            yield Card(_("Links without an owner"), left, note=note, url=address_of("cases:hand_overs"), tone="warn")
    if policy.holds(staff, PUBLISH_WISHES) and (wishes := case_counted([to_review(for_staff=staff)], limit=999)[0]):
        url, note = address_of("cases:desk_wishes"), _("Review them for the wall.")
        yield Card(_("Wishes that wait"), wishes, note=note, url=url, tone="warn")
    if policy.holds(staff, VIEW_LEDGER) and (offered := tasks_waiting(staff).count()):
        yield Card(_("Tasks passed down to your union"), offered, url=address_of("cases:ledger"), tone="warn")


def _reports(staff: Staff, at: datetime) -> Iterator[Card]:
    if not policy.holds(staff, VIEW_REPORTS):
        return
    late = overdue(reports(for_staff=staff), at).count()
    url = address_of("places:reports")
    yield Card(
        _("Overdue reports"),
        late,
        note=_("What people reported and nobody answered in time."),
        url=f"{url}?waiting=overdue" if url else "",
        tone="warn" if late else "neutral",
    )


def _money(staff: Staff, at: datetime) -> Iterator[Card]:
    if not policy.holds(staff, VIEW_MONEY):
        return
    figures = overview(for_staff=staff, at=at)
    waiting = figures.disputed + figures.to_approve + figures.exceptions
    yield Card(
        _("Money matters to decide"),
        waiting,
        note=_("Disputes, approvals and exceptions."),
        url=address_of("benefits:money"),
        tone="warn" if waiting else "neutral",
    )
    if figures.differences:
        yield Card(
            _("Differences in the books"),
            figures.differences,
            note=_("Redemptions, ledger and statements do not agree."),
            url=address_of("benefits:reconciliation"),
            tone="warn",
        )
    yield Card(
        _("Redeemed today"),
        figures.redeemed_today,
        note=_("benefits, not taken back"),
        url=address_of("benefits:money"),
    )


def _programmes(staff: Staff) -> Iterator[Card]:
    if policy.holds(staff, EXCLUDE_WORKERS) and (waiting := appeals_waiting(for_staff=staff).count()):
        url = address_of("benefits:exclusions")
        note = _("Workers who say that they were wrongly kept from a programme.")
        yield Card(_("Appeals"), waiting, note=note, url=f"{url}?state=appeal" if url else "", tone="warn")
    if policy.holds(staff, VIEW_PROGRAMMES):
        yield Card(_("Running programmes"), running(for_staff=staff), url=address_of("benefits:programmes"))


def _places(staff: Staff) -> Iterator[Card]:
    if not policy.holds(staff, VIEW_PLACES):
        return
    places = Place.objects.exclude(status=PlaceStatus.CLOSED)
    published = places.filter(status=PlaceStatus.PUBLISHED)
    every = places.count()
    url = address_of("places:places", "places:list")
    yield Card(
        _("Published places"),
        published.count(),
        note=ngettext("of %(count)s in all", "of %(count)s in all", every) % {"count": every},
        url=f"{url}?status={PlaceStatus.PUBLISHED}" if url else "",
    )
    waiting = places.filter(status__in=[PlaceStatus.DRAFT, PlaceStatus.VERIFIED]).count()
    yield Card(
        _("Not yet published"),
        waiting,
        note=_("Check them and publish them."),
        url=f"{url}?status={PlaceStatus.DRAFT}" if url else "",
        tone="warn" if waiting else "neutral",
    )
    due = verification_due(for_staff=staff).count()
    yield Card(
        _("To be verified on the spot"),
        due,
        note=_("Nobody has looked for long, or ever."),
        url=f"{url}?care=verify" if url else "",
        tone="warn" if due else "neutral",
    )
    in_need = equipment_in_need(for_staff=staff).count()
    yield Card(
        _("Broken or expiring equipment"),
        in_need,
        note=_("Medicine, AED pads, microwaves and the like."),
        url=address_of("places:equipment"),
        tone="warn" if in_need else "neutral",
    )
    unknown = published.filter(hours="").count()
    yield Card(
        _("Published without hours"),
        unknown,
        note=_("Nobody is reminded of them."),
        url=url,
        tone="warn" if unknown else "neutral",
    )


def _partners(staff: Staff) -> Iterator[Card]:
    if not policy.holds(staff, VIEW_PARTNERS):
        return
    figures = partner_queries.figures(for_staff=staff)
    if not (figures.wanted or figures.red):
        return
    yield Card(
        _("Closed, still on a map"),
        figures.red,
        note=_("Riders are led to closed doors."),
        url=address_of("feeds:red_list"),
        tone="warn" if figures.red else "neutral",
    )
    yield Card(
        _("Live on partners' maps"),
        figures.live,
        note=_("of %(count)s that should be") % {"count": figures.wanted},
        url=address_of("feeds:coverage"),
    )


def _reminders(staff: Staff, at: datetime) -> Iterator[Card]:
    if not policy.holds(staff, VIEW_REMINDERS):
        return
    midnight = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Reminder.objects.filter(passed_at__gte=midnight, passed_at__lt=midnight + timedelta(days=1)).count()
    yesterday = Reminder.objects.filter(passed_at__gte=midnight - timedelta(days=1), passed_at__lt=midnight).count()
    yield Card(
        _("Reminders today"),
        today,
        note=_("yesterday: %(count)s") % {"count": yesterday},
        url=address_of("passage:reminders"),
    )
