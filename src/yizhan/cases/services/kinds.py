"""What a union sets: the days and fields of kinds, its circles, its ways in."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases.actions import CIRCLE_CHANGED, CLIENT_CREATED, CLIENT_REVOKED, CODE_MADE, KIND_CHANGED
from yizhan.cases.kinds import checked_schema, confidential_codes, kind_of
from yizhan.cases.models import CaseKind, CircleSeat, IntakeClient, IntakeCode, MailDigest, SavedFilter
from yizhan.cases.models.kinds import DAY_LIMITS
from yizhan.cases.numbers import digest
from yizhan.cases.rights import HANDLE_CASES, MANAGE_INTAKE, SET_CIRCLE, SET_KINDS, VIEW_CASES
from yizhan.places.models import Place
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

from .clock import open_below, recompute

MOST_FILTERS = 20


@transaction.atomic
def set_kind(union: Union, code: str, values: Mapping[str, Any], *, actor: Staff | Operator) -> CaseKind:
    """Set a union's own days, fields and offer of a kind; what is None comes from above. Open cases follow at once.

    Args:
        values: Any of the names of `DAY_LIMITS`, `fields` and `is_offered`.

    Raises:
        NotAllowed: `actor` may not set kinds here.
        RuleBroken: unknown kind, days outside of their limits, fields that are no schema.
    """
    policy.require(actor, SET_KINDS, union)
    kind_of(code, union)
    problems = []
    for name, (least, most) in DAY_LIMITS.items():
        days = values.get(name)
        if days is not None and not least <= days <= most:
            problems.append(
                Problem(name, days, _("From %(least)d to %(most)d.") % {"least": least, "most": most}, "out_of_range")
            )
    if problems:
        raise RuleBroken(problems)
    fields = values.get("fields")
    row, _made = CaseKind.rules.select_for_update().get_or_create(union=union, code=code)
    for name in DAY_LIMITS:
        if name in values:
            setattr(row, name, values[name])
    if "is_offered" in values:
        row.is_offered = values["is_offered"]
    if "fields" in values:
        row.fields = checked_schema(fields) if fields else None
    row.save()
    record(actor, KIND_CHANGED, union=union, details={"kind": code, "fields": sorted(values)})
    recompute(open_below(union, code))
    kept: CaseKind = row
    return kept


@transaction.atomic
def set_circle(union: Union, kind: str, posts: Iterable[Staff], *, actor: Staff | Operator) -> None:
    """Name the posts of a union that handle its confidential cases of a kind; none: its administrators do.

    Raises:
        NotAllowed: `actor` may not set circles here.
        RuleBroken: the kind is not confidential, or a post is of another union or may not handle cases.
    """
    policy.require(actor, SET_CIRCLE, union)
    if kind not in confidential_codes():
        raise RuleBroken.at("kind", kind[:40], _("Only confidential kinds have a circle."), "unknown")
    wanted = {post.pk: post for post in posts}
    for post in wanted.values():
        if post.union_id != union.pk or not post.is_active or post.role not in policy.roles(HANDLE_CASES):
            raise RuleBroken.at("posts", str(post), _("This person cannot handle cases here."), "wrong")
    held = CircleSeat.rules.filter(staff__union=union, kind=kind)
    held.exclude(staff__in=wanted).delete()
    kept = set(held.values_list("staff", flat=True))
    CircleSeat.rules.bulk_create([CircleSeat(staff=post, kind=kind) for pk, post in wanted.items() if pk not in kept])
    record(actor, CIRCLE_CHANGED, union=union, details={"kind": kind, "rows": len(wanted)})


@transaction.atomic
def intake_code(union: Union, *, actor: Staff | Operator, place: Place | None = None) -> IntakeCode:
    """The QR code by which people bring cases to a union or to the union of a place; the same at every call.

    Raises:
        NotAllowed: `actor` may not make codes here.
    """
    policy.require(actor, MANAGE_INTAKE, union)
    if place is not None:
        policy.require(actor, MANAGE_INTAKE, place.union)
    code, made = IntakeCode.objects.with_scopes_disabled().get_or_create(union=union, place=place)
    if made:
        record(actor, CODE_MADE, union=union, target=code)
    found: IntakeCode = code
    return found


@transaction.atomic
def create_client(union: Union, *, name: str, actor: Staff | Operator) -> tuple[IntakeClient, str]:
    """Let another system file cases through Open311; gives its key, which is shown this once.

    Raises:
        NotAllowed: `actor` may not manage systems here.
        RuleBroken: no name, or one too long.
    """
    policy.require(actor, MANAGE_INTAKE, union)
    said = " ".join(name.split())
    if not 1 <= len(said) <= 60:
        raise RuleBroken.at("name", said[:40], _("Give a name of at most 60 characters."), "invalid")
    key = secrets.token_urlsafe(24)
    client = IntakeClient.objects.with_scopes_disabled().create(union=union, name=said, key_digest=digest(key))
    record(actor, CLIENT_CREATED, union=union, target=client, details={"name": said})
    return client, key


@transaction.atomic
def revoke_client(client: IntakeClient, *, actor: Staff | Operator) -> IntakeClient:
    """Let a system file no more; what it filed stays. Raises NotAllowed."""
    policy.require(actor, MANAGE_INTAKE, client.union)
    if client.revoked_at is None:
        client.revoked_at = timezone.now()
        client.save(update_fields=["revoked_at"])
        record(actor, CLIENT_REVOKED, union=client.union, target=client, details={"name": client.name})
    return client


@transaction.atomic
def save_filter(staff: Staff, *, name: str, query: str) -> SavedFilter:
    """Keep a way of narrowing the list under a name; the same name again replaces it.

    Raises:
        NotAllowed: the post may not see cases.
        RuleBroken: no name, too long, or too many.
    """
    policy.require(staff, VIEW_CASES, staff.union)
    said = " ".join(name.split())
    if not 1 <= len(said) <= 40:
        raise RuleBroken.at("name", said[:40], _("Give a name of at most 40 characters."), "invalid")
    if len(query) > 500:
        raise RuleBroken.at("query", query[:40], _("This filter is too long to be kept."), "too_long")
    others = SavedFilter.objects.with_scopes_disabled().filter(staff=staff).exclude(name=said)
    if others.count() >= MOST_FILTERS:
        raise RuleBroken.at("name", said, _("At most %(n)d filters are kept.") % {"n": MOST_FILTERS}, "too_many")
    kept, _made = SavedFilter.objects.with_scopes_disabled().update_or_create(
        staff=staff, name=said, defaults={"query": query}
    )
    found: SavedFilter = kept
    return found


def forget_filter(kept: SavedFilter) -> None:
    """Remove a saved filter; its owner asks."""
    kept.delete()


@transaction.atomic
def set_digest(staff: Staff, address: str) -> MailDigest | None:
    """Have the daily list of open cases sent to a mail address; empty: no more."""
    policy.require(staff, VIEW_CASES, staff.union)
    if not address:
        MailDigest.objects.with_scopes_disabled().filter(staff=staff).delete()
        return None
    kept, _made = MailDigest.objects.with_scopes_disabled().update_or_create(
        staff=staff, defaults={"address": address[:120]}
    )
    found: MailDigest = kept
    return found
