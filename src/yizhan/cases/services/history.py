"""Cases that have lived before: taken over with all their steps at once, each step checked as if it happened now.

For samples, measurements and the move from an earlier system. Nobody is told: it is long past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases.actions import CASES_IMPORTED
from yizhan.cases.facts import CaseFacts
from yizhan.cases.kinds import KindSpec, checked_fields, kind_of
from yizhan.cases.life import Fact, Life, after, fold, stops_clocks
from yizhan.cases.models import By, Case, CaseEvent, CaseEventKind, CaseParty, CaseSource
from yizhan.cases.numbers import new_number
from yizhan.cases.rights import IMPORT_CASES
from yizhan.cases.search import WordVector, index_words
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.rights import policy

from .intake import put_content
from .log import DAYS, Actor, projection

_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step that was taken."""

    kind: CaseEventKind
    at: datetime
    post: Staff | None = None
    by: By = By.STAFF
    words: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A case with all its steps but the first, which is that it was submitted."""

    facts: CaseFacts
    union: Union
    source: CaseSource
    at: datetime
    worker: Worker | None = None
    steps: Sequence[PastStep] = ()


@transaction.atomic
def take_over(histories: Iterable[History], *, union: Union, actor: Actor) -> list[Case]:
    """Write cases with their steps; gives them in the same order.

    Raises:
        NotAllowed: `actor` may not import cases at `union`.
        RuleBroken: a step was not possible when it is said to have happened, or a value breaks a rule; nothing stays.
    """
    policy.require(actor, IMPORT_CASES, union)
    kinds: dict[tuple[str, int], KindSpec] = {}
    unions: dict[int, Union] = {}
    made: list[Case] = []
    rest = iter(histories)
    while part := list(islice(rest, _AT_ONCE)):
        made += _written(part, kinds, unions, below=union)
    record(actor, CASES_IMPORTED, union=union, details={"rows": len(made)})
    return made


def _written(
    part: list[History], kinds: dict[tuple[str, int], KindSpec], unions: dict[int, Union], *, below: Union
) -> list[Case]:
    numbers: set[str] = set()
    lived: list[tuple[Case, list[CaseEvent], Life]] = []
    for history in part:
        if not history.union.path.startswith(below.path):
            raise RuleBroken.at("union", history.union.name, _("This union is not at or below yours."), "elsewhere")
        unions.setdefault(history.union.pk, history.union)
        number = new_number(history.at)
        while number in numbers:
            number = new_number(history.at)
        numbers.add(number)
        lived.append(_lived(history, number, kinds, unions))
    taken = Case.objects.with_scopes_disabled().filter(number__in=numbers).values_list("number", flat=True)
    for case, _events, _life in lived:
        while case.number in taken:
            case.number = new_number(case.submitted_at)
    Case.objects.with_scopes_disabled().bulk_create([case for case, _events, _life in lived])
    CaseEvent.objects.with_scopes_disabled().bulk_create([event for _case, events, _life in lived for event in events])
    CaseParty.objects.with_scopes_disabled().bulk_create(
        [
            CaseParty(case=case, union_id=home, staff_id=staff, role=role)
            for case, _events, life in lived
            for home, staff, role in sorted(life.parties, key=str)
        ]
    )
    return [case for case, _events, _life in lived]


def _lived(
    history: History, number: str, kinds: dict[tuple[str, int], KindSpec], unions: dict[int, Union]
) -> tuple[Case, list[CaseEvent], Life]:
    facts = history.facts

    def spec_at(union: int) -> KindSpec:
        if union not in unions:
            unions[union] = Union.objects.get(pk=union)
        key = (facts.kind, union)
        if key not in kinds:
            kinds[key] = kind_of(facts.kind, unions[union])
        return kinds[key]

    kind = spec_at(history.union.pk)
    case = Case(
        number=number,
        kind=kind.code,
        is_confidential=kind.is_confidential,
        source=history.source,
        worker=history.worker,
        contact_name=facts.contact_name[:60],
        contact_phone=normal_phone(facts.contact_phone, field="contact_phone") if facts.contact_phone else None,
        place=facts.place,
        address=facts.address[:160],
        lon=facts.lon,
        lat=facts.lat,
        submitted_at=history.at,
        submitted_to=history.union,
        union=history.union,
    )
    values = checked_fields(kind, dict(facts.fields), lenient=True)
    put_content(case, title=facts.title, text=facts.text, fields=values)
    data_then = {"union": history.union.pk, "source": str(history.source)}
    first = PastStep(CaseEventKind.SUBMITTED, history.at, by=By.WORKER, data=data_then)
    events: list[CaseEvent] = []
    told: list[Fact] = []
    life = Life()
    for place, step in enumerate((first, *history.steps), start=1):
        if place > 1 and not life.may(step.kind):
            message = _("This was not possible then: %(state)s.") % {"state": life.state}
            raise RuleBroken.at("steps", str(step.kind), message, "wrong_state")
        spec = spec_at(life.owner or history.union.pk)
        data = dict(step.data)
        if place > 1 and stops_clocks(step.kind):
            data["days"] = {name: getattr(spec, name) for name in DAYS}
        told.append(Fact(step.kind, step.at, place, step.by, data, "" if case.is_confidential else step.words))
        owner = life.owner
        life = after(life, told[-1], spec)
        if owner and life.owner != owner:
            life = fold(told, spec_at(life.owner))
        events.append(
            CaseEvent(
                case=case,
                number=place,
                kind=step.kind,
                at=step.at,
                by=step.by,
                post=step.post,
                union=step.post.union if step.post else None,
                words="" if case.is_confidential else step.words,
                sealed_words=step.words if case.is_confidential and step.words else None,
                data=data,
            )
        )
    for name, value in projection(life, at=history.at).items():
        setattr(case, name, value)
    case.search = WordVector(index_words(case))
    return case, events, life
