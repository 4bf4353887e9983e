"""Visits as phones send them: what they take along, and what they bring back when there is a network again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile
from ninja.security import django_auth
from pydantic import Field

from yizhan.cases.models import Visit, VisitKind, VisitSave
from yizhan.cases.outreach_rights import RECORD_VISITS
from yizhan.cases.services.visits import MOST_NEEDS, add_photo, keep_present, save_visit
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed, policy

from . import queries
from .facts import LONGEST_WORDS, MOST_PEOPLE, NeedFacts, VisitFacts, facts_of, from_kept, kept

router = Router(tags=["visits"], auth=django_auth)
_RECENT = 20


class NamedOut(Schema):
    """A worker, union or stop by name."""

    id: UUID
    name: str


class StopOut(NamedOut):
    """A stop of today's round; `place` and `union` fill the form. WGS-84 degrees."""

    kind: VisitKind
    address: str
    note: str
    place: UUID | None
    union: UUID | None
    worker: UUID | None
    lon: float | None
    lat: float | None


class FactsIO(Schema):
    """A visit. `at` with its zone; `lon`, `lat` in WGS-84 degrees; `people` are workers by their ids."""

    kind: VisitKind
    at: datetime
    where: str = Field(max_length=200)
    minutes: int | None = None
    company: str = Field("", max_length=200)
    place: UUID | None = None
    union: UUID | None = None
    stop: UUID | None = None
    lon: float | None = None
    lat: float | None = None
    counted: int = 0
    people: list[UUID] = Field(default_factory=list, max_length=MOST_PEOPLE)
    words: str = Field("", max_length=LONGEST_WORDS)


class NeedIn(Schema):
    """A need heard; `client_id` is made on the phone."""

    client_id: UUID
    title: str = Field(max_length=200)
    text: str = Field("", max_length=2_000)
    kind: str = Field("need", max_length=24)
    worker: UUID | None = None


class VisitIn(Schema):
    """One save. `request_id`: made once a save; `base`: the revision it is based on, 0 for a new visit; `settles`: the
    `request_id` of a save that was set aside and is settled by this one."""

    request_id: UUID
    base: int = Field(ge=0, le=2_000_000_000)
    facts: FactsIO
    needs: list[NeedIn] = Field(default_factory=list, max_length=MOST_NEEDS)
    settles: UUID | None = None


class VisitOut(Schema):
    """A visit as it stands."""

    client_id: UUID
    id: UUID
    url: str
    revision: int
    facts: FactsIO
    needs: list[str] = Field(description="Numbers of the cases that were made of the needs heard")
    photos: int


class DifferenceOut(Schema):
    """A field in which two versions differ, in the reader's words."""

    field: str
    label: str
    present: str
    yours: str


class ConflictOut(Schema):
    """The save was set aside: someone changed the visit meanwhile. Show both; nothing is lost."""

    title: str
    status: Literal[409] = 409
    visit: VisitOut
    yours: FactsIO
    differences: list[DifferenceOut]
    request_id: UUID


class KitOut(Schema):
    """What a phone takes along; kept there for seven days at most, and only for this post."""

    post: UUID
    name: str
    union: str
    csrf: str
    kinds: list[tuple[str, str]]
    stops: list[StopOut]
    workers: list[NamedOut]
    unions: list[NamedOut]
    recent: list[VisitOut]


class PhotoOut(Schema):
    """A picture that was kept."""

    id: UUID


@router.get("/visits/kit", response=KitOut, url_name="visit_kit", summary="What a phone takes along on visits")
def kit(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The acting post's round of today, the people it is linked with, and its latest visits."""
    response["Cache-Control"] = "private, no-store"
    staff = _staff(request)
    found = queries.field_kit(staff, day=timezone.localdate())
    recent = queries.visits(for_staff=staff).filter(post=staff)[:_RECENT]
    return {
        "post": staff.public_id,
        "name": str(staff.user),
        "union": staff.union.name,
        "csrf": get_token(request),
        "kinds": [(str(kind), str(kind.label)) for kind in VisitKind],
        "stops": [
            {
                "id": stop.public_id,
                "name": stop.name,
                "kind": stop.kind,
                "address": stop.address,
                "note": stop.note,
                "place": stop.place.public_id if stop.place else None,
                "union": stop.linked_union.public_id if stop.linked_union else None,
                "worker": stop.worker.public_id if stop.worker else None,
                "lon": stop.lon,
                "lat": stop.lat,
            }
            for stop in found.stops
        ],
        "workers": [{"id": worker.public_id, "name": str(worker)} for worker in found.workers],
        "unions": [{"id": union.public_id, "name": union.name} for union in found.unions],
        "recent": [_shown(visit) for visit in recent],
    }


@router.get("/visits/{uuid:client_id}", response=VisitOut, url_name="visit_sync", summary="A visit of one's own")
def one(request: HttpRequest, response: HttpResponse, client_id: UUID) -> dict[str, Any]:
    """As it stands now."""
    response["Cache-Control"] = "private, no-store"
    return _shown(_own(_staff(request), client_id))


@router.put(
    "/visits/{uuid:client_id}",
    response={200: VisitOut, 201: VisitOut, 409: ConflictOut},
    url_name="visit_sync",
    summary="Save a visit",
)
def save(request: HttpRequest, client_id: UUID, told: VisitIn) -> Status[dict[str, Any]]:
    """Idempotent in `request_id`. 409: someone changed it meanwhile; what was sent is kept, and shown beside."""
    staff = _staff(request)
    done = save_visit(
        actor=staff,
        client_id=client_id,
        request_id=told.request_id,
        base=told.base,
        facts=VisitFacts(**told.facts.dict()),
        needs=[NeedFacts(**need.dict()) for need in told.needs],
        settles=_aside(staff, client_id, told.settles),
    )
    if done.is_taken:
        return Status(201 if done.save.revision == 1 else 200, _shown(done.visit))
    return Status(409, _conflict(done.visit, done.save))


@router.post(
    "/visits/{uuid:client_id}/settle/{uuid:request_id}",
    response=VisitOut,
    url_name="visit_settle",
    summary="Let what stands hold",
)
def settle(request: HttpRequest, client_id: UUID, request_id: UUID) -> dict[str, Any]:
    """Settle a save that was set aside in favour of what stands; its words stay in the history."""
    staff = _staff(request)
    aside = _aside(staff, client_id, request_id)
    assert aside is not None  # noqa: S101 - it was given
    keep_present(actor=staff, save=aside)
    return _shown(_own(staff, client_id))


@router.post(
    "/visits/{uuid:client_id}/photos/{uuid:photo_id}",
    response=PhotoOut,
    url_name="visit_photo_sync",
    summary="Add a photo to a visit",
)
def photo(request: HttpRequest, client_id: UUID, photo_id: UUID, photo: File[UploadedFile]) -> dict[str, Any]:
    """Idempotent in `photo_id`. The picture is written anew, without position, time and device."""
    staff = _staff(request)
    added = add_photo(actor=staff, visit=_own(staff, client_id), client_id=photo_id, content=photo.read())
    return {"id": added.public_id}


def _staff(request: HttpRequest) -> Staff:
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        raise PermissionDenied(_("This is for those who hold a post at a union."))
    if not policy.holds(staff, RECORD_VISITS):
        raise NotAllowed(RECORD_VISITS, staff.union)
    return staff


def _own(staff: Staff, client_id: UUID) -> Visit:
    found: Visit | None = queries.visits(for_staff=staff).filter(post=staff, client_id=client_id).first()
    if found is None:
        raise Http404
    return found


def _aside(staff: Staff, client_id: UUID, request_id: UUID | None) -> VisitSave | None:
    if request_id is None:
        return None
    try:
        return queries.save_of(_own(staff, client_id), request_id)
    except VisitSave.DoesNotExist:
        raise Http404 from None


def _shown(visit: Visit) -> dict[str, Any]:
    return {
        "client_id": visit.client_id,
        "id": visit.public_id,
        "url": visit.get_absolute_url(),
        "revision": visit.revision,
        "facts": kept(facts_of(visit)),
        "needs": [need.case.number for need in queries.needs_of(visit)],
        "photos": len(queries.photos_of(visit)),
    }


def _conflict(visit: Visit, aside: VisitSave) -> dict[str, Any]:
    yours = from_kept(aside.facts)
    return {
        "title": _("Someone changed this visit meanwhile"),
        "visit": _shown(visit),
        "yours": aside.facts,
        "differences": [
            {"field": each.field, "label": each.label, "present": each.present, "yours": each.other}
            for each in queries.differences(visit, yours)
        ],
        "request_id": aside.request_id,
    }
