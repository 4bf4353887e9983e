"""What proves a rescue: the rescuer's photo and position of this very attempt, and the rider's word."""

from __future__ import annotations

from dataclasses import dataclass

from yizhan.geo import haversine_m
from yizhan.rescue import reasons
from yizhan.rescue.models import By, CallEvent, CallEventKind, CallPhoto, CallState, RescueCall


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is of a finished call. `distance_m` is between the rider's mark and the rescuer; None: not told."""

    has_photo: bool
    distance_m: int | None
    has_word: bool

    def lacks(self, *, radius_m: int) -> str:
        """The first thing that is missing, as a code of `reasons`; empty when it is whole."""
        if not self.has_word:
            return reasons.NO_WORD
        if not self.has_photo:
            return reasons.NO_PHOTO
        if self.distance_m is None:
            return reasons.NO_POSITION
        return reasons.TOO_FAR if self.distance_m > radius_m else ""


def evidence_of(call: RescueCall) -> Evidence:
    """What was kept since whoever finished the call took it; what others left before proves nothing of theirs."""
    since = call.accepted_at or call.received_at
    photos = CallPhoto.objects.with_scopes_disabled().filter(call=call, by=By.RESCUER, at__gte=since)
    stood = (
        CallEvent.objects.with_scopes_disabled()
        .filter(
            call=call, rescuer=call.rescuer_id, at__gte=since, lon__isnull=False,
            kind__in=[CallEventKind.ARRIVED, CallEventKind.DONE],
        )
        .values_list("lon", "lat")
    )  # fmt: skip
    metres = [round(haversine_m(lon, lat, call.lon, call.lat)) for lon, lat in stood]
    return Evidence(
        has_photo=photos.exists(),
        distance_m=min(metres) if metres else None,
        has_word=call.state == CallState.CONFIRMED,
    )
