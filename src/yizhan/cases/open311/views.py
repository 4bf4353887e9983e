"""The methods of GeoReport v2."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from yizhan.cases.facts import CaseFacts
from yizhan.cases.models import Case, CaseSource, IntakeClient
from yizhan.cases.queries.intake import client_with
from yizhan.cases.services.intake import submit_case
from yizhan.cases.throttle import TooMany, count_key
from yizhan.unions.errors import RuleBroken

from . import answers, queries

PER_CLIENT = 3000  # an hour
_ATTRIBUTE = re.compile(r"attribute\[([a-z0-9_]{1,32})\](?:\[\])?")


@require_safe
def discovery(request: HttpRequest, form: str) -> HttpResponse:
    """Where the service is, and how it answers."""
    base = f"{settings.BASE_URL}/open311/v2"
    told = {
        "changeset": "2026-11-24 00:00",
        "contact": _("Call 12351, or ask the union that gave you the key."),
        "key_service": _("The union gives keys at its desk."),
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": base,
                "changeset": "2026-11-24 00:00",
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }
    return answers.answer("discovery", told, form=form)


@require_safe
def services(request: HttpRequest, form: str) -> HttpResponse:
    """The kinds that can be filed."""
    try:
        union = queries.jurisdiction(request.GET.get("jurisdiction_id", ""))
    except queries.UnknownJurisdiction:
        return answers.refusal(form, 404, _("jurisdiction_id not found"))
    return answers.answer("services", [answers.service_of(kind) for kind in queries.offered_kinds(union)], form=form)


@require_safe
def service(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """The fields of one kind."""
    try:
        union = queries.jurisdiction(request.GET.get("jurisdiction_id", ""))
    except queries.UnknownJurisdiction:
        return answers.refusal(form, 404, _("jurisdiction_id not found"))
    kind = next((kind for kind in queries.offered_kinds(union) if kind.code == code), None)
    if kind is None:
        return answers.refusal(form, 404, _("service_code not found"))
    return answers.answer("service_definition", answers.definition_of(kind), form=form)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: HttpRequest, form: str) -> HttpResponse:
    """File a case, or ask what became of those that were filed."""
    if form not in {"json", "xml"}:
        return answers.refusal(form, 404, _("The form is json or xml."))
    return _file(request, form) if request.method == "POST" else _list(request, form)


@require_safe
def request_of(request: HttpRequest, number: str, form: str) -> HttpResponse:
    """One case that was filed."""
    found = queries.filed_cases().filter(number=number).first()
    if found is None:
        return answers.refusal(form, 404, _("service_request_id not found"))
    return answers.answer("service_requests", [_shown(found, _client(request.GET.get("api_key", "")))], form=form)


@require_safe
def token(request: HttpRequest, token: str, form: str) -> HttpResponse:
    """The number that belongs to a token. We give numbers at once, so a token is the case's identifier."""
    try:
        found = queries.filed_cases().filter(public_id=UUID(token)).first()
    except ValueError:
        found = None
    if found is None:
        return answers.refusal(form, 404, _("token not found"))
    told = [{"service_request_id": found.number, "token": token}]
    return answers.answer("service_requests", told, form=form)


def _client(key: str) -> IntakeClient | None:
    return client_with(key) if key else None


def _shown(case: Case, client: IntakeClient | None) -> dict[str, object]:
    is_filer = client is not None and case.client_id == client.pk
    return answers.request_of(case, updated_at=case.updated_at, is_filer=is_filer)  # type: ignore[attr-defined]


def _list(request: HttpRequest, form: str) -> HttpResponse:
    asked = request.GET
    try:
        union = queries.jurisdiction(asked.get("jurisdiction_id", ""))
        since, until = _moment(asked.get("start_date", "")), _moment(asked.get("end_date", ""))
    except queries.UnknownJurisdiction:
        return answers.refusal(form, 404, _("jurisdiction_id not found"))
    except ValueError:
        return answers.refusal(form, 400, _("start_date and end_date are W3C dates such as 2026-05-01T00:00:00Z"))
    found = queries.asked_for(
        queries.filed_cases(union),
        numbers=_parts(asked.get("service_request_id", "")),
        kinds=_parts(asked.get("service_code", "")),
        since=since,
        until=until,
        status=_parts(asked.get("status", "")),
    )
    client = _client(asked.get("api_key", ""))
    return answers.answer("service_requests", [_shown(case, client) for case in found], form=form)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()][: queries.MOST]


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    # A plus sign arrives as a blank where a client did not quote it.
    found = parse_datetime(text.replace(" ", "+", 1) if re.search(r" \d\d:\d\d$", text) else text)
    if found is None or found.tzinfo is None:
        raise ValueError(text)
    return found


def _file(request: HttpRequest, form: str) -> HttpResponse:
    told = request.POST
    client = _client(told.get("api_key", ""))
    if client is None:
        return answers.refusal(form, 403, _("api_key is missing or not known"))
    try:
        union = queries.jurisdiction(told.get("jurisdiction_id", "")) or client.union
    except queries.UnknownJurisdiction:
        return answers.refusal(form, 404, _("jurisdiction_id not found"))
    if not union.path.startswith(client.union.path):
        return answers.refusal(form, 403, _("This key files cases of another union."))
    code = told.get("service_code", "")
    if code not in {kind.code for kind in queries.offered_kinds(union)}:
        return answers.refusal(form, 404 if code else 400, _("service_code not found"))
    try:
        count_key(str(client.public_id), PER_CLIENT)
        case = submit_case(_facts(request, code), union=union, source=CaseSource.OPEN311, client=client, lenient=False)
    except TooMany as broken:
        return answers.refusal(form, 429, str(broken.problems[0].message))
    except (RuleBroken, ValueError) as broken:
        problems = broken.problems if isinstance(broken, RuleBroken) else []
        said = "; ".join(str(problem) for problem in problems) or _("lat and long are numbers")
        return answers.refusal(form, 400, said)
    made = [{"service_request_id": case.number, "service_notice": None, "account_id": None}]
    return answers.answer("service_requests", made, form=form, status=201)


def _facts(request: HttpRequest, code: str) -> CaseFacts:
    told = request.POST
    fields = {match[1]: told[name] for name in told if (match := _ATTRIBUTE.fullmatch(name))}
    name = " ".join(part for part in (told.get("last_name", ""), told.get("first_name", "")) if part)
    return CaseFacts(
        kind=code,
        text=told.get("description", ""),
        fields=fields,
        address=told.get("address_string", ""),
        lon=float(told["long"]) if told.get("long") else None,
        lat=float(told["lat"]) if told.get("lat") else None,
        contact_name=name,
        contact_phone=told.get("phone", ""),
    )
