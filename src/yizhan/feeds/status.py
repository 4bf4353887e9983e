"""The fast facts: who is open now, and what is out of order there."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import msgspec
from django.db.models import Q
from django.utils import timezone

from yizhan.places.contact import masked
from yizhan.places.index import Moment
from yizhan.places.models import Equipment
from yizhan.places.occupancy import occupancies_now
from yizhan.places.prepared import Prepared

TTL_S = 60
_encode = msgspec.json.Encoder().encode


class Status:
    """`status.json` of an index of places, made anew when somebody opens or closes or the directory has changed.

    `occupancy` is what the keeper told within the last hour, null where nobody did; told numbers are read at most once
    in `TTL_S`.
    """

    def __init__(self) -> None:
        self._held: tuple[Prepared, Moment, int, date, dict[str, int], bytes] | None = None
        self._occupied: dict[str, int] = {}
        self._occupied_at_s = -TTL_S

    def body(self, ready: Prepared, sequence: int, *, at_s: int | None = None) -> bytes:
        """The JSON at a time (UTC epoch seconds), from the index and the equipment as stored now."""
        at_s = int(time.time()) if at_s is None else at_s
        moment = ready.index.moment(at_s)
        held = self._held
        today = timezone.localdate()  # dates of equipment pass at midnight
        if not 0 <= at_s - self._occupied_at_s < TTL_S:
            self._occupied, self._occupied_at_s = occupancies_now(datetime.fromtimestamp(at_s, UTC)), at_s
        occupied = self._occupied
        if held is not None and held[:5] == (ready, moment, sequence, today, occupied):
            return held[5]
        broken = _out_of_order()
        opens, unknowns, changes = moment.is_open.tolist(), moment.is_unknown.tolist(), moment.changes_s.tolist()
        entries = [
            b'{"place_id":"%s","open":"%s","changes_at":%s,"occupancy":%s,"out_of_order":%s}'
            % (
                public_id.encode(),
                b"yes" if is_open else b"unknown" if is_unknown else b"no",
                b"%d" % changes_s if changes_s else b"null",
                b"%d" % occupied[public_id] if public_id in occupied else b"null",
                broken.get(public_id, b"[]"),
            )
            for public_id, is_open, is_unknown, changes_s in zip(ready.ids, opens, unknowns, changes, strict=True)
        ]
        body = b'{"last_updated":%d,"ttl":%d,"version":"1.0","sequence":%d,"data":{"places":[\n%s\n]}}' % (
            at_s,
            TTL_S,
            sequence,
            b",\n".join(entries),
        )
        self._held = (ready, moment, sequence, today, occupied, body)
        return body


def _out_of_order() -> dict[str, bytes]:
    """Names of equipment that is broken or past its date, by public identifier of the place, as JSON."""
    found: dict[str, list[str]] = {}
    unusable = Equipment.published.filter(Q(broken_since__isnull=False) | Q(expires_on__lte=timezone.localdate()))
    for public_id, name in unusable.order_by("name").values_list("place__public_id", "name"):
        found.setdefault(str(public_id), []).append(masked(name))
    return {public_id: _encode(names) for public_id, names in found.items()}
