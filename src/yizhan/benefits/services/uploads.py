"""Redemptions made without a network: facts that are never refused, counted once, and decided on by finance where a
rule was broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits import codes, voucher_codes
from yizhan.benefits.counter_actions import UPLOAD_DECIDED
from yizhan.benefits.models import BenefitOffer, Channel, Redemption, RedemptionState, Upload, UploadReason, UploadState
from yizhan.benefits.models.codes import PhoneCertificate
from yizhan.benefits.queries.phones import certificate_numbered
from yizhan.benefits.refusals import Refused
from yizhan.benefits.rights import DECIDE_EXCEPTIONS, REDEEM
from yizhan.places.models import Place
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import OPERATOR, Operator, policy

from .phones import public_keys
from .redeeming import Receipt, redeem
from .scanning import locked_voucher, offer_here, saw, use_of, use_voucher, voucher_problem
from .taking_back import decide_exception

# How late an upload may be, how far in the future it may lie, and by how much the cashier's clock and the time signed
# in the code may differ before a person looks at it.
LATEST: Final = timedelta(days=3)
EARLIEST: Final = timedelta(minutes=2)
CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Told:
    """One queued redemption as the cashier's phone tells it."""

    request_id: UUID
    offer: UUID
    text: str
    scanned_at: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    """What the text turned out to be. `reason` is set when a person has to look at it."""

    reason: str
    at: datetime
    worker: Worker | None = None
    channel: Channel = Channel.CODE
    certificate: PhoneCertificate | None = None
    code: codes.Code | None = None

    @property
    def is_known(self) -> bool:
        """Whether it could be redeemed at all, were a person to say so."""
        return self.worker is not None or self.channel == Channel.PAPER


def take_down(told: Told, *, cashier: Staff, place: Place, device: str, at: datetime | None = None) -> Upload:
    """Keep what a cashier's phone redeemed without a network.

    Idempotent in (`device`, `request_id`). It ends as accepted (a redemption stands, dated by the time signed in the
    code) or as an exception for finance; a request that reached us online before counts once.

    Raises:
        NotAllowed: the cashier may not redeem at this place.
    """
    policy.require(cashier, REDEEM, place.union, within=place)
    now = at or timezone.now()
    for _attempt in range(3):
        if earlier := _kept(device, told.request_id):
            return earlier
        try:
            return _take_down(told, cashier, place, device, now)
        except IntegrityError:
            # The same upload, or the same code from another counter, at this very moment: look again.
            continue
    return _keep(told, cashier, place, device, now, None, UploadReason.DUPLICATE, None)


@transaction.atomic
def _take_down(told: Told, cashier: Staff, place: Place, device: str, now: datetime) -> Upload:
    offer = offer_here(place, told.offer)
    online = (
        Redemption.objects.with_scopes_disabled().filter(device=device, request_id=told.request_id, place=place).first()
    )
    if online is not None:
        return _keep(told, cashier, place, device, now, offer, "", online)
    read = _read(told, offer, now)
    if read.reason or offer is None:
        if read.certificate and read.code:
            saw(read.certificate, read.code, place, read.at, outcome=read.reason, offline=True)
        return _keep(told, cashier, place, device, now, offer, read.reason or UploadReason.UNKNOWN, None)
    try:
        receipt = _redeem(read, offer, told.request_id, device, cashier)
    except Refused:  # of a kind that not even what happened offline is spared, such as a time long ago
        return _keep(told, cashier, place, device, now, offer, UploadReason.LATE, None)
    if read.certificate and read.code:
        saw(
            read.certificate, read.code, place, read.at,
            outcome="redeemed", redemption=receipt.redemption_id, offline=True,
        )  # fmt: skip
    elif voucher := locked_voucher(told.text):
        use_voucher(voucher, receipt)
    reason = "" if receipt.state == RedemptionState.REDEEMED else UploadReason.RULE
    return _keep(told, cashier, place, device, now, offer, reason, receipt.redemption())


@transaction.atomic
def decide(upload: Upload, *, accept: bool, actor: Staff | Operator, words: str = "") -> Upload:
    """Finance decides on an exception: accept it as a meal that was eaten, or set it aside.

    Accepting waives the programme's rules, not its budgets.

    Raises:
        NotAllowed: the actor may not decide at this place's union.
        RuleBroken: it was decided already, no reason was given, or nobody can say whose meal it was.
        Refused: the budget does not suffice, or it happened too long ago.
    """
    current: Upload = (
        Upload.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("place__union", "offer__programme", "redemption", "cashier")
        .get(pk=upload.pk)
    )
    policy.require(actor, DECIDE_EXCEPTIONS, current.place.union)
    said = " ".join(words.split())[:200]
    if current.state != UploadState.EXCEPTION:
        raise RuleBroken.at("state", current.state, _("This has been decided already."), "decided")
    if not said:
        raise RuleBroken.at("words", "", _("Say why; the merchant reads this."), "required")
    if accept:
        current.redemption = _accepted(current, actor, said)
    elif current.redemption is not None:
        decide_exception(current.redemption, actor=actor, accept=False, reason=said)
    current.state = UploadState.ACCEPTED if accept else UploadState.SET_ASIDE
    current.decided_at, current.decision = timezone.now(), said
    current.decided_by = actor if isinstance(actor, Staff) else None
    current.save(update_fields=["state", "redemption", "decided_at", "decided_by", "decision"])
    record(
        actor,
        UPLOAD_DECIDED,
        union=current.place.union,
        target=current,
        details={"accepted": accept, "reason": said},
    )
    return current


def _accepted(upload: Upload, actor: Staff | Operator, words: str) -> Redemption:
    redemption = upload.redemption
    if redemption is None:
        told = Told(upload.request_id, upload.offer.public_id if upload.offer else upload.request_id, upload.text,
                    upload.scanned_at)  # fmt: skip
        read = _read(told, upload.offer, upload.uploaded_at)
        if not read.is_known or upload.offer is None:
            raise RuleBroken.at(
                "accept", "", _("Nobody can say whose meal this was: it can only be set aside."), "unknown"
            )
        # In the decider's name, who answers for it; whoever scanned it may have left the counter since.
        redemption = _redeem(read, upload.offer, upload.request_id, upload.device, OPERATOR).redemption()
    if redemption.state == RedemptionState.EXCEPTION:
        redemption = decide_exception(redemption, actor=actor, accept=True, reason=words)
    return redemption


def _redeem(read: _Read, offer: BenefitOffer, request_id: UUID, device: str, cashier: Staff | Operator) -> Receipt:
    return redeem(
        offer=offer,
        worker=read.worker,
        request_id=request_id,
        device=device,
        actor=cashier,
        channel=read.channel,
        at=read.at,
        offline=True,
    )


def _read(told: Told, offer: BenefitOffer | None, now: datetime) -> _Read:
    scanned_at = min(told.scanned_at, now)
    if voucher_codes.is_voucher(told.text):
        return _read_voucher(told.text, offer, scanned_at, now)
    try:
        code = codes.check_signatures(told.text, house_keys=public_keys())
    except codes.CodeRejected as rejected:
        return _Read(UploadReason.FORGED if rejected.reason == "forged" else UploadReason.UNKNOWN, scanned_at)
    certificate = certificate_numbered(code.certificate.number.hex())
    if certificate is None or certificate.phone.public_key != code.certificate.public_key.hex():
        return _Read(UploadReason.UNKNOWN, scanned_at)
    signed_at = datetime.fromtimestamp(code.starts_at, tz=UTC)
    reason: Any = ""
    if use_of(certificate, code) is not None:
        reason = UploadReason.DUPLICATE
    elif signed_at >= certificate.valid_until:
        reason = UploadReason.EXPIRED
    elif certificate.phone.revoked_at is not None and certificate.phone.revoked_at <= signed_at:
        reason = UploadReason.REVOKED
    elif signed_at > now + EARLIEST or abs(signed_at - told.scanned_at) > CLOCKS_DIFFER:
        reason = UploadReason.CLOCK
    elif now - signed_at > LATEST:
        reason = UploadReason.LATE
    return _Read(reason, min(signed_at, now), certificate.phone.worker, Channel.CODE, certificate, code)


def _read_voucher(text: str, offer: BenefitOffer | None, scanned_at: datetime, now: datetime) -> _Read:
    if offer is None:
        return _Read(UploadReason.UNKNOWN, scanned_at)
    voucher = locked_voucher(text)
    problem = voucher_problem(voucher, offer, scanned_at)
    reason: Any = {
        "": "",
        "voucher_used": UploadReason.DUPLICATE,
        "voucher_blocked": UploadReason.REVOKED,
        "voucher_ended": UploadReason.EXPIRED,
    }.get(problem, UploadReason.UNKNOWN)
    if voucher and voucher.revoked_at and voucher.revoked_at > scanned_at and not voucher.redemption_id:
        reason = UploadReason.REVOKED
    if not reason and now - scanned_at > LATEST:
        reason = UploadReason.LATE
    if voucher is None or problem == "voucher_elsewhere":
        return _Read(reason or UploadReason.UNKNOWN, scanned_at)
    return _Read(reason, scanned_at, None, Channel.PAPER)


def _keep(
    told: Told,
    cashier: Staff,
    place: Place,
    device: str,
    now: datetime,
    offer: BenefitOffer | None,
    reason: str,
    redemption: Redemption | None,
) -> Upload:
    kept: Upload = Upload.objects.with_scopes_disabled().create(
        device=device,
        request_id=told.request_id,
        place=place,
        offer=offer,
        cashier=cashier,
        text=told.text[:500],
        scanned_at=told.scanned_at,
        uploaded_at=now,
        state=UploadState.EXCEPTION if reason else UploadState.ACCEPTED,
        reason=reason,
        redemption=redemption,
    )
    return kept


def _kept(device: str, request_id: UUID) -> Upload | None:
    found: Upload | None = (
        Upload.objects.with_scopes_disabled()
        .select_related("redemption", "offer")
        .filter(device=device, request_id=request_id)
        .first()
    )
    return found
