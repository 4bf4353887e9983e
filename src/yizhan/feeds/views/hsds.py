"""Open Referral HSDS 3.0: organizations, services, locations, services at locations, schedules, the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from yizhan.feeds.answers import answered, as_json, only_known, problem
from yizhan.feeds.asking import moment_of
from yizhan.feeds.hsds import telling
from yizhan.feeds.hsds.identifiers import OFFERS_TAXONOMY
from yizhan.feeds.models import PlaceChange
from yizhan.feeds.queries import hsds as queries
from yizhan.places.models import Offer
from yizhan.places.parameters import QueryRefused, whole_number
from yizhan.unions.models import Union

PROFILE = "https://docs.openreferral.org/en/3.0/"
VERSION = "3.0"
MOST, USUAL = 500, 50
PAGES = ("page", "per_page")


@answered
def root(request: HttpRequest) -> HttpResponseBase:
    only_known(request.GET, ())
    return as_json({"version": VERSION, "profile": PROFILE, "openapi_url": f"{settings.BASE_URL}/api/openapi.json"})


@answered
def organizations(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, (*PAGES, "search"))
    unions = queries.organizations(query.get("search", "").replace("\0", ""))

    def told(part: Sequence[Union]) -> list[Any]:
        above = queries.ancestors_of(union.path for union in part)
        return [telling.organization(union, above) for union in part]

    return _page(query, unions.count(), unions, told)


@answered
def organization(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    union = queries.unions_by_id([identifier]).get(identifier)
    if union is None:
        return _missing(request)
    return as_json(telling.organization(union, queries.ancestors_of([union.path])))


@answered
def services(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, (*PAGES, "organization_id", "taxonomy_term_id"))
    pairs = queries.services(union=_uuid(query, "organization_id"), code=_code(query))

    def told(part: Sequence[queries.Pair]) -> list[Any]:
        unions, kinds = queries.unions_by_id(union for union, _code in part), queries.kinds_by_code()
        above = queries.ancestors_of(union.path for union in unions.values())
        return [telling.listed_service(unions[union], kinds[code], above) for union, code in part]

    return _page(query, len(pairs), pairs, told)


@answered
def service(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    pair = queries.pair_of(identifier)
    if pair is None:
        return _missing(request)
    union = queries.unions_by_id([pair[0]])[pair[0]]
    above = queries.ancestors_of([union.path])
    told = telling.service(union, queries.kinds_by_code()[pair[1]])
    return as_json({**told, "organization": telling.organization(union, above)})


@answered
def locations(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, (*PAGES, "organization_id", "modified_after", "search"))
    places = queries.locations(
        union=_uuid(query, "organization_id"),
        modified_after=_moment(query),
        search=query.get("search", "").replace("\0", ""),
    )

    def told(part: Sequence[PlaceChange]) -> list[Any]:
        above = queries.ancestors_of(change.union_path for change in part)
        return [telling.location(change, above) for change in part]

    return _page(query, places.count(), places, told)


@answered
def location(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    change = PlaceChange.objects.filter(public_id=identifier).first()
    if change is None:
        return _missing(request)
    if change.is_gone:
        return problem(request, 410, _("This place is public no more"), detail=change.gone)
    return as_json(telling.location(change, queries.ancestors_of([change.union_path])))


@answered
def services_at_locations(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, (*PAGES, "organization_id", "taxonomy_term_id", "modified_after"))
    offers = queries.offers(union=_uuid(query, "organization_id"), code=_code(query), modified_after=_moment(query))

    def told(part: Sequence[Offer]) -> list[Any]:
        return [telling.listed_service_at_location(one.place.change, one.place.union, one.kind) for one in part]

    return _page(query, offers.count(), offers, told)


@answered
def service_at_location(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    offer = queries.offer_of(identifier)
    if offer is None:
        return _missing(request)
    place, change = offer.place, offer.place.change
    above = queries.ancestors_of([change.union_path])
    return as_json(telling.service_at_location(change, place.union, offer.kind, above))


@answered
def schedules(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, (*PAGES, "location_id", "organization_id", "modified_after"))
    found = queries.Schedules(
        union=_uuid(query, "organization_id"),
        modified_after=_moment(query),
        location=_uuid(query, "location_id"),
    )
    return _page(query, len(found), found, list)


@answered
def schedule(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    told = queries.schedule_of(identifier)
    return as_json(told) if told is not None else _missing(request)


@answered
def taxonomies(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, PAGES)
    return _page(query, 1, [telling.taxonomy()], list)


@answered
def taxonomy(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    return as_json(telling.taxonomy()) if identifier == OFFERS_TAXONOMY else _missing(request)


@answered
def taxonomy_terms(request: HttpRequest) -> HttpResponseBase:
    query = only_known(request.GET, (*PAGES, "taxonomy_id"))
    wanted = _uuid(query, "taxonomy_id")
    kinds = list(queries.kinds_by_code().values()) if wanted in {None, OFFERS_TAXONOMY} else []
    return _page(query, len(kinds), kinds, lambda part: [telling.taxonomy_term(kind) for kind in part])


@answered
def taxonomy_term(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    only_known(request.GET, ())
    code = queries.code_of_term(identifier)
    if code is None:
        return _missing(request)
    return as_json({**telling.taxonomy_term(queries.kinds_by_code()[code]), "taxonomy_detail": telling.taxonomy()})


def _page(query: dict[str, str], total: int, of: Any, told: Callable[[Any], Iterable[Any]]) -> HttpResponse:
    """A page in the form of HSDS; one beyond the last is empty and says so."""
    number = whole_number(query, "page", 1, 1, 99_999)
    size = whole_number(query, "per_page", USUAL, 1, MOST)
    pages = -(-total // size)
    part = list(of[(number - 1) * size : number * size])
    return as_json(
        {
            "total_items": total,
            "total_pages": pages,
            "page_number": number,
            "size": len(part),
            "first_page": number == 1,
            "last_page": number >= pages,
            "empty": not part,
            "contents": list(told(part)),
        }
    )


def _uuid(query: dict[str, str], field: str) -> UUID | None:
    try:
        return UUID(query[field]) if query.get(field) else None
    except ValueError:
        raise QueryRefused(field, query[field], _("Write an identifier: a UUID.")) from None


def _code(query: dict[str, str]) -> str:
    """The code of the word asked for; of an unknown one, nothing is offered."""
    identifier = _uuid(query, "taxonomy_term_id")
    return "" if identifier is None else queries.code_of_term(identifier) or "-"


def _moment(query: dict[str, str]) -> datetime | None:
    text = query.get("modified_after", "")
    if not text:
        return None
    moment = moment_of(text)
    if moment is None:
        raise QueryRefused("modified_after", text, _("Write a moment such as 2026-11-24T08:00:00Z."))
    return moment


def _missing(request: HttpRequest) -> HttpResponse:
    return problem(request, 404, _("There is nothing here"))
