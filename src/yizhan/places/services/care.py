"""Looking after places: the rules of unions, and telling keepers what nobody looked after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.places.actions import CARE_RULES_SET
from yizhan.places.care import CareTree
from yizhan.places.models import CareRules, Equipment, EquipmentState, Place, PlaceStatus
from yizhan.places.rights import CHANGE_PLACES, SET_CARE_RULES, VERIFY_PLACES
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy
from yizhan.unions.services import inbox

MONTHS, DAYS = (1, 36), (1, 180)
_NAMED = 5  # places that a message names; the list has them all
_ALIVE = ~Q(place__status=PlaceStatus.CLOSED)


@transaction.atomic
def set_care_rules(
    union: Union, *, verify_months: int | None, warn_days: int | None, actor: Staff | Operator
) -> CareRules:
    """Set how closely places of a union and below are looked after; None: as the union above has it.

    Raises:
        NotAllowed: `actor` may not set this at the union.
        RuleBroken: a number is out of its range.
    """
    policy.require(actor, SET_CARE_RULES, union)
    problems = [
        Problem(name, value, _("From %(least)d to %(most)d.") % {"least": low, "most": high}, "range")
        for name, value, (low, high) in (("verify_months", verify_months, MONTHS), ("warn_days", warn_days, DAYS))
        if value is not None and not low <= value <= high
    ]
    if problems:
        raise RuleBroken(problems)
    rules: CareRules
    rules, _made = CareRules.objects.with_scopes_disabled().select_for_update().get_or_create(union=union)
    details = {
        name: [getattr(rules, name), value]
        for name, value in (("verify_months", verify_months), ("warn_days", warn_days))
        if getattr(rules, name) != value
    }
    if details:
        rules.verify_months, rules.warn_days = verify_months, warn_days
        rules.save()
        record(actor, CARE_RULES_SET, union=union, target=rules, details=details)
    return rules


def tell_of_neglect() -> int:
    """Tell keepers, once each, what is broken, expired or about to be, and verifiers which places are due.

    Returns how many messages were sent.
    """
    tree = CareTree.load()
    return _tell_of_equipment(tree) + _tell_of_verification(tree)


@transaction.atomic
def _tell_of_equipment(tree: CareTree) -> int:
    today = timezone.localdate()
    things = (
        Equipment.objects.with_scopes_disabled()
        .select_for_update(of=("self",), skip_locked=True)
        .filter(_ALIVE)
        .filter(tree.expiring("", today=today) | Q(state=EquipmentState.BROKEN))
        .select_related("place__union")
        .order_by("place__name", "name")
    )
    news: dict[int, list[Equipment]] = defaultdict(list)
    unions: dict[int, Union] = {}
    for thing in things:
        told = "expired" if thing.is_expired else "broken" if thing.is_broken else "soon"
        if thing.told == told:
            continue
        thing.told = told
        news[thing.place.union_id].append(thing)
        unions[thing.place.union_id] = thing.place.union
    sent = 0
    for union_id, told_of in news.items():
        sent += len(
            inbox.send(
                title=format_lazy(gettext_lazy("Equipment needs care: {count}"), count=len(told_of)),
                body=_lines(f"{thing.place.name}: {thing.name}" for thing in told_of),
                link="/desk/places/equipment/",
                union=unions[union_id],
                right=CHANGE_PLACES,
            )
        )
    Equipment.objects.with_scopes_disabled().bulk_update(
        [thing for told_of in news.values() for thing in told_of], ["told"], batch_size=1000
    )
    return sent


@transaction.atomic
def _tell_of_verification(tree: CareTree) -> int:
    due = (
        Place.objects.with_scopes_disabled()
        .filter(status=PlaceStatus.PUBLISHED, stale_told_at__isnull=True)
        .filter(tree.verification_due(""))
        .order_by("name")
    )
    names: dict[int, list[str]] = defaultdict(list)
    for union_id, name in due.values_list("union_id", "name"):
        names[union_id].append(name)
    sent = 0
    for union in Union.objects.filter(pk__in=list(names)):
        sent += len(
            inbox.send(
                title=format_lazy(
                    gettext_lazy("Places to be verified on the spot: {count}"), count=len(names[union.pk])
                ),
                body=_lines(names[union.pk]),
                link="/desk/places/?care=verify",
                union=union,
                right=VERIFY_PLACES,
            )
        )
    # That staff were told is no change of the place: its time of change stays.
    due.update(stale_told_at=timezone.now(), changed_at=F("changed_at"))
    return sent


def _lines(names: Iterable[str]) -> str:
    every = list(names)
    return "\n".join([*every[:_NAMED], *(["…"] if len(every) > _NAMED else [])])
