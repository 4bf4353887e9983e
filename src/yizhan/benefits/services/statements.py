"""The life of a statement: confirmed or disputed by the merchant, answered and approved by finance."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.benefits.finance_actions import DISPUTE_ANSWERED, LINE_DISPUTED, STATEMENT_APPROVED, STATEMENT_CONFIRMED
from yizhan.benefits.models import LineKind, RedemptionState, Statement, StatementLine, StatementState
from yizhan.benefits.rights import APPROVE_STATEMENTS, CONFIRM_STATEMENTS, SETTLE
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, User
from yizhan.unions.rights import BOUND_ROLES, Operator, Role, policy
from yizhan.unions.services.inbox import send

from .taking_back import refund


def may_confirm(statement: Statement, actor: Staff | Operator) -> bool:
    """Whether `actor` may answer for the merchant: its own post, or staff of the union that pays."""
    if isinstance(actor, Staff) and Role(actor.role) in BOUND_ROLES:
        return policy.allows(actor, CONFIRM_STATEMENTS, statement.place.union, within=statement.place)
    return policy.allows(actor, CONFIRM_STATEMENTS, statement.union)


@transaction.atomic
def confirm(statement: Statement, *, actor: Staff | Operator, words: str = "") -> Statement:
    """The merchant agrees to the statement. Staff who enter it for the merchant say how they know.

    Raises:
        NotAllowed: `actor` is neither the merchant's nor staff of the union that pays.
        RuleBroken: it does not wait for the merchant, or staff give no words.
    """
    kept = _locked(statement)
    _require_merchant(kept, actor)
    _must_be(kept, StatementState.MADE)
    words = " ".join(words.split())[:200]
    if not words and not is_merchants(actor):
        raise RuleBroken.at(
            "words", words, _("Say how the merchant confirmed: signed paper, call, message."), "words_missing"
        )
    kept.state, kept.confirmed_by, kept.confirmed_at = StatementState.CONFIRMED, _person(actor), timezone.now()
    kept.confirmed_words = words
    kept.save(update_fields=["state", "confirmed_by", "confirmed_at", "confirmed_words"])
    record(actor, STATEMENT_CONFIRMED, union=kept.union, target=kept, details={"words": words} if words else {})
    return kept


@transaction.atomic
def dispute(statement: Statement, *, lines: Mapping[UUID, str], actor: Staff | Operator) -> Statement:
    """The merchant disputes lines, each with words; the statement waits until finance has answered them all.

    Raises:
        NotAllowed: as for `confirm`.
        RuleBroken: it does not wait for the merchant, a line is not on it or was answered, or words are missing.
    """
    kept = _locked(statement)
    _require_merchant(kept, actor)
    if kept.state != StatementState.DISPUTED:
        _must_be(kept, StatementState.MADE)
    found = {line.public_id: line for line in _lines(kept).filter(public_id__in=list(lines)).select_for_update()}
    problems = []
    if not lines:
        problems.append(Problem("lines", "", _("Choose the lines that are not right."), "no_line"))
    for public_id, words in lines.items():
        line = found.get(public_id)
        if line is None:
            problems.append(Problem("lines", str(public_id), _("This line is not on the statement."), "no_such_line"))
        elif line.answered_at is not None:
            problems.append(Problem("lines", str(public_id), _("This line was answered already."), "answered"))
        elif not words.strip():
            problems.append(Problem("words", "", _("Say what is not right about each line."), "words_missing"))
    if problems:
        raise RuleBroken(problems)
    now = timezone.now()
    for public_id, words in lines.items():
        line = found[public_id]
        line.disputed_at, line.disputed_by, line.dispute = now, _person(actor), " ".join(words.split())[:200]
        line.save(update_fields=["disputed_at", "disputed_by", "dispute"])
    if kept.state == StatementState.MADE:
        kept.state = StatementState.DISPUTED
        kept.save(update_fields=["state"])
    record(actor, LINE_DISPUTED, union=kept.union, target=kept, details={"rows": len(lines)})
    send(
        title=gettext_lazy("A merchant disputes a statement"),
        body=str(kept),
        link=kept.get_absolute_url(),
        union=kept.union,
        right=SETTLE,
    )
    return kept


@transaction.atomic
def answer(line: StatementLine, *, actor: Staff | Operator, words: str, take_back: bool) -> Statement:
    """Finance answers a disputed line: it stands, or its redemption is refunded and corrected on the next statement.

    When the last line is answered the statement waits for the merchant again.

    Raises:
        NotAllowed: `actor` may not settle for this union, or may not refund when it is taken back.
        RuleBroken: the line is not disputed, was answered, words are missing, or it cannot be taken back any more.
    """
    kept = _locked(line.statement)
    policy.require(actor, SETTLE, kept.union)
    current: StatementLine = _lines(kept).select_for_update(of=("self",)).select_related("redemption").get(pk=line.pk)
    if current.disputed_at is None or current.answered_at is not None:
        raise RuleBroken.at("line", "", _("This line waits for no answer."), "not_disputed")
    words = " ".join(words.split())[:200]
    if not words:
        raise RuleBroken.at("words", words, _("Tell the merchant why."), "words_missing")
    if take_back:
        if current.kind != LineKind.REDEMPTION:
            raise RuleBroken.at("take_back", "", _("A correction cannot be taken back."), "is_correction")
        if current.redemption.state == RedemptionState.REDEEMED:
            refund(current.redemption, actor=actor, reason=words)
    current.answered_at, current.answered_by, current.answer = timezone.now(), _person(actor), words
    current.save(update_fields=["answered_at", "answered_by", "answer"])
    if not _lines(kept).filter(disputed_at__isnull=False, answered_at__isnull=True).exists():
        kept.state = StatementState.MADE
        kept.save(update_fields=["state"])
    record(actor, DISPUTE_ANSWERED, union=kept.union, target=kept, details={"words": words, "taken_back": take_back})
    return kept


@transaction.atomic
def approve(statement: Statement, *, actor: Staff | Operator) -> Statement:
    """A second person approves a confirmed statement for payment.

    Raises:
        NotAllowed: `actor` may not approve for this union.
        RuleBroken: it is not confirmed, or `actor` made the cut-off or confirmed for the merchant (`four_eyes`).
    """
    kept = _locked(statement)
    policy.require(actor, APPROVE_STATEMENTS, kept.union)
    _must_be(kept, StatementState.CONFIRMED)
    person = _person(actor)
    if problem := eyes_problem(kept, person):
        raise RuleBroken.at("", "", problem, "four_eyes")
    kept.state, kept.approved_by, kept.approved_at = StatementState.APPROVED, person, timezone.now()
    kept.save(update_fields=["state", "approved_by", "approved_at"])
    record(actor, STATEMENT_APPROVED, union=kept.union, target=kept)
    return kept


def eyes_problem(statement: Statement, person: User | None) -> str:
    """Why this person may not approve this statement; empty when they may. The operator is a person, too: none."""
    if person is None:
        return _("A statement is approved by a person at a desk, not from the command line.")
    if statement.made_by_id == person.pk:
        return _("You made this cut-off. Somebody else has to approve its statements.")
    if statement.confirmed_by_id == person.pk:
        return _("You confirmed this statement for the merchant. Somebody else has to approve it.")
    return ""


def _locked(statement: Statement) -> Statement:
    found: Statement = (
        Statement.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "place__union")
        .get(pk=statement.pk)
    )
    return found


def _lines(statement: Statement):  # type: ignore[no-untyped-def]
    return StatementLine.objects.with_scopes_disabled().filter(statement=statement)


def is_merchants(actor: Staff | Operator) -> bool:
    """Whether a post is one at a merchant's, not at a union."""
    return isinstance(actor, Staff) and Role(actor.role) in BOUND_ROLES


def _require_merchant(statement: Statement, actor: Staff | Operator) -> None:
    if not may_confirm(statement, actor):
        policy.require(actor if not is_merchants(actor) else None, CONFIRM_STATEMENTS, statement.union)


def _must_be(statement: Statement, state: StatementState) -> None:
    if statement.state != state:
        raise RuleBroken.at(
            "state",
            statement.state,
            _("This statement is in the state “%(state)s”; this step is not possible from there.")
            % {"state": statement.get_state_display()},
            "wrong_state",
        )


def _person(actor: Staff | Operator) -> User | None:
    return actor.user if isinstance(actor, Staff) else None
