"""Changes of the union tree. One change at a time: paths of whole branches move together."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Level, Staff, Union
from yizhan.unions.rights import MANAGE_UNIONS, NotAllowed, Operator, policy

# Key of the advisory lock: whoever changes the tree takes it alone; those who only rely on its shape share it.
_TREE_LOCK: Final = 0x59495A48
# Administrative unions stand below those of a higher level; enterprise and sector unions hang anywhere.
_RANK: Final = {
    Level.NATION: 0,
    Level.PROVINCE: 1,
    Level.CITY: 2,
    Level.DISTRICT: 3,
    Level.STREET: 4,
}

# Announced when unions moved, or became active or inactive: who keeps a copy of the tree reads it anew.
TREE_CHANNEL: Final = "unions_changed"


def _announce() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {TREE_CHANNEL}")  # delivered on commit


def lock_tree(*, shared: bool = False) -> None:
    """Hold the tree's shape until this transaction ends; `shared` for those who only rely on it."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_TREE_LOCK])


@transaction.atomic
def create_union(
    *,
    actor: Staff | Operator,
    parent: Union | None,
    name: str,
    level: Level,
    division_code: str | None = None,
) -> Union:
    """Add a union below `parent`; only the operator adds one at the top.

    Raises:
        NotAllowed: the actor may not manage unions at `parent`.
        RuleBroken: the name is empty, too long or taken beside it; the level does not belong below `parent`; the
            parent is inactive; the division code is taken.
    """
    lock_tree()
    name = _checked_name(name)
    code = (division_code or "").strip() or None
    if code is not None and not (code.isascii() and code.isdigit() and len(code) <= 12):
        raise RuleBroken.at("division_code", code, _("A division code has at most 12 digits."), "not_a_division_code")
    if code is not None and Union.objects.filter(division_code=code).exists():
        raise RuleBroken.at("division_code", code, _("Another union has this division code."), "taken")
    fields = {"name": name, "level": level, "division_code": code}
    if parent is None:
        if not isinstance(actor, Operator):
            raise RuleBroken.at("parent", None, _("Choose the union above."), "required")
        _check_name_is_free(name, beside=None)
        union: Union = Union.objects.add_root(fields)
    else:
        parent = _current(parent)
        _require(actor, parent)
        if not parent.is_active:
            raise RuleBroken.at("parent", parent.name, _("This union is no longer active."), "inactive")
        _check_level(level, above=parent)
        _check_name_is_free(name, beside=parent)
        union = Union.objects.add_child(parent, fields)
    record(actor, actions.UNION_CREATED, union=union, target=union, details={"level": str(level)})
    return union


@transaction.atomic
def rename_union(*, actor: Staff | Operator, union: Union, name: str) -> Union:
    """Give a union another name.

    Raises:
        NotAllowed: the actor may not manage unions there.
        RuleBroken: the name is empty, too long or taken by a union beside it.
    """
    lock_tree()
    union = _current(union)
    _require(actor, union)
    name, earlier = _checked_name(name), union.name
    if name == earlier:
        return union
    _check_name_is_free(name, beside=Union.objects.get_parent(union), except_for=union)
    union.name = name
    union.save(update_fields=["name"])
    record(actor, actions.UNION_RENAMED, union=union, target=union, details={"earlier": earlier, "now": name})
    return union


@transaction.atomic
def move_union(*, actor: Staff | Operator, union: Union, to: Union) -> Union:
    """Hang a union, with all below it, under another one.

    Raises:
        NotAllowed: the actor may not manage unions both where it hangs and where it shall hang.
        RuleBroken: the new place is itself or below itself, inactive, of a lower level, or has its name already.
    """
    lock_tree()
    union, to = _current(union), _current(to)
    above = _require_from_above(actor, union)
    _require(actor, to)
    if to.path.startswith(union.path):
        raise RuleBroken.at("to", to.name, _("A union cannot hang below itself."), "below_itself")
    if not to.is_active:
        raise RuleBroken.at("to", to.name, _("This union is no longer active."), "inactive")
    if above is not None and above.pk == to.pk:
        return union
    ranks = [
        _RANK[Level(level)]
        for level in Union.objects.filter(path__startswith=union.path).values_list("level", flat=True).distinct()
        if Level(level) in _RANK
    ]
    if ranks:
        _check_level(next(level for level, rank in _RANK.items() if rank == min(ranks)), above=to, field="to")
    _check_name_is_free(union.name, beside=to, field="to")
    Union.objects.move(union, to, "last-child")
    _announce()
    union = _current(union)
    record(
        actor,
        actions.UNION_MOVED,
        union=union,
        target=union,
        details={"from": above.name if above else None, "to": to.name},
    )
    return union


@transaction.atomic
def deactivate_union(*, actor: Staff | Operator, union: Union) -> int:
    """Deactivate a union and all below it: nobody acts for them any more; nothing is removed.

    A union is deactivated from above: not by those whose post is at the union itself.

    Returns:
        How many unions became inactive.

    Raises:
        NotAllowed: the actor may not manage unions at the union above.
    """
    lock_tree()
    union = _current(union)
    _require_from_above(actor, union)
    count = int(
        Union.objects.filter(path__startswith=union.path, is_active=True).update(
            is_active=False, deactivated_at=timezone.now()
        )
    )
    if count:
        _announce()
        record(actor, actions.UNION_DEACTIVATED, union=union, target=union, details={"unions": count})
    return count


@transaction.atomic
def reactivate_union(*, actor: Staff | Operator, union: Union) -> int:
    """Bring a union back, with those below it that were deactivated by the same act.

    Returns:
        How many unions became active again.

    Raises:
        NotAllowed: the actor may not manage unions at the union above.
        RuleBroken: the union above is inactive.
    """
    lock_tree()
    union = _current(union)
    above = _require_from_above(actor, union)
    if union.is_active:
        return 0
    if above is not None and not above.is_active:
        raise RuleBroken.at("union", union.name, _("Bring back the union above first."), "inactive")
    count = int(
        Union.objects.filter(path__startswith=union.path, is_active=False, deactivated_at=union.deactivated_at).update(
            is_active=True, deactivated_at=None
        )
    )
    _announce()
    record(actor, actions.UNION_REACTIVATED, union=union, target=union, details={"unions": count})
    return count


def _current(union: Union) -> Union:
    """The union as it is now that the tree is locked."""
    return Union.objects.get(pk=union.pk)


def _require(actor: Staff | Operator, union: Union) -> None:
    if isinstance(actor, Staff):
        # The actor's own union may have moved since the request began.
        actor.union.refresh_from_db(fields=["path", "is_active"])
        if not actor.union.is_active:
            raise NotAllowed(MANAGE_UNIONS, union)
    policy.require(actor, MANAGE_UNIONS, union)


def _require_from_above(actor: Staff | Operator, union: Union) -> Union | None:
    above: Union | None = Union.objects.get_parent(union)
    if above is not None:
        _require(actor, above)
    elif not isinstance(actor, Operator):
        raise NotAllowed(MANAGE_UNIONS, union)
    return above


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    longest = Union._meta.get_field("name").max_length or 0
    if not name:
        raise RuleBroken.at("name", name, _("Give the union a name."), "required")
    if len(name) > longest:
        raise RuleBroken.at("name", name, _("A name has at most %(most)s characters.") % {"most": longest}, "too_long")
    if strange := [character for character in name if not character.isprintable()]:
        shown = ", ".join(f"U+{ord(character):04X}" for character in strange[:3])
        raise RuleBroken.at(
            "name", name, _("The name holds characters that cannot be seen: %(shown)s.") % {"shown": shown}, "invisible"
        )
    return name


def _check_name_is_free(
    name: str, *, beside: Union | None, except_for: Union | None = None, field: str = "name"
) -> None:
    siblings = Union.objects.get_children(beside) if beside else Union.objects.get_root_nodes()
    if except_for is not None:
        siblings = siblings.exclude(pk=except_for.pk)
    if siblings.filter(name=name).exists():
        raise RuleBroken.at(field, name, _("A union of this name is already there."), "taken")


def _check_level(level: Level, *, above: Union, field: str = "level") -> None:
    if level not in _RANK:
        return
    steps = range(above.steplen, len(above.path) + 1, above.steplen)
    levels = Union.objects.filter(path__in=[above.path[:step] for step in steps]).values_list("level", flat=True)
    lowest = max((_RANK[Level(found)] for found in levels if Level(found) in _RANK), default=-1)
    if _RANK[level] <= lowest:
        raise RuleBroken.at(
            field,
            level,
            _("A union of the level “%(level)s” cannot hang below “%(above)s”.")
            % {"level": level.label, "above": above.name},
            "level_too_high",
        )
