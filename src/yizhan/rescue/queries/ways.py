"""The ways that rescuers went: from where and when they set out to where and when they arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from yizhan.geo import haversine_m
from yizhan.rescue.calibration import Way
from yizhan.rescue.models import CallEvent, CallEventKind
from yizhan.rescue.services.log import database_now


def finished_ways(*, days: int) -> Iterator[Way]:
    """The ways of the last days, of whoever set out and then arrived; both positions are those that were told."""
    steps = (
        CallEvent.objects.with_scopes_disabled()
        .filter(
            kind__in=[CallEventKind.ON_WAY, CallEventKind.ARRIVED],
            at__gte=database_now() - timedelta(days=days),
            lon__isnull=False,
            rescuer__isnull=False,
        )
        .order_by("call", "number")
        .values_list("call", "kind", "rescuer", "rescuer__vehicle", "at", "lon", "lat")
    )
    began = None
    for step in steps.iterator(chunk_size=2000):
        call, kind, rescuer, vehicle, at, lon, lat = step
        if kind == CallEventKind.ARRIVED and began is not None and (began[0], began[2]) == (call, rescuer):
            metres = float(haversine_m(began[5], began[6], lon, lat))
            yield Way(vehicle, metres, (at - began[4]).total_seconds())
        began = step if kind == CallEventKind.ON_WAY else None
