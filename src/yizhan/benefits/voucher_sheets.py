"""Drawing vouchers to print: A4, ten a sheet, each with a QR code and its digits to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from itertools import groupby
from typing import Final

import segno
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from yizhan.places.plates import FONT, fitted

from .services.vouchers import Printed
from .voucher_codes import shown

_COLUMNS, _ROWS = 2, 5
_MARGIN: Final = 10 * mm
_INK, _QUIET, _RED, _CUT = HexColor("#1d1d1f"), HexColor("#55585e"), HexColor("#c8102e"), HexColor("#b9b3a6")


@dataclass(frozen=True, slots=True)
class VoucherText:
    """What stands on each voucher of a batch. `number` names the batch on its sheets."""

    programme: str
    union: str
    valid_until: date
    number: str


def pdf(text: VoucherText, vouchers: Sequence[Printed]) -> bytes:
    """All sheets; the sheet's number stands on each, so that a lost one can be blocked."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle(_("Paper vouchers"))
    for sheet, of_sheet in groupby(vouchers, key=lambda voucher: voucher.sheet):
        _draw_sheet(canvas, text, sheet, list(of_sheet))
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw_sheet(canvas: Canvas, text: VoucherText, sheet: int, vouchers: list[Printed]) -> None:
    width, height = A4
    cell_width = (width - 2 * _MARGIN) / _COLUMNS
    cell_height = (height - 2 * _MARGIN - 6 * mm) / _ROWS
    canvas.setFillColor(_QUIET)
    canvas.setFont(FONT, 9)
    canvas.drawString(
        _MARGIN, height - _MARGIN, _("Batch %(number)s, sheet %(sheet)d") % {"number": text.number, "sheet": sheet}
    )
    for place, voucher in enumerate(vouchers):
        left = _MARGIN + place % _COLUMNS * cell_width
        bottom = height - _MARGIN - 6 * mm - (place // _COLUMNS + 1) * cell_height
        canvas.setStrokeColor(_CUT)
        canvas.setDash(2, 2)
        canvas.rect(left, bottom, cell_width, cell_height)
        canvas.setDash()
        _draw_voucher(canvas, text, voucher, left + 4 * mm, bottom + 4 * mm, cell_width - 8 * mm, cell_height - 8 * mm)


def _draw_voucher(
    canvas: Canvas, text: VoucherText, voucher: Printed, left: float, bottom: float, width: float, height: float
) -> None:
    side = min(height, 34 * mm)
    _draw_code(canvas, voucher.code, left, bottom + (height - side) / 2, side)
    x, room = left + side + 4 * mm, width - side - 4 * mm
    top = bottom + height
    canvas.setFillColor(_RED)
    canvas.setFont(FONT, 13)
    for number, line in enumerate(fitted(text.programme, room, 13)[:2]):
        canvas.drawString(x, top - 13 - number * 15, line)
    canvas.setFillColor(_INK)
    canvas.setFont(FONT, 9)
    lines = [*fitted(text.union, room, 9)[:1], _("One use, until %(day)s") % {"day": f"{text.valid_until:%Y-%m-%d}"}]
    for number, line in enumerate(lines):
        canvas.drawString(x, top - 46 - number * 12, line)
    canvas.setFont("Courier-Bold", 11)
    code = shown(voucher.code)
    canvas.drawString(x, bottom + 18, code[:9])
    canvas.drawString(x, bottom + 6, code[10:])


def _draw_code(canvas: Canvas, code: str, left: float, bottom: float, side: float) -> None:
    modules = [bytearray(row) for row in segno.make_qr(code, error="q").matrix]
    step = side / (len(modules) + 2)
    canvas.setFillColor(_INK)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            if dark:
                canvas.rect(left + (x + 1) * step, bottom + side - (y + 2) * step, step, step, stroke=0, fill=1)
