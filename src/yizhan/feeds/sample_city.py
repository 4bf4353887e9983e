"""Partners of the demo, all simulated and called so: they show what the pages look like in use.

Nothing is sent anywhere: two read by themselves; of the third, whose address leads nowhere, this sample writes the
answers, and it is paused before the demo's worker sees it. What each shows is an export that this sample writes, with
the faults that real ones have, and which is compared as a real one is.
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
from yizhan.unions.webhooks import Answer

from .models import Carrier, Listing, Partner
from .presets import PRESETS
from .pushing import outbox
from .pushing.loads import Result
from .services.partner_rules import PartnerFacts, facts_of
from .services.partners import create_partner, pause
from .services.proof import watch_red_list
from .services.reconciling import reconcile
from .services.sequence import sequence_changes

_GIVEN_UP = ("城东路临时服务点（示例，已迁走）", "花园路商圈工会驿站（示例，已拆除）")
_WHERE = ((113.6841, 34.7432), (113.6812, 34.7868))
_MOVED_M = 160
_DEGREES_PER_METRE = 1 / 91_000  # of longitude, about here
_LONGEST_NAME, _TOO_LONG = 18, "名称过长，请缩短（模拟）"
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
    address: str = ""  # where changes are pushed to; empty: it reads by itself


_SAMPLES = (
    _Sample("amap", "高德地图（模拟）", 0.88, by_number=False, shows_closed=2, red_days=3),
    _Sample("baidu", "百度地图（模拟）", 0.71, by_number=False, shows_closed=1, red_days=7),
    _Sample(
        "union_app",
        "12351 应用（模拟）",
        0.97,
        by_number=True,
        shows_closed=0,
        red_days=3,
        address="https://app-12351.example/places",
    ),
)


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Three simulated partners of the city, each compared once with what it shows; two places closed meanwhile."""
    if Partner.every.filter(union=union, is_simulated=True).exists():
        return
    closing = [_given_up(union, actor, name, *at) for name, at in zip(_GIVEN_UP, _WHERE, strict=True)]
    sequence_changes()
    partners = [(_partner(union, actor, sample), sample) for sample in _SAMPLES]
    for partner, sample in partners:
        if sample.address:
            pause(staff=actor, partner=partner)
        _follow(partner, sample)
    for place in closing:
        close_place(place, actor=actor, reason="场地到期，驿站撤除（示例）")
    sequence_changes()
    chance = random.Random(seed)  # noqa: S311 - a sample, the same each time
    for partner, sample in partners:
        _follow(partner, sample)
        _compare(partner, sample, closing, actor, chance)
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
    way = {"carrier": Carrier.WEBHOOK if sample.address else Carrier.NONE, "address": sample.address}
    facts = PartnerFacts(**{**values, **way, "red_days": sample.red_days})
    return create_partner(staff=actor, union=union, preset=sample.preset, facts=facts, is_simulated=True).partner


def _follow(partner: Partner, sample: _Sample) -> None:
    """Bring the listings into step; where changes are pushed, take all of them but a few names that are too long."""
    while outbox.follow(partner, now=timezone.now()):
        partner.refresh_from_db()
    while sample.address and (load := outbox.next_load(partner)):
        refused = {item.listing: _TOO_LONG for item in load.items if len(str(item.shown.get("name"))) > _LONGEST_NAME}
        taken = [item for item in load.items if item.listing not in refused]
        answer = Answer(200, "simulated")
        outbox.settle(load, Result(answer, taken=taken, refused=refused), now=timezone.now(), took_s=0.14)


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
