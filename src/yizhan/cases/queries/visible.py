"""Which cases someone may see. Every list, count, figure and export of the desk begins here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, Value

from yizhan.cases.circle import confidential_for, kinds_by_seats, seats_at
from yizhan.cases.models import Case, CaseEvent, CaseEventKind, CaseFile, CaseParty
from yizhan.cases.models.case import PartyRole
from yizhan.cases.rights import VIEW_CASES
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

# More of them are asked for in the query itself instead of being listed in it.
_MOST_LISTED = 500


def visible_cases(staff: Staff | Operator, *, remembered: bool = False) -> QuerySet[Case]:
    """The cases that a post may see: those of its union and below, those in which its unions help, which they owned or
    supervise, or which are offered to them; of confidential ones only those in whose circle the post is.

    The operator sees all.

    Args:
        remembered: Ask once what the post may see and use it for the rest of the request: for a page that asks several
            times and changes nothing in between.
    """
    found: QuerySet[Case] = Case.objects.with_scopes_disabled()
    if isinstance(staff, Operator):
        return found
    if not policy.holds(staff, VIEW_CASES):
        return found.none()
    return found.filter(sight_of(staff, remembered=remembered).whole)


def visible_parts(staff: Staff) -> list[QuerySet[Case]]:
    """The same for a page, in parts that no case stands in twice; none where the post may see no case."""
    if not policy.holds(staff, VIEW_CASES):
        return [Case.objects.with_scopes_disabled().none()]
    return [Case.objects.with_scopes_disabled().filter(part) for part in sight_of(staff, remembered=True).parts]


def to_be_narrowed() -> QuerySet[Case]:
    """Every case: for a page that first narrows them by its questions and then shows only what a `Sight` holds of them,
    whole or part by part."""
    every: QuerySet[Case] = Case.objects.with_scopes_disabled()
    return every


@dataclass(frozen=True, slots=True)
class Sight:
    """What a post may see, as conditions that no two hold of one case: each is found by an index of its own, and so
    are they counted."""

    parts: tuple[Q, ...]

    @property
    def whole(self) -> Q:
        """All of it in one condition."""
        return reduce(or_, self.parts)


def sight_of(staff: Staff, *, remembered: bool = False) -> Sight:
    """What a post may see; `remembered` as in `visible_cases`."""
    known: Sight | None = staff.__dict__.get("_cases_sight") if remembered else None
    sight = known or _sight(staff)
    if remembered:
        staff.__dict__["_cases_sight"] = sight
    return sight


def _sight(staff: Staff) -> Sight:
    path = staff.union.path
    every = CaseParty.objects.with_scopes_disabled().order_by()
    parties = every.filter(union__path__startswith=path).exclude(role=PartyRole.TAKER)
    helped = every.filter(staff=staff, role__in=[PartyRole.CO_HANDLER, PartyRole.TAKER])
    unions = Union.objects.order_by()
    listed: list[tuple[int, int]] = []
    rows: dict[str, list[int]] = {"below": [], "helped": [], "elsewhere": []}
    seats: list[tuple[int, str]] = []
    # Short lists in one question: our unions and whether there are others, cases in which ours are parties and whose
    # these are, those in which this post itself helps, and who sits in our circles. Lists of keys are what the planner
    # judges best.
    is_root = staff.union.depth == 1
    asked = [
        helped.values_list("case", Value(0), Value("helped"))[: _MOST_LISTED + 1],
        seats_at(staff).order_by().values_list("staff", Value(0), "kind"),
        unions.exclude(path__startswith=path).values_list("pk", Value(0), Value("elsewhere"))[:1],
    ]
    if not is_root:
        asked.append(parties.values_list("case", "case__union", Value("party"))[: _MOST_LISTED + 1])
    below = unions.filter(path__startswith=path).values_list("pk", Value(0), Value("below"))
    for pk, owner, what in below.union(*asked, all=True):
        if what in rows:
            rows[what].append(pk)
        elif what == "party":
            listed.append((pk, owner))
        else:
            seats.append((pk, what))
    kinds = kinds_by_seats(staff, seats)
    secret = confidential_for(staff, kinds, helped=rows["helped"] if len(rows["helped"]) <= _MOST_LISTED else None)
    plain = Q(is_confidential=False)
    hidden = Q(is_confidential=True) & secret
    if not rows["elsewhere"]:
        return Sight((plain, hidden))  # every union is ours
    ours = set(rows["below"])
    mine = Q(union__in=rows["below"])
    given = Q(offered_to__in=rows["below"])
    if is_root or len(listed) > _MOST_LISTED:
        given |= Q(pk__in=parties.values("case"))
    elif elsewhere := sorted({pk for pk, owner in listed if owner not in ours}):
        given |= Q(pk__in=elsewhere)
    return Sight((plain & mine, plain & ~mine & given, hidden))


def case_for(staff: Staff | Operator, public_id: UUID) -> Case:
    """One case that the post may see, with what its page names.

    Raises:
        Case.DoesNotExist: there is none, or it is not theirs to see.
    """
    return (
        visible_cases(staff)
        .select_related(
            "union", "offered_to", "handler__user", "handler__union", "worker__user", "place", "report", "merged_into",
            "split_from", "submitted_to", "client",
        )
        .get(public_id=public_id)
    )  # fmt: skip


def steps_of(case: Case, *, for_worker: bool = False) -> list[CaseEvent]:
    """The steps of a case in their order, with who took them and the files they brought."""
    found = CaseEvent.objects.with_scopes_disabled().filter(case=case).select_related("post__user", "union")
    return list(found.prefetch_related(_files(for_worker=for_worker)).order_by("number"))


def about(events: list[CaseEvent]) -> list[str]:
    """Whom or what each step concerned, in words: the handler, the union, the other case."""
    wanted: dict[str, set[int]] = {"staff": set(), "union": set(), "case": set()}
    keys = {"handler": "staff", "staff": "staff", "union": "union", "case": "case", "into": "case"}
    for event in events:
        for key, kind in keys.items():
            if key in event.data and event.kind != CaseEventKind.SUBMITTED:
                wanted[kind].add(event.data[key])
    posts = Staff.objects.with_scopes_disabled().filter(pk__in=wanted["staff"]).select_related("user")
    names: dict[str, dict[int, str]] = {
        "staff": {post.pk: str(post.user) for post in posts},
        "union": dict(Union.objects.filter(pk__in=wanted["union"]).values_list("pk", "name")),
        "case": dict(Case.objects.with_scopes_disabled().filter(pk__in=wanted["case"]).values_list("pk", "number")),
    }
    return [
        " · ".join(
            names[kind][event.data[key]]
            for key, kind in keys.items()
            if key in event.data and event.data[key] in names[kind]
        )
        for event in events
    ]


def _files(*, for_worker: bool) -> object:
    files = CaseFile.objects.with_scopes_disabled().order_by("pk")
    return Prefetch("files", files.filter(for_worker=True) if for_worker else files)


def file_of(case: Case, public_id: UUID, *, for_worker: bool = False) -> CaseFile:
    """One file of a case.

    Raises:
        CaseFile.DoesNotExist: it belongs to none, to another, or is not for the worker.
    """
    files = CaseFile.objects.with_scopes_disabled().filter(case=case).select_related("case__union")
    found: CaseFile = (files.filter(for_worker=True) if for_worker else files).get(public_id=public_id)
    return found


def parties_of(case: Case) -> list[CaseParty]:
    """Who else has to do with a case."""
    parties = CaseParty.objects.with_scopes_disabled().filter(case=case)
    return list(parties.select_related("union", "staff__user").order_by("role", "pk"))


def parts_of(case: Case, staff: Staff | Operator) -> list[Case]:
    """Cases that were split off this one, and its duplicates, as far as the post may see them."""
    related = visible_cases(staff).filter(Q(split_from=case) | Q(merged_into=case))
    return list(related.order_by("pk"))
