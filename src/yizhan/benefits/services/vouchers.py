"""Paper vouchers: made and printed at once, and blocked when a sheet is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.counter_actions import VOUCHERS_BLOCKED, VOUCHERS_MADE
from yizhan.benefits.models import Programme, ProgrammeState, Voucher, VoucherBatch
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.benefits.voucher_codes import digest, new_voucher_code
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

MOST_AT_ONCE: Final = 1000
A_SHEET: Final = 10


@dataclass(frozen=True, slots=True)
class Printed:
    """One voucher's code: known now, while it is printed, and never again."""

    sheet: int
    code: str


@transaction.atomic
def make_vouchers(
    programme: Programme, *, count: int, purpose: str, valid_until: date, actor: Staff, at: datetime | None = None
) -> tuple[VoucherBatch, list[Printed]]:
    """Make vouchers, each good for one use of the programme.

    Returns:
        The batch, and the codes to print, ten a sheet. Only their keyed hashes are stored.

    Raises:
        NotAllowed: the actor may not manage this programme.
        RuleBroken: the programme takes no paper or has ended; number, purpose or last day do not do.
    """
    policy.require(actor, MANAGE_PROGRAMMES, programme.union)
    now = at or timezone.now()
    said = " ".join(purpose.split())
    _check(programme, count, said, valid_until, timezone.localdate(now))
    batch = VoucherBatch.objects.with_scopes_disabled().create(
        programme=programme, purpose=said, count=count, valid_until=valid_until, made_at=now, made_by=actor
    )
    codes: set[str] = set()
    while len(codes) < count:
        fresh = {new_voucher_code() for _place in range(count - len(codes))} - codes
        taken = Voucher.objects.with_scopes_disabled().filter(digest__in=[digest(code) for code in fresh])
        known = set(taken.values_list("digest", flat=True))
        codes |= {code for code in fresh if digest(code) not in known}
    printed = [Printed(number // A_SHEET + 1, code) for number, code in enumerate(sorted(codes))]
    Voucher.objects.with_scopes_disabled().bulk_create(
        Voucher(batch=batch, sheet=one.sheet, digest=digest(one.code)) for one in printed
    )
    record(actor, VOUCHERS_MADE, union=programme.union, target=programme, details={"vouchers": count, "reason": said})
    return batch, printed


@transaction.atomic
def block_vouchers(batch: VoucherBatch, *, sheet: int | None = None, actor: Staff, reason: str) -> int:
    """Block the unused vouchers of a lost sheet, or of the whole batch.

    Returns:
        How many were blocked; those that were used or blocked before stay as they are.

    Raises:
        NotAllowed: the actor may not manage the programme.
        RuleBroken: no such sheet, or no reason.
    """
    policy.require(actor, MANAGE_PROGRAMMES, batch.programme.union)
    said = " ".join(reason.split())[:200]
    vouchers = Voucher.objects.with_scopes_disabled().filter(batch=batch)
    if sheet is not None:
        vouchers = vouchers.filter(sheet=sheet)
    problems = []
    if not said:
        problems.append(Problem("reason", "", _("Say why; it stays in the audit trail."), "required"))
    if not vouchers.exists():
        problems.append(Problem("sheet", sheet, _("There is no such sheet in this batch."), "unknown"))
    if problems:
        raise RuleBroken(problems)
    unused = vouchers.filter(Q(redemption=None) | Q(redemption__state__in=["voided", "refunded"]), revoked_at=None)
    rows = list(unused.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    blocked: int = Voucher.objects.with_scopes_disabled().filter(pk__in=rows).update(revoked_at=timezone.now())
    details = {"vouchers": blocked, "reason": said, **({"sheet": sheet} if sheet is not None else {})}
    record(actor, VOUCHERS_BLOCKED, union=batch.programme.union, target=batch.programme, details=details)
    return blocked


def _check(programme: Programme, count: int, purpose: str, valid_until: date, today: date) -> None:
    problems = []
    if not programme.takes_paper:
        problems.append(
            Problem("programme", programme.name, _("This programme takes no paper vouchers."), "takes_no_paper")
        )
    if programme.state == ProgrammeState.ENDED:
        problems.append(Problem("programme", programme.name, _("This programme has ended."), "ended"))
    if not 1 <= count <= MOST_AT_ONCE:
        problems.append(
            Problem("count", count, _("From 1 to %(most)d vouchers at once.") % {"most": MOST_AT_ONCE}, "count")
        )
    if not purpose or len(purpose) > 120:
        problems.append(Problem("purpose", purpose[:40], _("Say in at most 120 characters for whom."), "purpose"))
    if valid_until < today or (programme.ends_on is not None and valid_until > programme.ends_on):
        problems.append(
            Problem("valid_until", str(valid_until), _("A day from today to the programme's last."), "valid_until")
        )
    if problems:
        raise RuleBroken(problems)
