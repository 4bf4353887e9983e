"""Places in a programme by lot, in a way that anyone can check afterwards.

When a lottery is opened, a seed is drawn and kept encrypted, and its SHA-256 is published: from then on nobody, the
house included, can choose another. When it is drawn, the seed is published with all tickets; each ticket's lot is the
SHA-256 of seed and ticket number, and the lowest lots win.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.actions import LOTTERY_DRAWN, LOTTERY_OPENED
from yizhan.benefits.models import Allotment, Lottery, LotteryTicket, Programme, ProgrammeState
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import Operator, policy

from .programmes import locked

_MOST_PLACES = 1_000_000


def digest_of(seed: str) -> str:
    """What is published of a seed before it is drawn."""
    return hashlib.sha256(seed.encode()).hexdigest()


def lot(seed: str, ticket: UUID) -> str:
    """A ticket's lot: lower ones come first."""
    return hashlib.sha256(f"{seed}:{ticket}".encode()).hexdigest()


@transaction.atomic
def open_lottery(
    programme: Programme,
    *,
    places: int,
    closes_at: datetime,
    valid_from: date,
    valid_until: date,
    actor: Staff | Operator,
) -> Lottery:
    """Let workers enter until `closes_at`; winners may redeem from `valid_from` to `valid_until`, both included.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
        RuleBroken: the programme lets workers in otherwise, or a value breaks a rule.
    """
    current = locked(programme)
    policy.require(actor, MANAGE_PROGRAMMES, current.union)
    if current.allotment != Allotment.LOTTERY or current.state == ProgrammeState.ENDED:
        raise RuleBroken.at("", None, _("This programme does not draw lots, or has ended."), "wrong_state")
    if not 1 <= places <= _MOST_PLACES:
        raise RuleBroken.at("places", places, _("There is at least one place."), "out_of_range")
    if closes_at <= timezone.now():
        raise RuleBroken.at("closes_at", closes_at, _("Workers need time to enter: choose a later moment."), "past")
    if valid_until < valid_from:
        raise RuleBroken.at("valid_until", valid_until, _("The last day lies before the first."), "invalid")
    seed = secrets.token_hex(32)
    made: Lottery = Lottery.objects.with_scopes_disabled().create(
        programme=current,
        places=places,
        closes_at=closes_at,
        valid_from=valid_from,
        valid_until=valid_until,
        seed_digest=digest_of(seed),
        sealed_seed=seed,
    )
    record(actor, LOTTERY_OPENED, union=current.union, target=current, details={"places_won": places})
    return made


@transaction.atomic
def enter(lottery: Lottery, *, worker: Worker, at: datetime | None = None) -> LotteryTicket:
    """A worker's ticket; entering again gives the same one.

    Raises:
        RuleBroken: entries are closed, or the lots are drawn.
    """
    current = _locked(lottery)
    tickets = LotteryTicket.objects.with_scopes_disabled()
    if there := tickets.filter(lottery=current, worker=worker).first():
        found: LotteryTicket = there
        return found
    if current.drawn_at is not None or (at or timezone.now()) >= current.closes_at:
        raise RuleBroken.at("", None, _("Entries to this lottery are closed."), "closed")
    made: LotteryTicket = tickets.create(lottery=current, worker=worker)
    return made


@transaction.atomic
def draw(lottery: Lottery, *, actor: Staff | Operator, at: datetime | None = None) -> Lottery:
    """Draw the lots once entries are closed, and publish the seed. Drawing again changes nothing.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
        RuleBroken: entries are still open.
    """
    current = _locked(lottery)
    policy.require(actor, MANAGE_PROGRAMMES, current.programme.union)
    if current.drawn_at is not None:
        return current
    now = at or timezone.now()
    if now < current.closes_at:
        raise RuleBroken.at("", None, _("Workers may still enter; draw when entries are closed."), "open")
    seed = current.sealed_seed
    tickets = list(LotteryTicket.objects.with_scopes_disabled().filter(lottery=current))
    tickets.sort(key=lambda ticket: lot(seed, ticket.public_id))
    for rank, ticket in enumerate(tickets, start=1):
        ticket.rank, ticket.won = rank, rank <= current.places
    LotteryTicket.objects.with_scopes_disabled().bulk_update(tickets, ["rank", "won"], batch_size=2000)
    current.seed, current.drawn_at = seed, now
    current.drawn_by = actor if isinstance(actor, Staff) else None
    current.save(update_fields=["seed", "drawn_at", "drawn_by"])
    details = {"tickets": len(tickets), "places_won": min(len(tickets), current.places)}
    record(actor, LOTTERY_DRAWN, union=current.programme.union, target=current.programme, details=details)
    return current


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a draw found: how many tickets, how many won, and everything that is not as it must be."""

    tickets: int
    winners: int
    problems: list[str]


def check_draw(lottery: Lottery) -> Checked:
    """Draw again from what is published and compare. Reads only."""
    tickets = list(LotteryTicket.objects.with_scopes_disabled().filter(lottery=lottery))
    problems = []
    if lottery.drawn_at is None:
        problems.append("the lots are not drawn yet")
    elif digest_of(lottery.seed) != lottery.seed_digest:
        problems.append("the seed is not the one whose digest was published")
    else:
        ordered = sorted(tickets, key=lambda ticket: lot(lottery.seed, ticket.public_id))
        for rank, ticket in enumerate(ordered, start=1):
            if ticket.rank != rank or ticket.won != (rank <= lottery.places):
                problems.append(f"ticket {ticket.public_id} is of rank {rank}, not {ticket.rank}")
        problems += [
            f"ticket {ticket.public_id} was entered after the end"
            for ticket in tickets
            if ticket.entered_at >= lottery.closes_at
        ]
    return Checked(len(tickets), sum(ticket.won for ticket in tickets), problems)


def _locked(lottery: Lottery) -> Lottery:
    found: Lottery = (
        Lottery.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("programme__union")
        .get(pk=lottery.pk)
    )
    return found
