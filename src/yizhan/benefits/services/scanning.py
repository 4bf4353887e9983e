"""A code, voucher or ticket before a cashier with a network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.benefits import codes, tickets, voucher_codes
from yizhan.benefits.models import (
    PROVEN_KINDS,
    BenefitOffer,
    Channel,
    CodeSighting,
    PhoneCertificate,
    Redemption,
    RedemptionState,
    Serving,
    Voucher,
)
from yizhan.benefits.queries.counters import redemption_at
from yizhan.benefits.queries.phones import certificate_numbered
from yizhan.benefits.refusals import Refused
from yizhan.benefits.rights import REDEEM
from yizhan.places.models import Place
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

from .phones import public_keys
from .redeeming import Receipt, redeem

# What the cashier is told about the picture itself; about the person nothing is ever said but "not eligible now".
SENTENCES: Final[dict[str, Any]] = {
    "not_a_code": _("This is not a worker's code. Please scan the code on the page “My code”."),
    "other_version": _("This code comes from a newer version. Please load this page anew."),
    "unknown_key": _("This code cannot be checked. Please ask for a fresh one."),
    "forged": _("This code is not genuine."),
    "expired": _("The worker's phone has to go online once before it shows codes again."),
    "too_old": _("This code is too old. Please scan the one on the screen now."),
    "too_early": _("The clock of the worker's phone is fast. Please let the phone go online once."),
    "revoked": _("This phone has been blocked for codes."),
    "code_used": _("This code was used already. Please scan the one on the screen now."),
    "voucher_unknown": _("This is not a voucher of ours. Please check the digits."),
    "voucher_used": _("This voucher was used already."),
    "voucher_blocked": _("This voucher has been blocked."),
    "voucher_ended": _("This voucher is past its last day."),
    "voucher_elsewhere": _("This voucher is for another programme."),
    "offer_elsewhere": _("This meal is not offered at this counter."),
    "not_a_ticket": _("This is not a ticket of this counter."),
    "ticket_old": _("This ticket was recorded a while ago. Ask to see the live one."),
    "ticket_ended": _("This redemption was taken back."),
}


class ScanRefused(Exception):
    """What was scanned cannot be accepted; `code` is stable, `words` are for the cashier."""

    def __init__(self, code: str, words: Any = "") -> None:
        super().__init__(code)
        self.code = code
        self.words = words or SENTENCES[code]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a ticket shows, and whether it was served before."""

    redemption: Redemption
    served_at: datetime | None


def redeem_scanned(
    *,
    cashier: Staff,
    place: Place,
    offer: UUID,
    text: str,
    request_id: UUID,
    device: str,
    at: datetime | None = None,
) -> Receipt:
    """Redeem an offer for whoever shows a code or hands over a voucher.

    Idempotent in (`device`, `request_id`): a repeat gets the first answer, also when the code has grown too old since.

    Args:
        cashier: Who stands at the counter.
        place: Whose counter it is.
        offer: Public id of one of its offers.
        text: What the camera or the scanner read.
        request_id: Made by the cashier's phone for this scan.
        device: Which phone that is, at most 40 characters.
        at: The time, for tests.

    Raises:
        NotAllowed: the cashier may not redeem at this place.
        ScanRefused: the picture, the voucher or the programme's rules; nothing was written but that it was seen.
    """
    policy.require(cashier, REDEEM, place.union, within=place)
    now = at or timezone.now()
    if earlier := answered_before(place, device, request_id):
        return earlier
    chosen = offer_here(place, offer)
    if chosen is None:
        raise ScanRefused("offer_elsewhere")
    common: dict[str, Any] = {"offer": chosen, "request_id": request_id, "device": device, "actor": cashier, "at": now}
    if voucher_codes.is_voucher(text):
        return _redeem_voucher(text, chosen, common, now)
    if not codes.is_code(text):
        raise ScanRefused("not_a_code")
    try:
        code = codes.verify(text, house_keys=public_keys(), at=now.timestamp())
    except codes.CodeRejected as rejected:
        raise ScanRefused(rejected.reason) from None
    certificate = certificate_numbered(code.certificate.number.hex())
    if certificate is None or certificate.phone.public_key != code.certificate.public_key.hex():
        raise ScanRefused("unknown_key")
    try:
        return _redeem_code(certificate, code, place, common, now)
    except ScanRefused as refused:
        saw(certificate, code, place, now, outcome=refused.code)
        raise


@transaction.atomic
def _redeem_code(
    certificate: PhoneCertificate, code: codes.Code, place: Place, common: dict[str, Any], now: datetime
) -> Receipt:
    if certificate.phone.revoked_at is not None:
        raise ScanRefused("revoked")
    if use_of(certificate, code) is not None:
        raise ScanRefused("code_used")
    try:
        receipt = redeem(worker=certificate.phone.worker, channel=Channel.CODE, **common)
    except Refused as refused:
        raise ScanRefused(refused.code, refused.for_cashier) from None
    try:
        with transaction.atomic():
            saw(certificate, code, place, now, outcome="redeemed", redemption=receipt.redemption_id)
    except IntegrityError:  # at two counters in the same moment: whoever comes second gets nothing
        raise ScanRefused("code_used") from None
    return receipt


@transaction.atomic
def _redeem_voucher(text: str, offer: BenefitOffer, common: dict[str, Any], now: datetime) -> Receipt:
    voucher = locked_voucher(text)
    if reason := voucher_problem(voucher, offer, now):
        raise ScanRefused(reason)
    assert voucher is not None  # noqa: S101 - or there was a problem
    try:
        receipt = redeem(worker=None, channel=Channel.PAPER, **common)
    except Refused as refused:
        raise ScanRefused(refused.code, refused.for_cashier) from None
    use_voucher(voucher, receipt)
    return receipt


def show_ticket(text: str, *, cashier: Staff, place: Place, at: datetime | None = None) -> Shown:
    """Look at a live ticket, and mark it as served: the same ticket on a second phone is then seen to come late.

    Raises:
        NotAllowed: the cashier may not redeem at this place.
        ScanRefused: not a ticket of this counter, an old recording, or taken back.
    """
    policy.require(cashier, REDEEM, place.union, within=place)
    now = at or timezone.now()
    try:
        public_id = tickets.read_ticket(text, now.timestamp())
    except tickets.TicketRejected as rejected:
        raise ScanRefused("not_a_ticket" if rejected.reason == "not_a_ticket" else "ticket_old") from None
    redemption = redemption_at(place, public_id)
    if redemption is None:
        raise ScanRefused("not_a_ticket")
    if redemption.state not in {RedemptionState.REDEEMED, RedemptionState.EXCEPTION}:
        raise ScanRefused("ticket_ended")
    serving, is_new = Serving.objects.with_scopes_disabled().get_or_create(
        redemption=redemption, defaults={"served_at": now, "served_by": cashier}
    )
    return Shown(redemption, None if is_new else serving.served_at)


def answered_before(place: Place, device: str, request_id: UUID) -> Receipt | None:
    """What an earlier request of the same id was answered."""
    row = Redemption.objects.with_scopes_disabled().filter(device=device, request_id=request_id, place=place).first()
    return receipt_of(row) if row else None


def receipt_of(row: Redemption) -> Receipt:
    """The answer to whoever asks again."""
    return Receipt(
        redemption_id=row.pk,
        public_id=row.public_id,
        state=row.state,
        reason=row.reason,
        repeated=True,
        list_price_fen=row.list_price_fen,
        worker_fen=row.worker_fen,
        merchant_fen=row.merchant_fen,
        day=row.day,
        redeemed_at=row.redeemed_at,
    )


def offer_here(place: Place, offer: UUID) -> BenefitOffer | None:
    """One of the place's own offers that a counter redeems."""
    found: BenefitOffer | None = (
        BenefitOffer.objects.with_scopes_disabled()
        .select_related("programme", "place__union")
        .filter(place=place, public_id=offer)
        .exclude(programme__kind__in=PROVEN_KINDS)
        .first()
    )
    return found


def use_of(certificate: PhoneCertificate, code: codes.Code) -> CodeSighting | None:
    """Where and when this very code was redeemed."""
    found: CodeSighting | None = (
        CodeSighting.objects.with_scopes_disabled()
        .filter(certificate=certificate, step=code.step, nonce=code.nonce, redemption__isnull=False)
        .first()
    )
    return found


def saw(
    certificate: PhoneCertificate,
    code: codes.Code,
    place: Place,
    at: datetime,
    *,
    outcome: str,
    redemption: int | None = None,
    offline: bool = False,
) -> CodeSighting:
    """Note that a code was shown at a counter.

    Raises:
        IntegrityError: it redeems, and did so before.
    """
    seen: CodeSighting = CodeSighting.objects.with_scopes_disabled().create(
        certificate=certificate,
        step=code.step,
        nonce=code.nonce,
        place=place,
        seen_at=at,
        outcome=outcome[:24],
        redemption_id=redemption,
        offline=offline,
    )
    return seen


def locked_voucher(text: str) -> Voucher | None:
    """The voucher with this code, locked until the end of the transaction."""
    found: Voucher | None = (
        Voucher.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("batch", "redemption")
        .filter(digest=voucher_codes.digest(text))
        .first()
    )
    return found


def voucher_problem(voucher: Voucher | None, offer: BenefitOffer, at: datetime) -> str:
    """Why a voucher cannot be redeemed for an offer at a time; empty when it can."""
    if voucher is None:
        return "voucher_unknown"
    if voucher.revoked_at is not None:
        return "voucher_blocked"
    if voucher.redemption is not None and voucher.redemption.state in {
        RedemptionState.REDEEMED,
        RedemptionState.EXCEPTION,
    }:
        return "voucher_used"
    if timezone.localdate(at) > voucher.batch.valid_until:
        return "voucher_ended"
    if voucher.batch.programme_id != offer.programme_id:
        return "voucher_elsewhere"
    return ""


def use_voucher(voucher: Voucher, receipt: Receipt) -> None:
    """Bind the voucher to what it paid for; one whose redemption was taken back is good again."""
    voucher.redemption_id = receipt.redemption_id
    voucher.save(update_fields=["redemption"])
