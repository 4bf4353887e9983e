"""The directory over HTTP, for other programs. Nearest places are answered by the hot application (`hot.py`)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from yizhan.geo import Datum, convert
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Occupation, Union

from .contact import public_contact
from .hours import Openness
from .models import Access, Place, PlaceKind, PlaceStatus, Users
from .openness import closures_of, state_of
from .queries import public_place, published_places
from .queries.public import with_facts
from .reports.api import router as reports_router
from .rules import checked_datum, checked_position

router = Router(tags=["places"])
router.add_router("", reports_router)
MOST_AT_ONCE = 500


class UnionRef(Schema):
    """The union to which a place belongs."""

    id: UUID
    name: str


class PointOut(Schema):
    """A point in degrees of the answer's datum."""

    lon: float
    lat: float


class EquipmentOut(Schema):
    """Something at a place that can break or run out. `usable`: it works and is in date."""

    name: str
    offer: str | None = Field(description="Code of the offer that it makes possible")
    usable: bool
    broken_since: date | None
    expires_on: date | None = Field(description="First day on which it may not be used any more")


class ClosureOut(Schema):
    """A stretch of time in which the place is shut whatever its hours say; half-open."""

    starts_at: datetime
    ends_at: datetime
    reason: str


class PhotoOut(Schema):
    """A photo, as JPEG; `small` for lists."""

    url: str
    small: str
    alt: str
    width: int
    height: int


class PlaceOut(Schema):
    """A published place, or one that was: suspended, or closed for good. `lon`, `lat` are degrees of `datum`.

    Nobody is to be led to a place whose `status` is not `published`. That of a deactivated union is `suspended`.
    """

    id: UUID
    name: str
    kind: PlaceKind
    status: PlaceStatus
    address: str
    district: str
    union: UnionRef
    lon: float
    lat: float
    datum: Datum
    hours: str = Field(description="OSM opening_hours syntax; empty: unknown")
    open_now: Openness
    changes_at: datetime | None = Field(description="When that changes; null: not within two weeks")
    contact: str = Field(description="Private mobile numbers are masked")
    offers: list[str]
    entrance: PointOut | None = Field(description="The door, when it is not at the position")
    parking: PointOut | None = Field(description="Where an e-bike may stand")
    access: Access = Field(description="How to enter; empty: not known")
    access_note: str
    users: Users
    occupations: list[Occupation]
    capacity: int | None
    host: str = Field(description="Who lends the premises")
    operator: str
    funder: str
    stars: int
    verified_at: datetime | None
    equipment: list[EquipmentOut]
    closures: list[ClosureOut] = Field(description="Under way or to come")
    photos: list[PhotoOut]
    revision: int
    changed_at: datetime
    closed_at: datetime | None
    suspended_at: datetime | None
    suspended_until: date | None = Field(description="Day on which it is expected to open again; null: not known")
    status_note: str = Field(description="Why it is suspended or closed")
    url: str


class PlacesOut(Schema):
    """One page of places. Ask again with `cursor=next` for the following; null: this was the last."""

    datum: Datum
    places: list[PlaceOut]
    next: UUID | None


class PlacesIn(Schema):
    """What to list."""

    datum: str = Field("WGS-84", description="Of the positions in the answer and of `bbox`: WGS-84, GCJ-02 or BD-09")
    bbox: str = Field("", description="west,south,east,north in degrees of `datum`, which must then be given")
    kind: PlaceKind | None = None
    offer: str = Field("", description="Only places that offer this code")
    union: UUID | None = Field(None, description="Only places of this union and those below")
    cursor: UUID | None = None
    limit: int = Field(100, ge=1, le=MOST_AT_ONCE)


@router.get("/places", response=PlacesOut, url_name="places_list", summary="Published places")
def list_places(request: HttpRequest, query: Query[PlacesIn]) -> PlacesOut:
    """Published places, in a stable order."""
    datum = checked_datum(query.datum)
    places = with_facts(
        published_places(kinds=[query.kind] if query.kind else (), offers=[query.offer] if query.offer else ())
    ).order_by("public_id")
    if query.bbox:
        if "datum" not in request.GET:
            checked_datum("")  # a box is made of positions, and every position that comes in says its datum
        west, south, east, north = _box(query.bbox, datum)
        places = places.filter(lon__range=(west, east), lat__range=(south, north))
    if query.union:
        places = places.filter(union__path__startswith=_union_path(query.union))
    if query.cursor:
        places = places.filter(public_id__gt=query.cursor)
    page = list(places[: query.limit + 1])
    more = len(page) > query.limit
    page = page[: query.limit]
    now = timezone.now()
    return PlacesOut(
        datum=datum, places=[_shown(place, datum, now) for place in page], next=page[-1].public_id if more else None
    )


@router.get("/places/{uuid:public_id}", response=PlaceOut, url_name="place", summary="One place")
def one_place(request: HttpRequest, public_id: UUID, datum: str = "WGS-84") -> PlaceOut:
    """A published place; one that is suspended or closed for good stays readable and says so in `status`."""
    shown_in = checked_datum(datum)
    try:
        place = public_place(public_id)
    except Place.DoesNotExist:
        raise Http404 from None
    return _shown(place, shown_in, timezone.now())


class PositionOut(Schema):
    """A position in degrees of `datum`."""

    lon: float
    lat: float
    datum: Datum


@router.get("/positions/convert", response=PositionOut, url_name="convert", summary="A position in another datum")
def convert_position(request: HttpRequest, lon: float, lat: float, datum: str, answer_datum: str) -> PositionOut:
    """From `datum` to `answer_datum`, rounded to a decimetre. The position must lie in China."""
    source, target = checked_datum(datum), checked_datum(answer_datum)
    problems: list[Problem] = []
    x, y = checked_position(lon, lat, source, problems)
    if problems:
        raise RuleBroken(problems)
    x, y = convert(x, y, source=Datum.WGS84, target=target)
    return PositionOut(lon=round(x, 6), lat=round(y, 6), datum=target)


def _shown(place: Place, datum: Datum, at: datetime) -> PlaceOut:
    lon, lat = place.position(datum)
    state = state_of(place, at)
    closed = not place.is_public
    return PlaceOut(
        id=place.public_id,
        name=place.name,
        kind=PlaceKind(place.kind),
        status=PlaceStatus.SUSPENDED if place.is_published and closed else PlaceStatus(place.status),
        address=place.address,
        district=place.district,
        union=UnionRef(id=place.union.public_id, name=place.union.name),
        lon=round(lon, 6),
        lat=round(lat, 6),
        datum=datum,
        hours=place.hours,
        open_now=Openness.NO if closed else state.state,
        changes_at=None if closed else state.changes_at,
        contact="" if closed else public_contact(place),
        offers=[] if closed else [offer.kind.code for offer in place.public_offers],  # type: ignore[attr-defined]
        entrance=_point(place.entrance, datum),
        parking=_point(place.parking, datum),
        access=Access(place.access),
        access_note="" if closed else place.access_note,
        users=Users(place.users),
        occupations=[Occupation(code) for code in place.occupations],
        capacity=place.capacity,
        host=place.host.name if place.host else place.host_name,
        operator=(place.operator or place.union).name,
        funder=place.funder.name if place.funder else "",
        stars=place.stars,
        verified_at=place.verified_at,
        equipment=[
            EquipmentOut(
                name=thing.name,
                offer=thing.offer.code if thing.offer else None,
                usable=thing.is_usable,
                broken_since=thing.broken_since,
                expires_on=thing.expires_on,
            )
            for thing in place.public_equipment  # type: ignore[attr-defined]
        ],
        closures=[
            ClosureOut(starts_at=one.starts_at, ends_at=one.ends_at, reason=one.reason) for one in closures_of(place)
        ],
        photos=[
            PhotoOut(url=one.file.url, small=one.small.url, alt=one.alt, width=one.width, height=one.height)
            for one in place.public_photos  # type: ignore[attr-defined]
        ],
        revision=place.revision,
        changed_at=place.changed_at,
        closed_at=place.closed_at,
        suspended_at=place.suspended_at,
        suspended_until=place.suspended_until,
        status_note=place.status_note,
        url=place.get_absolute_url(),
    )


def _point(point: tuple[float, float] | None, datum: Datum) -> PointOut | None:
    if point is None:
        return None
    lon, lat = convert(*point, source=Datum.WGS84, target=datum)
    return PointOut(lon=round(lon, 6), lat=round(lat, 6))


def _box(text: str, datum: Datum) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        fits = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    except ValueError:
        fits = False
    if not fits:
        raise RuleBroken.at("bbox", text[:80], _("Write west,south,east,north in degrees."), "bbox")
    if datum is Datum.WGS84:
        return west, south, east, north
    corners = [convert(lon, lat, source=datum, target=Datum.WGS84) for lon in (west, east) for lat in (south, north)]
    lons, lats = zip(*corners, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _union_path(public_id: UUID) -> str:
    path = Union.objects.filter(public_id=public_id).values_list("path", flat=True).first()
    if path is None:
        raise RuleBroken.at("union", str(public_id), _("There is no such union."), "unknown_union")
    return path
