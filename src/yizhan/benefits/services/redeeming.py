"""Redeeming: one SQL function does it all; see `sql/0002_redeem.sql` and the decision page about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected

from yizhan.benefits.models import BenefitOffer, Channel, Redemption, RedemptionState
from yizhan.benefits.refusals import Refused
from yizhan.benefits.rights import REDEEM
from yizhan.unions.identity import new_public_id
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.rights import Operator, policy

from .calling import Answer, ask

_TURNS = 5  # the second finds its way; more are for those who meet others' locks again


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a request to redeem; the same for each repetition of it, save for `repeated` and `state`.

    Amounts are fen. `state` is that of the redemption now; `reason` says why it is an exception (else empty).
    """

    redemption_id: int
    public_id: UUID
    state: str
    reason: str
    repeated: bool
    list_price_fen: int
    worker_fen: int
    merchant_fen: int
    day: date
    redeemed_at: datetime

    @property
    def funded_fen(self) -> int:
        """What unions, platforms and sponsors pay together."""
        return self.list_price_fen - self.worker_fen - self.merchant_fen

    @property
    def is_exception(self) -> bool:
        """Redeemed offline against a rule: booked once staff accept it."""
        return self.state == RedemptionState.EXCEPTION

    def redemption(self) -> Redemption:
        """The row."""
        found: Redemption = Redemption.objects.with_scopes_disabled().get(pk=self.redemption_id)
        return found


def redeem(
    *,
    offer: BenefitOffer,
    worker: Worker | None,
    request_id: UUID,
    device: str,
    actor: Staff | User | Operator,
    channel: Channel = Channel.CODE,
    at: datetime | None = None,
    offline: bool = False,
    distance_m: int | None = None,
) -> Receipt:
    """Redeem one offer for one worker: checks, charges the budgets and books, in one round trip and one transaction.

    Idempotent in (`device`, `request_id`): a repeated request gets the first answer, before any rule is looked at. A
    refusal does not use the id up. May be called inside an outer transaction; then call it once in it, and last, since
    its locks hold until that transaction ends.

    Args:
        offer: With `place` and `place.union` loaded, where it matters how fast this is.
        worker: Who it is for; None for a bearer's paper voucher, where the programme takes those.
        device: Name of the device that made the request, at most 40 characters.
        actor: Staff who redeem at the counter; the worker themself; the operator.
        at: When it happened; now unless told. Offline it is earlier than the moment of recording.
        offline: It has happened already: whatever rule it breaks, it is kept, as an exception for staff to decide.
        distance_m: Metres between the worker's device and the counter, where known.

    Raises:
        Refused: a rule refuses it; nothing was written.
        PermissionDenied: the actor may not redeem here.
    """
    cashier, by = _who(actor, offer, worker)
    moment = at or timezone.now()
    arguments = [
        new_public_id(),
        device[:40],
        request_id,
        offer.pk,
        worker.pk if worker is not None else None,
        cashier,
        by,
        str(channel),
        moment,
        timezone.now() if offline else moment,
        offline,
        distance_m,
    ]
    answer = _call(arguments, everything=False)
    for _turn in range(_TURNS):
        if answer is not None:
            break
        answer = _call(arguments, everything=True)
    if answer is None:
        raise OperationalError("the budget's shares were held by others each time")
    if answer.outcome == "refused":
        raise Refused(answer.reason)
    return Receipt(
        redemption_id=answer.redemption,
        public_id=answer.public_id,
        state=answer.state,
        reason=answer.reason,
        repeated=answer.outcome == "repeated",
        list_price_fen=answer.list_price,
        worker_fen=answer.worker_share,
        merchant_fen=answer.merchant_share,
        day=answer.day,
        redeemed_at=answer.redeemed,
    )


def why_not(*, offer: BenefitOffer, worker: Worker | None, at: datetime | None = None) -> Refused | None:
    """Which rule, quota or budget would refuse this redemption; None: none would. Takes no lock, writes nothing."""
    now = timezone.now()
    channel = Channel.CODE if worker is not None else Channel.PAPER
    who = worker.pk if worker is not None else None
    request = new_public_id()
    answer = ask(
        [request, "", request, offer.pk, who, None, None, str(channel), at or now, now, False, None, False, True]
    )
    return Refused(answer.reason) if answer.outcome == "refused" else None


def _call(arguments: list[Any], *, everything: bool) -> Answer | None:
    """One call; None: it is to be asked again. In an outer transaction a savepoint lets go of its locks then."""
    is_inside = connection.in_atomic_block
    try:
        if not is_inside:
            answer = ask([*arguments, everything, False])
        else:
            with transaction.atomic():
                answer = ask([*arguments, everything, False])
                transaction.set_rollback(answer.outcome == "again")
    except IntegrityError as error:
        # Two with one request id for two workers at the very same time: the second is now a repetition.
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if constraint != "redemption_requested_once" or is_inside:
            raise
        answer = ask([*arguments, everything, False])
    except OperationalError as error:
        # SKIP LOCKED does wait where a row was changed twice since the statement began (PostgreSQL follows it to its
        # newest form), so two who borrow can meet. Whose statement was ended has written nothing and holds no lock.
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        return None
    return None if answer.outcome == "again" else answer


def _who(actor: Staff | User | Operator, offer: BenefitOffer, worker: Worker | None) -> tuple[int | None, int | None]:
    """Which post and which person redeem."""
    if isinstance(actor, Staff):
        policy.require(actor, REDEEM, offer.place.union, within=offer.place)
        return actor.pk, actor.user_id
    if isinstance(actor, User):
        if worker is None or worker.user_id != actor.pk:
            raise PermissionDenied(_("You may redeem only for yourself."))
        return None, actor.pk
    return None, None
