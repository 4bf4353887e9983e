"""What would it cost? Replays the demand of past weeks against the rules and budgets of a programme, drafts included.

Demand is what was redeemed in the programmes it is compared with, voided and refunded excepted, with the refusals that
the rules now in question would have given. Behaviour does not change with the rules here: what nobody asked for is
never simulated, so a figure is what last month would have cost, not a forecast.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from yizhan.benefits.clock import SHANGHAI
from yizhan.benefits.models import (
    AccountKind,
    BenefitOffer,
    Budget,
    OfferShare,
    Programme,
    Redemption,
    RedemptionState,
    Span,
)
from yizhan.benefits.services.budgets import bucket_of
from yizhan.benefits.services.programmes import PeriodFacts, ProgrammeFacts
from yizhan.unions.models import Union, Worker

DAYS = 30


@dataclass(frozen=True, slots=True)
class Ask:
    """One time that a worker asked for a benefit at a place."""

    at: datetime
    worker: int | None
    place: int


@dataclass(frozen=True, slots=True)
class Person:
    """What rules look at in a worker; `path` is that of the union, empty without one."""

    occupation: str
    company: str
    membership: str
    path: str


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget: what it pays of one redemption, and how much there is in each bucket; in fen."""

    name: str
    span: str
    fen_each: int
    cap_fen: int


@dataclass(slots=True)
class Forecast:
    """What the replay found; amounts in fen.

    Attributes:
        since, until: The days that were replayed, both included.
        asked: How often workers asked in those days.
        granted: How often they would have got it.
        funded_fen: What unions, platforms and sponsors would have paid; `by_payer` says who.
        beneficiaries: How many workers would have got it at least once.
        refused: How often each rule, quota or budget would have refused.
        by_day: Granted and funded of each day.
        runs_out_on: The day on which a budget for the whole programme would have been used up; None: it lasts.
        dry_days: Days on which the budget of the day or month would not have sufficed.
    """

    since: date
    until: date
    asked: int = 0
    granted: int = 0
    funded_fen: int = 0
    beneficiaries: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    by_payer: Counter[str] = field(default_factory=Counter)
    by_day: dict[date, list[int]] = field(default_factory=dict)
    runs_out_on: date | None = None
    dry_days: set[date] = field(default_factory=set)


class Replay:
    """The rules of a programme, in Python: the slow twin of `benefits_rules` that tests compare with it."""

    def __init__(
        self,
        facts: ProgrammeFacts,
        *,
        caps: Iterable[Cap] = (),
        payers: Iterable[tuple[str, int]] = (),
        ignore_dates: bool = True,
    ) -> None:
        self.facts = facts
        self.caps = list(caps)
        self.payers = list(payers)
        self.ignore_dates = ignore_dates
        self._used: Counter[tuple[object, ...]] = Counter()
        self._places: Counter[tuple[int, date]] = Counter()
        self._spent: Counter[tuple[int, date]] = Counter()

    def rule(self, at: datetime, person: Person | None) -> tuple[str | None, date, PeriodFacts | None]:
        """Which rule refuses, apart from quotas and budgets; and the day and period that count."""
        facts = self.facts
        local = at.astimezone(SHANGHAI)
        minute, day = local.hour * 60 + local.minute, local.date()
        period = next((each for each in facts.periods if each.starts_minute <= minute < each.ends_minute), None)
        if period is None:
            period = next((each for each in facts.periods if minute + 1440 < each.ends_minute), None)
            if period is not None:
                day -= timedelta(days=1)
        if not self.ignore_dates and day < facts.starts_on:
            return "before_start", day, period
        if not self.ignore_dates and facts.ends_on is not None and day > facts.ends_on:
            return "after_end", day, period
        if day.isoweekday() not in facts.weekdays:
            return "wrong_weekday", day, period
        if facts.periods and period is None:
            return "outside_periods", day, period
        return self._personal_rule(person), day, period

    def _personal_rule(self, person: Person | None) -> str | None:
        facts = self.facts
        if person is None:
            return None if facts.takes_paper else "paper_not_taken"
        if facts.occupations and person.occupation not in facts.occupations:
            return "occupation"
        if facts.companies and person.company not in facts.companies:
            return "company"
        if facts.memberships and person.membership not in facts.memberships:
            return "membership"
        if facts.unions and not any(person.path.startswith(union.path) for union in facts.unions):
            return "union"
        return None

    def ask(self, ask: Ask, person: Person | None) -> tuple[str | None, date]:
        """Grant or refuse one, and count it; the reason (None: granted) and the day."""
        reason, day, period = self.rule(ask.at, person)
        reason = reason or self._quota(ask, day, period) or self._budget(day)
        if reason is None:
            if ask.worker is not None:
                month = day.replace(day=1)
                name = period.name if period else ""
                self._used.update([(ask.worker, day, name), (ask.worker, day), (ask.worker, month, None, None)])
            self._places[ask.place, day] += 1
            for number, cap in enumerate(self.caps):
                self._spent[number, bucket_of(cap.span, day)] += cap.fen_each
        return reason, day

    def _quota(self, ask: Ask, day: date, period: PeriodFacts | None) -> str | None:
        facts = self.facts
        name = period.name if period else ""
        if ask.worker is not None:
            limits = (
                ("quota_period", facts.quota_period, (ask.worker, day, name)),
                ("quota_day", facts.quota_day, (ask.worker, day)),
                ("quota_month", facts.quota_month, (ask.worker, day.replace(day=1), None, None)),
            )
            for reason, limit, key in limits:
                if limit is not None and self._used[key] >= limit:
                    return reason
        if facts.place_quota_day is not None and self._places[ask.place, day] >= facts.place_quota_day:
            return "place_quota"
        return None

    def _budget(self, day: date) -> str | None:
        for number, cap in enumerate(self.caps):
            if self._spent[number, bucket_of(cap.span, day)] + cap.fen_each > cap.cap_fen:
                return "budget"
        return None


def simulate(
    programme: Programme,
    *,
    facts: ProgrammeFacts | None = None,
    like: Iterable[Programme] = (),
    days: int = DAYS,
    today: date | None = None,
) -> Forecast:
    """Replay the demand of the last `days` whole days against `programme`, or against `facts` in its place.

    Args:
        like: Whose redemptions are the demand; none: all programmes of its kind of its union, those above and below.
        today: The day that is not over yet; today.
    """
    until = (today or timezone.localdate()) - timedelta(days=1)
    since = until - timedelta(days=days - 1)
    offer = _typical_offer(programme)
    caps, payers = (_caps(programme, offer), _payers(offer)) if offer is not None else ([], [])
    replay = Replay(facts or ProgrammeFacts.of(programme), caps=caps, payers=payers)
    found = Forecast(since, until)
    happy: set[int] = set()
    for ask, person in _demand(programme, list(like), since, until):
        found.asked += 1
        reason, day = replay.ask(ask, person)
        if reason is not None:
            found.refused[reason] += 1
            if reason == "budget":
                _note_dry(found, replay, day)
            continue
        found.granted += 1
        if ask.worker is not None:
            happy.add(ask.worker)
        funded = sum(fen for _name, fen in payers)
        found.funded_fen += funded
        for name, fen in payers:
            found.by_payer[name] += fen
        row = found.by_day.setdefault(day, [0, 0])
        row[0] += 1
        row[1] += funded
    found.beneficiaries = len(happy)
    return found


def _note_dry(found: Forecast, replay: Replay, day: date) -> None:
    for number, cap in enumerate(replay.caps):
        if replay._spent[number, bucket_of(cap.span, day)] + cap.fen_each > cap.cap_fen:
            if cap.span == Span.TOTAL:
                found.runs_out_on = found.runs_out_on or day
            else:
                found.dry_days.add(day)


def _demand(
    programme: Programme, like: list[Programme], since: date, until: date
) -> Iterator[tuple[Ask, Person | None]]:
    """What was redeemed, in the order in which it was."""
    rows = Redemption.objects.with_scopes_disabled().filter(
        day__range=(since, until), state__in=[RedemptionState.REDEEMED, RedemptionState.EXCEPTION]
    )
    if like:
        rows = rows.filter(programme__in=like)
    else:
        own = programme.union.path
        above = [own[:size] for size in range(Union.steplen, len(own), Union.steplen)]
        rows = rows.filter(Q(union__path__startswith=own) | Q(union__path__in=above), programme__kind=programme.kind)
    people: dict[int, Person] = {}
    fields = ("redeemed_at", "worker_id", "place_id")
    for at, worker, place in rows.order_by("redeemed_at", "pk").values_list(*fields).iterator(chunk_size=5000):
        if worker is not None and worker not in people:
            people |= _people(worker)
        yield Ask(at, worker, place), people.get(worker) if worker is not None else None


def _people(first: int) -> dict[int, Person]:
    """Read ahead: workers come by the thousand, in no order."""
    rows = Worker.objects.with_scopes_disabled().filter(pk__gte=first, pk__lt=first + 2000).select_related("union")
    return {
        row.pk: Person(row.occupation, row.platform_company, row.membership, row.union.path if row.union else "")
        for row in rows
    }


def _typical_offer(programme: Programme) -> BenefitOffer | None:
    """Its dearest offer: a forecast should not be too rosy."""
    rows = BenefitOffer.objects.with_scopes_disabled().filter(programme=programme, is_active=True)
    return max(rows, key=lambda row: row.funded_fen, default=None)


def _payers(offer: BenefitOffer) -> list[tuple[str, int]]:
    shares = OfferShare.objects.with_scopes_disabled().filter(offer=offer, fen__gt=0).select_related("account__union")
    funding = {AccountKind.UNION, AccountKind.PLATFORM, AccountKind.SPONSOR}
    return [(str(share.account), share.fen) for share in shares if share.account.kind in funding]


def _caps(programme: Programme, offer: BenefitOffer) -> list[Cap]:
    each: dict[int, int] = defaultdict(int)
    for share in OfferShare.objects.with_scopes_disabled().filter(offer=offer):
        each[share.account_id] += share.fen
    rows = Budget.objects.with_scopes_disabled().filter(programme=programme, is_active=True, account__in=list(each))
    return [Cap(str(row.account), row.span, each[row.account_id], row.cap_fen) for row in rows if each[row.account_id]]
