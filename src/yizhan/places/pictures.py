"""Pictures that people send: checked, turned upright, made smaller, and written anew as JPEG.

Nothing of the original file is kept: not its name, and not what cameras write into it, such as position, time, device
and a small earlier version of the picture.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from yizhan.unions.errors import RuleBroken

FORMATS = ("JPEG", "PNG", "WEBP")
ACCEPT = "image/jpeg,image/png,image/webp"
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000  # a telephone's largest picture; unpacked, it takes 150 MB for a moment
LEAST_SIDE, LONGEST_SIDE, SMALL_SIDE = 120, 1600, 480
_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean JPEG; its sides in pixels."""

    content: bytes
    width: int
    height: int


def clean_picture(content: bytes, *, field: str = "photo", longest_side: int = LONGEST_SIDE) -> Picture:
    """The picture in `content` as a clean JPEG whose longer side has at most `longest_side` pixels.

    The size is looked up in the file's head before anything is unpacked, so that a small file that claims to be an
    enormous picture costs nothing.

    Raises:
        RuleBroken: at `field`: too many bytes or pixels, too small, damaged, or no JPEG, PNG or WebP.
    """
    if len(content) > MOST_BYTES:
        raise _refused(
            field,
            _("%(given).1f MB") % {"given": len(content) / 1024**2},
            _("The picture has more than %(limit)d MB.") % {"limit": MOST_BYTES // 1024**2},
            "too_big",
        )
    try:
        # Pillow's own guards against bombs only warn at first; here a warning is a refusal.
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _cleaned(content, field, longest_side)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(field, "") from None
    except UnidentifiedImageError:
        raise _refused(
            field, "", _("This is no picture that can be read here; choose a JPEG, PNG or WebP file."), "not_a_picture"
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError, TypeError):
        # What Pillow's decoders raise for damaged files, by format.
        raise _refused(field, "", _("The picture is damaged and cannot be read."), "damaged_picture") from None


def smaller(picture: Picture, *, longest_side: int = SMALL_SIDE) -> Picture:
    """The same picture for lists."""
    with Image.open(BytesIO(picture.content), formats=["JPEG"]) as image:
        image.thumbnail((longest_side, longest_side))
        return _written(image)


def _cleaned(content: bytes, field: str, longest_side: int) -> Picture:
    with Image.open(BytesIO(content), formats=FORMATS) as opened:
        width, height = opened.size
        sides = _("%(width)d × %(height)d pixels") % {"width": width, "height": height}
        if width * height > MOST_PIXELS:
            raise _too_many_pixels(field, sides)
        if min(width, height) < LEAST_SIDE:
            raise _refused(
                field,
                sides,
                _("The picture is too small to see anything: each side needs %(limit)d pixels.")
                % {"limit": LEAST_SIDE},
                "too_small",
            )
        opened.draft("RGB", (longest_side, longest_side))  # JPEG can be unpacked at a fraction of its size
        image: Image.Image = ImageOps.exif_transpose(opened)
        image.thumbnail((longest_side, longest_side))
        return _written(image)


def _written(image: Image.Image) -> Picture:
    # A new canvas: whatever hung at the original (comments, profiles, EXIF) cannot come along.
    canvas = Image.new("RGB", image.size, "white")
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        canvas.paste(layer, mask=layer.getchannel("A"))
    else:
        canvas.paste(image.convert("RGB"))
    written = BytesIO()
    canvas.save(written, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return Picture(written.getvalue(), *canvas.size)


def _too_many_pixels(field: str, sides: str) -> RuleBroken:
    return _refused(
        field,
        sides,
        _("The picture has more than %(limit)d million pixels.") % {"limit": MOST_PIXELS // 1_000_000},
        "too_many_pixels",
    )


def _refused(field: str, value: Any, message: str, code: str) -> RuleBroken:
    return RuleBroken.at(field, value, message, code)
