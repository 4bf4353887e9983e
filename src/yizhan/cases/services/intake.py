"""Taking a case down, whichever way it comes in."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases.actions import CASE_SUBMITTED
from yizhan.cases.circle import circle_of
from yizhan.cases.facts import CaseFacts, GivenFile
from yizhan.cases.kinds import KindSpec, checked_fields, kind_of
from yizhan.cases.models import By, Case, CaseEventKind, CaseSource, IntakeClient
from yizhan.cases.numbers import digest, new_number
from yizhan.cases.rights import ENTER_CASES, HANDLE_CASES
from yizhan.cases.search import write_index
from yizhan.places.models import Report
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.rights import policy

from .files import keep_files, looked_at
from .log import Actor, clean_words, step
from .notices import tell_union, words_for

LONGEST_TITLE: Final = 60
LONGEST_TEXT: Final = 2000


def submit_case(
    facts: CaseFacts,
    *,
    union: Union,
    source: CaseSource,
    actor: Actor | None = None,
    worker: Worker | None = None,
    request_id: UUID | None = None,
    token: str = "",
    client: IntakeClient | None = None,
    report: Report | None = None,
    split_from: Case | None = None,
    files: Sequence[GivenFile] = (),
    lenient: bool = False,
    at: datetime | None = None,
) -> Case:
    """Take a case down.

    Idempotent in `request_id`: a repeated request gives the first case unchanged, before anything else is looked at.

    Args:
        facts: What is the matter.
        union: Before whom it is brought; the nearest union at or above with people who handle such cases gets it.
        source: How it came in.
        actor: Who takes it down for someone; None when the worker, a stranger or another system brings it.
        worker: Whose case it is, when known.
        request_id: Made by whoever sends it.
        token: The secret of a link under which someone without an account follows it.
        client: The system that filed it.
        report: The report about a station that becomes this case.
        split_from: The case of which this was a part.
        files: Photos and documents.
        lenient: Required fields may be missing.
        at: When it was brought; for offline visits, imports and samples.

    Raises:
        NotAllowed: `actor` may not take down cases at `union`.
        RuleBroken: with every broken rule.
    """
    if request_id is not None and (earlier := _with_request(request_id)):
        return earlier
    if actor is not None:
        policy.require(actor, ENTER_CASES, union)
    kind = kind_of(facts.kind, union)
    if earlier := _with_order(facts.hotline_number, union):
        raise _taken_down(earlier)
    content = _checked(facts, kind, needs_contact=actor is None and worker is None and client is None, lenient=lenient)
    given = [looked_at(file) for file in files]
    moment = min(at or timezone.now(), timezone.now())
    for attempt in range(8):
        try:
            with transaction.atomic():
                case = _written(
                    kind, facts, content, union=union, source=source, worker=worker, request_id=request_id,
                    token=token, client=client, report=report, split_from=split_from, at=moment,
                )  # fmt: skip
                staff = actor if isinstance(actor, Staff) else None
                data = {"union": case.union_id, "source": str(source), **({"staff": staff.pk} if staff else {})}
                by = By.CLIENT if client else By.WORKER
                event = step(case, CaseEventKind.SUBMITTED, actor=actor, by=by, data=data, at=moment)
                keep_files(case, event, given)
                write_index(case)
                record(actor or (worker.user if worker else None), CASE_SUBMITTED, union=case.union, target=case,
                       details={"kind": case.kind, "source": str(source)})  # fmt: skip
                tell_union(case, words_for(gettext_noop("A new case waits for its first answer.")))
                return case
        except IntegrityError:
            # The same request at this very moment, the same report, or a number that is taken.
            if request_id is not None and (earlier := _with_request(request_id)):
                return earlier
            if report is not None and Case.objects.with_scopes_disabled().filter(report=report).exists():
                raise RuleBroken.at("report", "", _("This report has become a case already."), "taken") from None
            if earlier := _with_order(facts.hotline_number, union):
                raise _taken_down(earlier) from None
            if attempt == 7:
                raise
    raise AssertionError


def receiving_union(union: Union, kind: KindSpec) -> Union:
    """The nearest union at or above `union` where someone can handle such a case; `union` itself when nobody can."""
    paths = [union.path[:end] for end in range(len(union.path), 0, -Union.steplen)]
    above = {found.path: found for found in Union.objects.filter(path__in=paths, is_active=True)}
    for path in paths:
        here = above.get(path)
        if here is None:
            continue
        if kind.is_confidential:
            if circle_of(here, kind.code).exists():
                return here
        elif _handlers(here):
            return here
    return union


def _handlers(union: Union) -> bool:
    posts = Staff.objects.with_scopes_disabled().filter(union=union, is_active=True, user__is_active=True)
    return bool(posts.filter(role__in=policy.roles(HANDLE_CASES)).exists())


def _with_request(request_id: UUID) -> Case | None:
    found: Case | None = (
        Case.objects.with_scopes_disabled().filter(request_id=request_id).select_related("union").first()
    )
    return found


def _with_order(hotline_number: str, union: Union) -> Case | None:
    if not hotline_number.strip():
        return None
    cases = Case.objects.with_scopes_disabled().filter(submitted_to=union, hotline_number=hotline_number.strip())
    found: Case | None = cases.first()
    return found


def _taken_down(earlier: Case) -> RuleBroken:
    return RuleBroken.at(
        "hotline_number",
        earlier.hotline_number,
        _("This order of the hotline was taken down already: %(number)s.") % {"number": earlier.number},
        "taken",
    )


def _checked(facts: CaseFacts, kind: KindSpec, *, needs_contact: bool, lenient: bool) -> dict[str, object]:
    problems: list[Problem] = []

    def taken(call: object) -> object:
        try:
            return call()  # type: ignore[operator]
        except RuleBroken as broken:
            problems.extend(broken.problems)
            return None

    title = taken(lambda: " ".join(clean_words(facts.title, field="title", longest=LONGEST_TITLE).split())) or ""
    text = taken(lambda: clean_words(facts.text, field="text", longest=LONGEST_TEXT)) or ""
    values = taken(lambda: checked_fields(kind, dict(facts.fields), lenient=lenient)) or {}
    phone = taken(lambda: normal_phone(facts.contact_phone, field="contact_phone")) if facts.contact_phone else None
    name = taken(lambda: " ".join(clean_words(facts.contact_name, field="contact_name", longest=60).split())) or ""
    address = taken(lambda: " ".join(clean_words(facts.address, field="address", longest=160).split())) or ""
    order = taken(lambda: " ".join(clean_words(facts.hotline_number, field="hotline_number", longest=40).split())) or ""
    if not text and not title:
        problems.append(Problem("text", "", _("Say what it is about."), "missing"))
    if needs_contact and not kind.is_anonymous and phone is None and not facts.contact_phone:
        problems.append(
            Problem("contact_phone", "", _("Leave a telephone number, so that you can be answered."), "missing")
        )
    position = (facts.lon, facts.lat)
    if (facts.lon is None) != (facts.lat is None) or any(
        value is not None and not math.isfinite(value) for value in position
    ):
        problems.append(Problem("lon", str(position), _("A position is a longitude and a latitude."), "invalid"))
    elif facts.lon is not None and facts.lat is not None and not (-180 <= facts.lon <= 180 and -90 <= facts.lat <= 90):
        problems.append(Problem("lon", str(position), _("This is nowhere on Earth."), "invalid"))
    if problems:
        raise RuleBroken(problems)
    first_line = str(text).split("\n", 1)[0]
    short = first_line if len(first_line) <= 30 else f"{first_line[:29]}…"
    return {
        "title": title or short, "text": text, "fields": values, "phone": phone, "name": name, "address": address,
        "order": order,
    }  # fmt: skip


def _written(
    kind: KindSpec,
    facts: CaseFacts,
    content: dict[str, object],
    *,
    union: Union,
    source: CaseSource,
    worker: Worker | None,
    request_id: UUID | None,
    token: str,
    client: IntakeClient | None,
    report: Report | None,
    split_from: Case | None,
    at: datetime,
) -> Case:
    owner = receiving_union(union, kind)
    case = Case(
        number=new_number(at),
        kind=kind.code,
        is_confidential=kind.is_confidential,
        source=source,
        request_id=request_id,
        token_digest=digest(token) if token else None,
        worker=worker,
        contact_name=str(content["name"]),
        contact_phone=str(content["phone"]) if content["phone"] else None,
        place=facts.place,
        report=report,
        address=str(content["address"]),
        hotline_number=str(content["order"]),
        lon=facts.lon,
        lat=facts.lat,
        client=client,
        split_from=split_from,
        submitted_at=at,
        submitted_to=union,
        union=owner,
    )
    put_content(case, title=str(content["title"]), text=str(content["text"]), fields=content["fields"])
    case.save(force_insert=True)
    return case


def put_content(case: Case, *, title: str, text: str, fields: object) -> None:
    """Set title, text and fields, sealed when the case is confidential; the caller saves."""
    if case.is_confidential:
        case.title, case.text, case.fields = "", "", {}
        case.sealed = json.dumps({"title": title, "text": text, "fields": fields}, ensure_ascii=False)
    else:
        case.title, case.text, case.fields, case.sealed = title, text, fields, None
