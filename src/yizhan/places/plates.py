"""Drawing the plate at a place's door: a QR code with the place's name, its union and 12351, as SVG and as PDF.

Sizes are ISO 216 sheets in upright format; lengths inside are points of 1/72 inch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Final

import segno
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, A5
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

SIZES: Final[dict[str, tuple[float, float]]] = {"a4": A4, "a5": A5}
FONT: Final = "STSong-Light"  # comes with every PDF reader for Chinese; nothing needs to be embedded
HOTLINE: Final = "12351"
_RED: Final = "#c8102e"
_INK: Final = "#1d1d1f"
_QUIET: Final = "#55585e"
_OPENING: Final = "（(《〈【[“‘"
_BORDER_MODULES: Final = 4  # the quiet zone that ISO/IEC 18004 asks for


@dataclass(frozen=True, slots=True)
class PlateText:
    """What stands on a plate. `url` is what the code holds; `shown_url` is for those who type it."""

    place: str
    union: str
    url: str

    @property
    def shown_url(self) -> str:
        """Without the scheme."""
        return self.url.partition("://")[2]


def modules_of(url: str) -> list[bytearray]:
    """The QR code as rows of modules, 1 is dark, without its quiet zone. Level Q: a quarter may be scratched."""
    return [bytearray(row) for row in segno.make_qr(url, error="q").matrix]


def pdf(plates: Iterable[PlateText], *, size: str) -> bytes:
    """One page a plate.

    Args:
        plates: What stands on each.
        size: A key of `SIZES`.
    """
    width, height = SIZES[size]
    _register_font()
    out = BytesIO()
    canvas = Canvas(out, pagesize=(width, height), pageCompression=1)
    canvas.setTitle(_("Plates for doors"))
    for plate in plates:
        _draw(canvas, plate, width, height)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def svg(plate: PlateText) -> str:
    """The plate as an SVG of the shape of an A-size sheet; letters stay letters, in the reader's Chinese font."""
    width, height = 420.0, 594.0
    layout = _Layout.of(plate, width, height)
    parts = [
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
        f'<rect width="{width:g}" height="{layout.band:g}" fill="{_RED}"/>',
        f'<path fill="{_INK}" d="{_path(plate.url, layout)}"/>',
    ]
    parts += [
        f'<text x="{width / 2:g}" y="{line.y:.1f}" font-size="{line.size:.1f}" fill="{line.colour}">'
        f"{_escaped(line.text)}</text>"
        for line in layout.lines
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="148mm" height="210mm" '
        f'role="img" text-anchor="middle" font-family="Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif">'
        f"<title>{_escaped(plate.place)}</title>{''.join(parts)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A centred line; `y` is its base line, counted downwards from the top."""

    text: str
    y: float
    size: float
    colour: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything stands on a sheet, counted downwards from the top."""

    band: float
    code_left: float
    code_top: float
    code_side: float
    lines: tuple[_Line, ...]

    @classmethod
    def of(cls, plate: PlateText, width: float, height: float) -> _Layout:
        unit = width / 100
        band = 15 * unit
        room = 88 * unit
        lines = []
        union = fitted(plate.union, room, 5.6 * unit)[:2]
        size = min(5.6 * unit, 7 * unit / len(union))
        for number, text in enumerate(union):
            y = band / 2 + size * 0.36 + (number - (len(union) - 1) / 2) * size * 1.15
            lines.append(_Line(text, y, size, "#ffffff"))
        name_size = 7 * unit
        name = fitted(plate.place, room, name_size)
        if len(name) > 2:
            name_size = 5 * unit
            name = fitted(plate.place, room, name_size)
            if len(name) > 3:
                name = [*name[:2], f"{name[2][:-1]}…"]
        y = band + 11 * unit
        for text in name:
            lines.append(_Line(text, y, name_size, _INK))
            y += name_size * 1.25
        side = min(72 * unit, height - y - 26 * unit)
        top = y - name_size * 1.25 + 3 * unit
        below = top + side
        lines += [
            _Line(_("Scan: opening hours, services, report a fault"), below + 3 * unit, 4 * unit, _INK),
            _Line(plate.shown_url, below + 9 * unit, 3.4 * unit, _QUIET),
            _Line(_("Trade union hotline %(number)s") % {"number": HOTLINE}, height - 7 * unit, 6.4 * unit, _RED),
        ]
        return cls(band, (width - side) / 2, top, side, tuple(lines))


def fitted(text: str, room: float, size: float) -> list[str]:
    """The text in lines no wider than `room` points at a font size; broken between any two letters, as Chinese is."""
    _register_font()
    lines = [""]
    for letter in text:
        if pdfmetrics.stringWidth(lines[-1] + letter, FONT, size) > room and lines[-1]:
            kept = lines[-1].rstrip(_OPENING)  # an opening bracket belongs to what follows
            lines[-1], carried = (kept, lines[-1][len(kept) :]) if kept else (lines[-1], "")
            lines.append(carried)
        lines[-1] += letter
    return [line.strip() for line in lines]


def _draw(canvas: Canvas, plate: PlateText, width: float, height: float) -> None:
    layout = _Layout.of(plate, width, height)
    canvas.setFillColor(HexColor(_RED))
    canvas.rect(0, height - layout.band, width, layout.band, stroke=0, fill=1)
    canvas.setFillColor(HexColor(_INK))
    matrix = modules_of(plate.url)
    module = layout.code_side / (len(matrix) + 2 * _BORDER_MODULES)
    path = canvas.beginPath()
    for row, first, last in _runs(matrix):
        x = layout.code_left + (first + _BORDER_MODULES) * module
        y = height - layout.code_top - (row + 1 + _BORDER_MODULES) * module
        path.rect(x, y, (last - first) * module, module)
    canvas.drawPath(path, stroke=0, fill=1)
    for line in layout.lines:
        canvas.setFillColor(HexColor(line.colour))
        canvas.setFont(FONT, line.size)
        canvas.drawCentredString(width / 2, height - line.y, line.text)


def _path(url: str, layout: _Layout) -> str:
    matrix = modules_of(url)
    module = layout.code_side / (len(matrix) + 2 * _BORDER_MODULES)
    left, top = layout.code_left + _BORDER_MODULES * module, layout.code_top + _BORDER_MODULES * module
    return "".join(
        f"M{left + first * module:.2f} {top + row * module:.2f}h{(last - first) * module:.2f}v{module:.2f}"
        f"h{(first - last) * module:.2f}z"
        for row, first, last in _runs(matrix)
    )


def _runs(matrix: Sequence[bytearray]) -> Iterable[tuple[int, int, int]]:
    """Dark stretches: row, first column, column after the last."""
    for number, row in enumerate(matrix):
        start = None
        for column, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                yield number, start, column
                start = None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _register_font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
