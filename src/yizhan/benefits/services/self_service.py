"""A worker redeems at the merchant's plate: chooses the meal, confirms, and shows the live ticket."""

from __future__ import annotations

from uuid import UUID

from yizhan.benefits.models import BenefitOffer, Channel
from yizhan.geo import haversine_m
from yizhan.unions.models import Worker

from .redeeming import Receipt, redeem


def redeem_at_plate(
    worker: Worker, offer: BenefitOffer, *, request_id: UUID, position: tuple[float, float] | None = None
) -> Receipt:
    """Redeem an offer for the worker who stands at the merchant's.

    Args:
        worker: Who confirmed it on their own phone.
        offer: With `place` loaded.
        request_id: Made with the page that asked; a second tap or a repeated request counts once.
        position: Longitude and latitude in WGS-84 degrees, when the phone says it. Only the distance is kept.

    Raises:
        Refused: a rule refuses it; nothing was written.
    """
    place = offer.place
    distance = None if position is None else min(round(haversine_m(*position, place.lon, place.lat)), 2_000_000)
    return redeem(
        offer=offer,
        worker=worker,
        request_id=request_id,
        device=f"worker-{worker.public_id.hex}",
        actor=worker.user,
        channel=Channel.PLATE,
        distance_m=distance,
    )
