"""What a programme offers where, and how its price is split."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.benefits.actions import OFFER_CHANGED
from yizhan.benefits.models import (
    Account,
    AccountKind,
    BenefitOffer,
    OfferShare,
    PartyKind,
    Programme,
    ProgrammeState,
)
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.benefits.split import Part, split
from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

from .ledger import account_of
from .programmes import locked


@transaction.atomic
def set_offer(
    programme: Programme,
    *,
    place: Place,
    name: str,
    list_price_fen: int,
    parts: Sequence[Part],
    actor: Staff | Operator,
    offer: BenefitOffer | None = None,
    is_active: bool = True,
) -> BenefitOffer:
    """Add an offer to a programme, or change `offer`. A new price or split holds from the next redemption on.

    Args:
        place: The merchant; of the programme's union or below it.
        parts: Who pays what; exactly one without an amount takes the remainder.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
        RuleBroken: the split, the name or the place breaks a rule; the programme has ended.
    """
    current = locked(programme)
    policy.require(actor, MANAGE_PROGRAMMES, current.union)
    name = " ".join(name.split())
    if current.state == ProgrammeState.ENDED:
        raise RuleBroken.at("", None, _("A programme that has ended stays as it is."), "ended")
    if not 1 <= len(name) <= 60:
        raise RuleBroken.at("name", name, _("A name has 1 to 60 characters."), "required")
    if not place.union.path.startswith(current.union.path) or place.status == PlaceStatus.CLOSED:
        message = _("The place belongs to another union or is closed for good.")
        raise RuleBroken.at("place", place.name, message, "wrong_place")
    if offer is not None and offer.place_id != place.pk:
        raise RuleBroken.at("place", place.name, _("An offer stays at its place; add another one."), "wrong_place")
    whole = split(list_price_fen, parts)
    _check_unions(current, whole.parts)
    twins = BenefitOffer.objects.with_scopes_disabled().filter(programme=current, place=place, name=name)
    if twins.exclude(pk=offer.pk if offer else None).exists():
        raise RuleBroken.at("name", name, _("This place has another offer of this name."), "taken")
    row = offer or BenefitOffer(programme=current, place=place)
    row.name, row.list_price_fen, row.is_active = name, list_price_fen, is_active
    row.worker_fen, row.merchant_fen = whole.of(PartyKind.WORKER), whole.of(PartyKind.MERCHANT)
    if offer is None:
        row.merchant_account = account_of(AccountKind.MERCHANT, place=place)
    row.save()
    shares = OfferShare.objects.with_scopes_disabled()
    shares.filter(offer=row).delete()
    shares.bulk_create(
        OfferShare(
            offer=row,
            party=part.party,
            account=account_of_part(part, programme=current, place=place),
            fen=part.fen or 0,  # a split knows every amount
            takes_remainder=index == whole.remainder,
        )
        for index, part in enumerate(whole.parts)
    )
    details = {"offer": name, "price_yuan": f"{list_price_fen / 100:.2f}"}
    record(actor, OFFER_CHANGED, union=current.union, target=current, details=details)
    return row


@transaction.atomic
def set_offer_active(offer: BenefitOffer, *, is_active: bool, actor: Staff | Operator) -> BenefitOffer:
    """Take an offer off, or put it on again.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
    """
    current = locked(offer.programme)
    policy.require(actor, MANAGE_PROGRAMMES, current.union)
    row: BenefitOffer = BenefitOffer.objects.with_scopes_disabled().select_for_update().get(pk=offer.pk)
    if row.is_active != is_active:
        row.is_active = is_active
        row.save(update_fields=["is_active"])
        record(actor, OFFER_CHANGED, union=current.union, target=current, details={"offer": row.name})
    return row


def parts_of(offer: BenefitOffer) -> list[Part]:
    """An offer's split as it was entered: the party that takes the remainder has no amount."""
    shares = OfferShare.objects.with_scopes_disabled().filter(offer=offer).select_related("account__union")
    return [
        Part(
            PartyKind(share.party),
            None if share.takes_remainder else share.fen,
            union=share.account.union if share.party == PartyKind.UNION else None,
            name=share.account.name,
        )
        for share in shares.order_by("pk")
    ]


def account_of_part(part: Part, *, programme: Programme, place: Place) -> Account:
    """Where a party's share is booked."""
    if part.party == PartyKind.WORKER:
        return account_of(AccountKind.WORKER_SHARE, programme=programme)
    if part.party == PartyKind.MERCHANT:
        return account_of(AccountKind.MERCHANT_SHARE, place=place)
    if part.party == PartyKind.UNION:
        return account_of(AccountKind.UNION, union=part.union)
    kind = AccountKind.PLATFORM if part.party == PartyKind.PLATFORM else AccountKind.SPONSOR
    return account_of(kind, union=programme.union, name=" ".join(part.name.split())[:60])


def _check_unions(programme: Programme, parts: Sequence[Part]) -> None:
    """Unions that pay are the programme's own, those above it and those below it: never a neighbour."""
    for part in parts:
        if part.union is None or part.party != PartyKind.UNION:
            continue
        own, paying = programme.union.path, part.union.path
        if not (own.startswith(paying) or paying.startswith(own)):
            message = _("“%(union)s” stands beside the programme's union; only it, those above and below it pay.")
            raise RuleBroken.at("parts", part.union.name, message % {"union": part.union.name}, "wrong_union")
