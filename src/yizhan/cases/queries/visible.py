"""Which cases someone may see. Every list, count, figure and export of the desk begins here."""

from __future__ import annotations

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
    if not remembered:
        return found.filter(_sight(staff))
    sight = staff.__dict__.get("_cases_sight") or _sight(staff)
    staff.__dict__["_cases_sight"] = sight
    return found.filter(sight)


def _sight(staff: Staff) -> Q:
    path = staff.union.path
    every = CaseParty.objects.with_scopes_disabled().order_by()
    parties = every.filter(union__path__startswith=path).exclude(role=PartyRole.TAKER)
    helped = every.filter(staff=staff, role__in=[PartyRole.CO_HANDLER, PartyRole.TAKER])
    below: list[int] = []
    given: list[tuple[int, int]] = []
    mine: list[int] = []
    seats: list[tuple[int, str]] = []
    # Four short lists in one question: our unions, cases in which they are parties and whose these are, those in which
    # this post itself helps, and who sits in our circles. Lists of keys are what the planner judges best.
    rows = (
        Union.objects.filter(path__startswith=path)
        .order_by()
        .values_list("pk", Value(0), Value("below"))
        .union(
            parties.values_list("case", "case__union", Value("party"))[: _MOST_LISTED + 1],
            helped.values_list("case", Value(0), Value("helped"))[: _MOST_LISTED + 1],
            seats_at(staff).order_by().values_list("staff", Value(0), "kind"),
            all=True,
        )
    )
    for pk, owner, what in rows:
        if what == "below":
            below.append(pk)
        elif what == "party":
            given.append((pk, owner))
        elif what == "helped":
            mine.append(pk)
        else:
            seats.append((pk, what))
    ours = set(below)
    plain = Q(union__in=below) | Q(offered_to__in=below)
    if len(given) > _MOST_LISTED:
        plain |= Q(pk__in=parties.values("case"))
    elif elsewhere := sorted({pk for pk, owner in given if owner not in ours}):
        plain |= Q(pk__in=elsewhere)
    kinds = kinds_by_seats(staff, seats)
    secret = confidential_for(staff, kinds, helped=mine if len(mine) <= _MOST_LISTED else None)
    return (plain & Q(is_confidential=False)) | (secret & Q(is_confidential=True))


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
