"""Creating the federation's unions from the administrative divisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.divisions import Division
from yizhan.unions.models import Level, Union
from yizhan.unions.rights import OPERATOR

from .tree import lock_tree

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading the divisions came to: unions added, and unions that were there already."""

    added: int
    present: int


@transaction.atomic
def load_divisions(divisions: Sequence[Division], *, progress: Callable[[int], None] = lambda count: None) -> Loaded:
    """Create a union for each division that has none yet, below the union of the division above.

    Idempotent by division code: unions that exist stay as they are, also when they were renamed or moved by hand;
    what is new is added where the union above stands now, inactive when that is. Provinces hang at the national
    federation where there is exactly one, else at the top.

    Args:
        divisions: Each after the one above it.
        progress: Called with the number of unions written since the last call.
    """
    lock_tree()
    known: dict[str, Union] = {
        str(union.division_code): union
        for union in Union.objects.exclude(division_code=None).only("pk", "path", "division_code", "is_active")
    }
    nations = list(Union.objects.filter(level=Level.NATION, depth=1))
    nation = nations[0] if len(nations) == 1 else None
    places = _FreePlaces()
    fresh: list[Union] = []
    more_children: Counter[int] = Counter()  # row number of an existing union → how many it gains
    for division in divisions:
        if division.code in known:
            continue
        above = known[division.above] if division.above else nation
        path = places.take(above.path if above else "")
        union = Union(
            name=division.union_name,
            level=division.level,
            division_code=division.code,
            path=path,
            depth=len(path) // Union.steplen,
            is_active=above.is_active if above else True,
        )
        if above is not None and above._state.adding:
            above.numchild += 1
        elif above is not None:
            more_children[above.pk] += 1
        known[division.code] = union
        fresh.append(union)
    for start in range(0, len(fresh), _BATCH):
        batch = fresh[start : start + _BATCH]
        Union.objects.bulk_create(batch)
        progress(len(batch))
    by_gain: dict[int, list[int]] = {}
    for pk, gain in more_children.items():
        by_gain.setdefault(gain, []).append(pk)
    for gain, pks in by_gain.items():
        Union.objects.filter(pk__in=pks).update(numchild=F("numchild") + gain)
    if fresh:
        record(OPERATOR, actions.DIVISIONS_LOADED, union=nation, details={"added": len(fresh)})
    return Loaded(added=len(fresh), present=len(divisions) - len(fresh))


class _FreePlaces:
    """Hands out the next free path below any union, reading the taken ones once."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        for path in Union.objects.values_list("path", flat=True).iterator():
            above = path[: -Union.steplen]
            self._last[above] = max(self._last.get(above, ""), path)

    def take(self, above: str) -> str:
        step = Union._str2int(self._last[above][-Union.steplen :]) + 1 if above in self._last else 1
        path: str = Union._get_path(above, len(above) // Union.steplen + 1, step)
        self._last[above] = path
        return path
