"""A statement as xlsx and as PDF, and a payout as the file that a bank takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from yizhan.benefits.clock import yuan
from yizhan.benefits.models import Payout, PayoutItem, Statement, StatementLine

from .writers import Column, as_bytes, write_csv, write_xlsx

FONT: Final = "STSong-Light"  # comes with every PDF reader for Chinese; nothing needs to be embedded

LINES: Final = (
    Column("number", gettext_lazy("No."), "number"),
    Column("kind", gettext_lazy("Kind")),
    Column("redeemed_at", gettext_lazy("Redeemed at"), "time"),
    Column("programme", gettext_lazy("Programme")),
    Column("offer", gettext_lazy("Meal")),
    Column("redemption", gettext_lazy("Redemption")),
    Column("list_price", gettext_lazy("List price"), "fen"),
    Column("worker_share", gettext_lazy("Worker's share"), "fen"),
    Column("merchant_share", gettext_lazy("Merchant's share"), "fen"),
    Column("funded", gettext_lazy("Funded"), "fen"),
    Column("collected", gettext_lazy("Received for the merchant"), "fen"),
    Column("payable", gettext_lazy("Payable"), "fen"),
)
_PAYOUT: Final = (
    Column("number", gettext_lazy("No."), "number"),
    Column("holder", gettext_lazy("Account holder")),
    Column("account", gettext_lazy("Account number")),
    Column("bank", gettext_lazy("Bank and branch")),
    Column("branch_code", gettext_lazy("Branch code")),
    Column("amount", gettext_lazy("Amount"), "fen"),
    Column("purpose", gettext_lazy("Purpose")),
)


def line_rows(lines: Iterable[StatementLine]) -> Iterator[tuple[Any, ...]]:
    """One row a line; `lines` come with redemption, offer and programme."""
    for number, line in enumerate(lines, start=1):
        redemption = line.redemption
        yield (
            number,
            line.get_kind_display(),
            redemption.redeemed_at,
            redemption.programme.name,
            redemption.offer.name,
            redemption.public_id,
            line.list_fen,
            line.worker_fen,
            line.merchant_fen,
            line.funded_fen,
            line.collected_fen,
            line.payable_fen,
        )


def statement_xlsx(statement: Statement, lines: Iterable[StatementLine]) -> bytes:
    """All lines of a statement and their sum; money as numbers in yuan."""
    return as_bytes(write_xlsx, LINES, _with_sum(statement, lines))


def _with_sum(statement: Statement, lines: Iterable[StatementLine]) -> Iterator[tuple[Any, ...]]:
    yield from line_rows(lines)
    yield (
        None,
        _("Sum"),
        None,
        statement.number,
        statement.place.name,
        None,
        statement.list_fen,
        statement.worker_fen,
        statement.merchant_fen,
        statement.funded_fen,
        statement.collected_fen,
        statement.payable_fen,
    )


def statement_pdf(statement: Statement, lines: Iterable[StatementLine]) -> bytes:
    """A statement to print and sign: head, sums, lines, places for the signatures."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    words = ParagraphStyle("words", fontName=FONT, fontSize=9.5, leading=14, wordWrap="CJK")
    title = ParagraphStyle("title", parent=words, fontSize=17, leading=24, alignment=1)
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=16 * mm,
        rightMargin=16 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=statement.number,
        author=statement.union.name,
    )
    width = document.width
    facts = [
        (_("Merchant"), statement.place.name, _("Statement number"), statement.number),
        (_("Paid by"), statement.union.name, _("Day"), statement.day.isoformat()),
        (_("Redemptions"), str(statement.redemptions), _("Corrections"), str(statement.corrections)),
        (_("State"), statement.get_state_display(), _("Printed at"), f"{timezone.localtime():%Y-%m-%d %H:%M}"),
    ]
    sums = [
        (_("List price"), statement.list_fen),
        (_("Workers' share"), statement.worker_fen),
        (_("Merchant's share"), statement.merchant_fen),
        (_("Funded"), statement.funded_fen),
        (_("Received for the merchant"), statement.collected_fen),
        (_("Payable"), statement.payable_fen),
    ]
    story: list[Any] = [
        Paragraph(_("Statement of meals"), title),
        Spacer(1, 4 * mm),
        _grid(
            [[Paragraph(_safe(cell), words) for cell in row] for row in facts],
            [width * x for x in (0.13, 0.4, 0.13, 0.34)],
        ),
        Spacer(1, 4 * mm),
        _grid(
            [
                [Paragraph(_safe(label), words) for label, _fen in sums],
                [Paragraph(f"{yuan(fen)}", words) for _label, fen in sums],
            ],
            [width / 6] * 6,
        ),
        Spacer(1, 4 * mm),
        _lines_table(lines, width, words),
        Spacer(1, 12 * mm),
        _grid(
            [
                [
                    Paragraph(_safe(f"{whose}："), words)
                    for whose in (_("Merchant (seal)"), _("Prepared by"), _("Approved by"))
                ]
            ],
            [width / 3] * 3,
            lined=False,
        ),
    ]
    document.build(story, onFirstPage=_foot, onLaterPages=_foot)
    return out.getvalue()


def payout_rows(payout: Payout, items: Sequence[PayoutItem]) -> Iterator[tuple[Any, ...]]:
    """One row a merchant, as banks' batch files have it."""
    for number, item in enumerate(items, start=1):
        yield number, item.holder, item.number, item.bank, item.branch_code, item.fen, payout.number


def payout_file(payout: Payout, items: Sequence[PayoutItem], *, form: str) -> bytes:
    """The file for the bank, `xlsx` or `csv`; account numbers are text, so that no digit is lost."""
    return as_bytes(write_xlsx if form == "xlsx" else write_csv, _PAYOUT, payout_rows(payout, items))


def _lines_table(lines: Iterable[StatementLine], width: float, words: ParagraphStyle) -> LongTable:
    small = ParagraphStyle("small", parent=words, fontSize=8, leading=10)
    heads = (_("No."), _("Time"), _("Meal"), _("List price"), _("Worker's share"), _("Funded"), _("Payable"))
    rows: list[list[Any]] = [[Paragraph(_safe(head), small) for head in heads]]
    for number, kind, at, _programme, offer, _id, price, worker, _merchant, funded, _collected, payable in line_rows(
        lines
    ):
        name = offer if price >= 0 else f"{offer}（{kind}）"
        rows.append(
            [
                str(number),
                f"{timezone.localtime(at):%m-%d %H:%M}",
                Paragraph(_safe(name), small),
                yuan(price),
                yuan(worker),
                yuan(funded),
                yuan(payable),
            ]
        )
    table = LongTable(rows, colWidths=[width * x for x in (0.08, 0.16, 0.3, 0.12, 0.12, 0.11, 0.11)], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), FONT, 8),
                ("GRID", (0, 0), (-1, -1), 0.3, colors.HexColor("#b9bcc2")),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#f1f2f4")),
                ("ALIGN", (3, 1), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ]
        )
    )
    return table


def _grid(rows: list[list[Any]], widths: list[float], *, lined: bool = True) -> Table:
    table = Table(rows, colWidths=widths)
    look: list[Any] = [("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    if lined:
        look.append(("GRID", (0, 0), (-1, -1), 0.3, colors.HexColor("#b9bcc2")))
    table.setStyle(TableStyle(look))
    return table


def _foot(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(FONT, 8)
    canvas.drawCentredString(A4[0] / 2, 10 * mm, f"{document.title} · {canvas.getPageNumber()}")
    canvas.restoreState()


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
