"""Partners of the demo, all simulated and called so: they show what the pages look like in use.

Nothing is sent anywhere: their way is “reads itself”, so that the demo's worker finds nothing to do. What each shows is
an export that this sample writes, with the faults that real ones have, and which is compared as a real one is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils import timezone

from yizhan.geo import Datum, convert
from yizhan.places.facts import PlaceFacts
from yizhan.places.models import Place, PositionSource
from yizhan.places.services import Look, close_place, create_place, publish_place, verify_place
from yizhan.places.services.verification import ITEMS, OK
from yizhan.unions.models import Staff, Union

from .models import Carrier, Listing, Partner
from .presets import PRESETS
from .pushing import outbox
from .services.partner_rules import PartnerFacts, facts_of
from .services.partners import create_partner, pause
from .services.proof import Saying, hear, watch_red_list
from .services.reconciling import reconcile
from .services.sequence import sequence_changes

_GIVEN_UP = ("城东路临时服务点（示例，已迁走）", "花园路商圈工会驿站（示例，已拆除）")
_WHERE = ((113.6841, 34.7432), (113.6812, 34.7868))
_MOVED_M = 160
_DEGREES_PER_METRE = 1 / 91_000  # of longitude, about here
_FOREIGN = "某某便利店（模拟）"


@dataclass(frozen=True, slots=True)
class _Sample:
    """A simulated partner: which share of the places it shows, and whether it knows them by our numbers."""

    preset: str
    name: str
    share: float
    by_number: bool
    shows_closed: int
    red_days: int


_SAMPLES = (
    _Sample("amap", "高德地图（模拟）", 0.88, by_number=False, shows_closed=2, red_days=3),
    _Sample("baidu", "百度地图（模拟）", 0.71, by_number=False, shows_closed=1, red_days=7),
    _Sample("union_app", "12351 应用（模拟）", 0.97, by_number=True, shows_closed=0, red_days=3),
)


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Three simulated partners of the city, each compared once with what it shows; two places closed meanwhile."""
    if Partner.every.filter(union=union, is_simulated=True).exists():
        return
    closing = [_given_up(union, actor, name, *at) for name, at in zip(_GIVEN_UP, _WHERE, strict=True)]
    sequence_changes()
    partners = [(_partner(union, actor, sample), sample) for sample in _SAMPLES]
    for partner, _sample in partners:
        _follow(partner)
    for place in closing:
        close_place(place, actor=actor, reason="场地到期，驿站撤除（示例）")
    sequence_changes()
    chance = random.Random(seed)  # noqa: S311 - a sample, the same each time
    for partner, sample in partners:
        _compare(partner, sample, closing, actor, chance)
        pause(staff=actor, partner=partner)  # it stays as it is: no real map moves on behind it
    watch_red_list()


def _given_up(union: Union, actor: Staff, name: str, lon: float, lat: float) -> Place:
    facts = PlaceFacts(
        name=name,
        lon=lon,
        lat=lat,
        datum=Datum.WGS84,
        hours="08:00-20:00",
        offers=("water", "rest"),
        position_source=PositionSource.SAMPLE,
    )
    place = create_place(facts, union=union, actor=actor, source="sample")
    verify_place(place, Look(findings=dict.fromkeys(ITEMS, OK), note="示例数据"), actor=actor)
    return publish_place(place, actor=actor)


def _partner(union: Union, actor: Staff, sample: _Sample) -> Partner:
    known = facts_of(PRESETS[sample.preset], name=sample.name)
    values = {field: getattr(known, field) for field in PartnerFacts.__slots__}
    facts = PartnerFacts(**{**values, "carrier": Carrier.NONE, "address": "", "red_days": sample.red_days})
    return create_partner(staff=actor, union=union, preset=sample.preset, facts=facts, is_simulated=True).partner


def _follow(partner: Partner) -> None:
    while outbox.follow(partner, now=timezone.now()):
        partner.refresh_from_db()


def _compare(partner: Partner, sample: _Sample, closed: Sequence[Place], actor: Staff, chance: random.Random) -> None:
    wanted = Listing.every.filter(partner=partner, is_wanted=True).exclude(place__in=closed)
    places = [listing.place for listing in wanted.select_related("place").order_by("pk")]
    shown = [place for place in places if chance.random() < sample.share]
    features = [_feature(place, partner, sample) for place in shown]
    if len(features) > 3:
        features[0] = _feature(shown[0], partner, sample, name=f"{shown[0].name[:4]}便民点（模拟改名）")
        features[1] = _feature(shown[1], partner, sample, metres=_MOVED_M)
        features[2] = _feature(shown[2], partner, sample, metres=_MOVED_M / 2)
    features += [_feature(place, partner, sample) for place in closed[: sample.shows_closed]]
    if shown:
        features.append({**_feature(shown[-1], partner, sample, name=_FOREIGN, metres=3_000), "id": "foreign"})
    content = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    reconcile(content, file_name=f"{sample.preset}-simulated.geojson", partner=partner, actor=actor)
    if not sample.by_number:
        return
    refused = [place for place in places if place not in shown][:2]
    hear(partner, [Saying(place.public_id, "refused", note="名称过长，请缩短（模拟）") for place in refused])


def _feature(place: Place, partner: Partner, sample: _Sample, *, name: str = "", metres: float = 0.0) -> dict[str, Any]:
    """A place as the partner shows it, in its datum; `metres` to the east of where it is."""
    lon, lat = convert(
        place.lon + metres * _DEGREES_PER_METRE, place.lat, source=Datum.WGS84, target=Datum(partner.datum)
    )
    number = str(place.public_id) if sample.by_number else f"{sample.preset}-{place.pk}"
    return {
        "type": "Feature",
        "id": number,
        "properties": {"name": name or place.name},
        "geometry": {"type": "Point", "coordinates": [round(float(lon), 6), round(float(lat), 6)]},
    }
