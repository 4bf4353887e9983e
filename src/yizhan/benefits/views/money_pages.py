"""Finance's first page, statements, and who funded what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from yizhan.benefits.exports.statements import statement_pdf, statement_xlsx
from yizhan.benefits.exports.writers import MEDIA_TYPES, WRITERS, Column, as_bytes
from yizhan.benefits.finance_actions import MONEY_EXPORTED, STATEMENT_TAKEN_HOME
from yizhan.benefits.forms.money import AnswerForm, SpanForm, WordsForm
from yizhan.benefits.models import AccountKind, Statement, StatementState
from yizhan.benefits.money_filters import StatementFilter
from yizhan.benefits.queries import finance
from yizhan.benefits.rights import APPROVE_STATEMENTS, EXPORT_MONEY, PAY_OUT, SETTLE, VIEW_MONEY, VIEW_STATEMENTS
from yizhan.benefits.services import settlement
from yizhan.benefits.services import statements as life
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Level
from yizhan.unions.rights import policy

_PER_PAGE = 50
TONES = {
    StatementState.MADE: "info",
    StatementState.DISPUTED: "warn",
    StatementState.CONFIRMED: "info",
    StatementState.APPROVED: "good",
    StatementState.PAID: "good",
}
_FUNDING_COLUMNS = (
    Column("level", gettext_lazy("Level")),
    Column("kind", gettext_lazy("Kind")),
    Column("source", gettext_lazy("Funding source")),
    Column("redemptions", gettext_lazy("Redemptions"), "number"),
    Column("given", gettext_lazy("Given"), "fen"),
)


@require_safe
@desk_page(VIEW_MONEY)
def overview(request: StaffRequest) -> HttpResponseBase:
    """What waits for finance."""
    return render(
        request,
        "benefits/money/overview.html",
        {
            "figures": finance.overview(for_staff=request.staff, at=timezone.now()),
            "may_settle": policy.holds(request.staff, SETTLE),
            "may_export": policy.holds(request.staff, EXPORT_MONEY),
            "recent": finance.statements(for_staff=request.staff)[:8],
            "tones": TONES,
        },
    )


@require_POST
@desk_page(SETTLE)
def cut_off(request: StaffRequest) -> HttpResponseBase:
    """Cut off the acting union's programmes now."""
    made = settlement.cut_off(request.staff.union, actor=request.staff)
    count = made.statements.count()
    if count:
        messages.success(request, _("Cut off: %(count)s statements wait for their merchants.") % {"count": count})
    else:
        messages.info(request, _("Nothing was due: no statement was made."))
    return redirect("benefits:statements")


@require_safe
@desk_page(VIEW_STATEMENTS)
def statements(request: StaffRequest) -> HttpResponseBase:
    """Statements of the acting union and below; a merchant sees its own."""
    narrowed = StatementFilter(request.GET, queryset=finance.statements(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "benefits/money/statements.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": [(each, TONES[StatementState(each.state)]) for each in page],
            "states": StatementState.choices,
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_settle": policy.holds(request.staff, SETTLE),
            "may_pay": policy.holds(request.staff, PAY_OUT),
            "sees_money": policy.holds(request.staff, VIEW_MONEY),
        },
    )


@require_safe
@desk_page(VIEW_STATEMENTS)
def statement(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One statement with all its lines."""
    return _page(request, _statement_of(request, public_id))


@require_POST
@desk_page(VIEW_STATEMENTS)
def confirm(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The merchant agrees, or staff enter that it does."""
    found = _statement_of(request, public_id)
    form = WordsForm(request.POST, required=False)
    if form.is_valid():
        try:
            life.confirm(found, actor=request.staff, words=form.cleaned_data["words"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Confirmed. Finance approves it next."))
            return redirect(found)
    return _page(request, found, confirm_form=form, status=422)


@require_POST
@desk_page(VIEW_STATEMENTS)
def dispute(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The merchant disputes the chosen lines with one sentence."""
    found = _statement_of(request, public_id)
    form = WordsForm(request.POST, label=_("What is not right"))
    if form.is_valid():
        try:
            chosen = {UUID(text): form.cleaned_data["words"] for text in request.POST.getlist("line")}
            life.dispute(found, lines=chosen, actor=request.staff)
        except ValueError:
            raise Http404 from None
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Disputed. Finance was told and will answer."))
            return redirect(found)
    return _page(request, found, dispute_form=form, status=422)


@require_POST
@desk_page(SETTLE)
def answer(request: StaffRequest, public_id: UUID, line_id: UUID) -> HttpResponseBase:
    """Finance answers a disputed line."""
    found = _statement_of(request, public_id)
    line = get_object_or_404(finance.lines_of(found), public_id=line_id)
    form = AnswerForm(request.POST, prefix=str(line_id))
    if form.is_valid():
        try:
            life.answer(
                line, actor=request.staff, words=form.cleaned_data["words"], take_back=form.cleaned_data["take_back"]
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Answered."))
            return redirect(found)
    return _page(request, found, answers={line_id: form}, status=422)


@require_POST
@desk_page(APPROVE_STATEMENTS)
def approve(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A second person approves."""
    found = _statement_of(request, public_id)
    try:
        life.approve(found, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("Approved. It is part of the next payout."))
    return redirect(found)


@require_safe
@desk_page(VIEW_STATEMENTS)
@transaction.atomic
def statement_file(request: StaffRequest, public_id: UUID, form: str) -> HttpResponseBase:
    """The statement as xlsx or PDF; that it was taken home is recorded."""
    found = _statement_of(request, public_id)
    lines = finance.lines_in_order(found)
    if form == "xlsx":
        content, kind = statement_xlsx(found, lines), MEDIA_TYPES["xlsx"]
    elif form == "pdf":
        content, kind = statement_pdf(found, lines), "application/pdf"
    else:
        raise Http404
    record(request.staff, STATEMENT_TAKEN_HOME, union=found.union, target=found, details={"form": form})
    return download(content, kind, f"{found.number}.{form}")


@require_safe
@desk_page(VIEW_MONEY)
def funding(request: StaffRequest) -> HttpResponseBase:
    """Who gave how much, by level and source."""
    form, span = _span(request)
    rows = finance.funding(for_staff=request.staff, **span) if span else []
    return render(
        request,
        "benefits/money/funding.html",
        {
            "form": form,
            "span": span,
            "rows": [
                {"row": row, "level": Level(row.level).label, "kind": AccountKind(row.kind).label} for row in rows
            ],
            "total": sum(row.fen for row in rows),
            "may_export": policy.holds(request.staff, EXPORT_MONEY),
        },
    )


@require_safe
@desk_page(EXPORT_MONEY)
@transaction.atomic
def export_funding(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same as a file."""
    _form, span = _span(request)
    if form not in WRITERS or not span:
        raise Http404
    rows = [
        (str(Level(row.level).label), str(AccountKind(row.kind).label), row.source, row.count, row.fen)
        for row in finance.funding(for_staff=request.staff, **span)
    ]
    record(request.staff, MONEY_EXPORTED, union=request.staff.union, details={"rows": len(rows), "form": form})
    content = as_bytes(WRITERS[form], _FUNDING_COLUMNS, rows)
    return download(content, MEDIA_TYPES[form], f"funding-{span['since']}-{span['until']}.{form}", rows=len(rows))


def download(content: bytes, kind: str, name: str, *, rows: int | None = None) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    if rows is not None:
        response["X-Row-Count"] = str(rows)
    return response


def _span(request: StaffRequest) -> tuple[SpanForm, dict[str, Any] | None]:
    asked = bool(request.GET.get("since") or request.GET.get("until"))
    initial = SpanForm.this_month(timezone.localdate())
    form = SpanForm(request.GET if asked else initial, initial=initial)
    return form, form.cleaned_data if form.is_valid() else None


def _statement_of(request: StaffRequest, public_id: UUID) -> Statement:
    found: Statement = get_object_or_404(finance.statements(for_staff=request.staff), public_id=public_id)
    return found


def _page(
    request: StaffRequest,
    found: Statement,
    *,
    confirm_form: WordsForm | None = None,
    dispute_form: WordsForm | None = None,
    answers: dict[UUID, AnswerForm] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    page = Paginator(finance.lines_of(found), _PER_PAGE).get_page(request.GET.get("page"))
    settles = policy.allows(request.staff, SETTLE, found.union)
    is_merchant = life.is_merchants(request.staff)
    waits = found.state in {StatementState.MADE, StatementState.DISPUTED}
    rows = []
    for line in page:
        is_open = line.disputed_at is not None and line.answered_at is None
        form = (answers or {}).get(line.public_id) or AnswerForm(prefix=str(line.public_id))
        rows.append(
            {
                "line": line,
                "is_open": is_open,
                "form": form if is_open and settles else None,
                "may_dispute": waits and line.disputed_at is None,
            }
        )
    may_answer_for_merchant = life.may_confirm(found, request.staff)
    return render(
        request,
        "benefits/money/statement.html",
        {
            "statement": found,
            "tone": TONES[StatementState(found.state)],
            "page": page,
            "rows": rows,
            "is_merchant": is_merchant,
            "may_confirm": may_answer_for_merchant and found.state == StatementState.MADE,
            "may_dispute": may_answer_for_merchant and waits,
            "may_approve": found.state == StatementState.CONFIRMED
            and policy.allows(request.staff, APPROVE_STATEMENTS, found.union),
            "eyes_problem": life.eyes_problem(found, request.staff.user),
            "confirm_form": confirm_form or WordsForm(label=_("How the merchant confirmed"), required=not is_merchant),
            "dispute_form": dispute_form or WordsForm(label=_("What is not right")),
        },
        status=status,
    )
