"""Stock: what comes in, goes out to workers and cases, comes back. Each change is a row, and none goes below zero."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases import wish_actions as actions
from yizhan.cases.models import MOST_IN_STOCK, Case, StockIssue, StockItem, StockMove, StockReason
from yizhan.cases.wish_rights import CHANGE_STOCK
from yizhan.places.models import Place
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import policy

from .log import Actor

MOST_AT_ONCE = 10_000


@transaction.atomic
def make_item(
    *,
    union: Union,
    actor: Actor,
    name: str,
    unit: str = "件",
    place: Place | None = None,
    is_lent: bool = False,
    lent_days: int = 7,
    quantity: int = 0,
) -> StockItem:
    """Enter a sort of thing, with what is there of it.

    Raises:
        NotAllowed: the actor keeps no stock there.
        RuleBroken: no name, one that is there already, a station of another union, or days that are none.
    """
    policy.require(actor, CHANGE_STOCK, union)
    said = one_line(name)[:60]
    if not said:
        raise RuleBroken.at("name", "", _("Say what it is."), "missing")
    if place is not None and not place.union.path.startswith(union.path):
        raise RuleBroken.at("place", place.name, _("This station belongs to another union."), "elsewhere")
    if not 1 <= lent_days <= 365:
        raise RuleBroken.at("lent_days", lent_days, _("From 1 to %(most)d.") % {"most": 365}, "number")
    try:
        with transaction.atomic():
            item: StockItem = StockItem.objects.with_scopes_disabled().create(
                union=union,
                place=place,
                name=said,
                unit=one_line(unit)[:10] or "件",
                is_lent=is_lent,
                lent_days=lent_days,
            )
    except IntegrityError:
        raise RuleBroken.at("name", said, _("This is in the list already."), "taken") from None
    record(actor, actions.STOCK_ITEM, union=union, target=item)
    return change_stock(item, change=quantity, reason=StockReason.BOUGHT, actor=actor) if quantity else item


@transaction.atomic
def change_stock(item: StockItem, *, change: int, reason: StockReason, actor: Actor, words: str = "") -> StockItem:
    """Add to what is there, or take from it.

    Raises:
        NotAllowed, RuleBroken: nothing changes, or less than nothing would be left.
    """
    current = _locked(item)
    policy.require(actor, CHANGE_STOCK, current.union)
    _move(current, change, reason, actor, words=one_line(words)[:200])
    details = {"change": change, "left": current.quantity}
    record(actor, actions.STOCK_MOVED, union=current.union, target=current, details=details)
    return current


def count_stock(item: StockItem, *, counted: int, actor: Actor, words: str = "") -> StockItem:
    """Say how many lie there, as counted; the difference becomes a move.

    Raises:
        NotAllowed, RuleBroken: as for every change.
    """
    with transaction.atomic():
        current = _locked(item)
        policy.require(actor, CHANGE_STOCK, current.union)
        if counted == current.quantity:
            return current
        return change_stock(
            current, change=counted - current.quantity, reason=StockReason.COUNTED, actor=actor, words=words
        )


@transaction.atomic
def issue_item(
    item: StockItem,
    *,
    quantity: int,
    actor: Actor,
    worker: Worker | None = None,
    case: Case | None = None,
    due_on: date | None = None,
    request_id: UUID | None = None,
    at: datetime | None = None,
) -> StockIssue:
    """Give something out to a worker, or for a case. Idempotent in `request_id`.

    Args:
        due_on: When it is due back; what is lent gets the item's days when None.

    Raises:
        NotAllowed, RuleBroken: nobody is named, or there is not as much (`too_few`).
    """
    if request_id is not None:
        earlier = StockIssue.objects.with_scopes_disabled().filter(request_id=request_id).first()
        if earlier is not None:
            return earlier  # type: ignore[no-any-return]
    current = _locked(item)
    policy.require(actor, CHANGE_STOCK, current.union)
    if worker is None and case is None:
        raise RuleBroken.at("worker", "", _("Say who gets it."), "missing")
    if not 1 <= quantity <= MOST_AT_ONCE:
        raise RuleBroken.at("quantity", quantity, _("From 1 to %(most)d.") % {"most": MOST_AT_ONCE}, "number")
    now = at or timezone.now()
    due = (due_on or timezone.localdate(now) + timedelta(days=current.lent_days)) if current.is_lent else None
    issue: StockIssue = StockIssue.objects.with_scopes_disabled().create(
        item=current,
        worker=worker or (case.worker if case else None),
        case=case,
        quantity=quantity,
        issued_at=now,
        due_on=due,
        by=actor if isinstance(actor, Staff) else None,
        request_id=request_id,
    )
    _move(current, -quantity, StockReason.ISSUED, actor, issue=issue, at=now)
    details = {"change": -quantity, "left": current.quantity}
    record(actor, actions.STOCK_ISSUED, union=current.union, target=current, details=details)
    return issue


@transaction.atomic
def return_item(
    issue: StockIssue, *, returned: int = 0, lost: int = 0, actor: Actor, at: datetime | None = None
) -> StockIssue:
    """Take back what was lent; what is lost does not come into stock again.

    Raises:
        NotAllowed, RuleBroken: more than is out, or nothing.
    """
    current_item = _locked(issue.item)
    policy.require(actor, CHANGE_STOCK, current_item.union)
    current: StockIssue = StockIssue.objects.with_scopes_disabled().select_for_update(of=("self",)).get(pk=issue.pk)
    if returned < 0 or lost < 0 or not 1 <= returned + lost <= current.outstanding:
        rule = _("%(out)d are still out.") % {"out": current.outstanding}
        raise RuleBroken.at("returned", returned + lost, rule, "number")
    current.returned += returned
    current.lost += lost
    current.save(update_fields=["returned", "lost"])
    if returned:
        _move(current_item, returned, StockReason.RETURNED, actor, issue=current, at=at)
    details = {"change": returned, "left": current_item.quantity}
    record(actor, actions.STOCK_RETURNED, union=current_item.union, target=current_item, details=details)
    return current


def _locked(item: StockItem) -> StockItem:
    found: StockItem = (
        StockItem.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "place")
        .get(pk=item.pk)
    )
    return found


def _move(
    item: StockItem,
    change: int,
    reason: StockReason,
    actor: Actor,
    *,
    issue: StockIssue | None = None,
    words: str = "",
    at: datetime | None = None,
) -> None:
    if change == 0:
        raise RuleBroken.at("change", 0, _("Nothing would change."), "number")
    left = item.quantity + change
    if left < 0:
        rule = _("Only %(left)d %(unit)s are there.") % {"left": item.quantity, "unit": item.unit}
        raise RuleBroken.at("quantity", -change, rule, "too_few")
    if left > MOST_IN_STOCK:
        raise RuleBroken.at("change", change, _("At most %(most)d.") % {"most": MOST_IN_STOCK}, "number")
    item.quantity = left
    item.save(update_fields=["quantity"])
    StockMove.objects.with_scopes_disabled().create(
        item=item,
        reason=reason,
        change=change,
        left=left,
        issue=issue,
        words=words,
        by=actor if isinstance(actor, Staff) else None,
        at=at or timezone.now(),
    )
