"""Taking in photos: of what comes, nothing but the picture is kept.

Every photo is decoded and drawn anew as a JPEG: position, camera, time and whatever else a phone writes into a file are
gone, and so is anything that hides behind a picture's name.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from yizhan.unions.errors import RuleBroken

MOST_BYTES: Final = 12 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000  # a phone's camera at its best; a bomb unpacks to more
LONGEST_SIDE: Final = 1600
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = 82


def cleaned_photo(content: bytes, *, field: str = "photo") -> bytes:
    """The picture alone, upright, at most 1600 pixels long, as a JPEG without any metadata.

    Raises:
        RuleBroken: at `field`: too large, too many pixels, no JPEG, PNG or WebP, or damaged.
    """
    if len(content) > MOST_BYTES:
        raise RuleBroken.at(
            field,
            len(content),
            _("The photo is larger than %(n)d MB.") % {"n": MOST_BYTES // 1024 // 1024},
            "too_large",
        )
    unreadable = RuleBroken.at(
        field, "", _("This is not a photo that can be read: JPEG, PNG and WebP are."), "not_a_photo"
    )
    try:
        picture = Image.open(BytesIO(content), formats=_FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise unreadable from None
    width, height = picture.size  # from the header; nothing is unpacked yet
    if width * height > MOST_PIXELS:
        raise RuleBroken.at(
            field,
            f"{width} × {height}",
            _("The photo has more than %(n)d million pixels.") % {"n": MOST_PIXELS // 1_000_000},
            "too_many_pixels",
        )
    try:
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        plain = Image.new("RGB", upright.size, "white")
        shown = upright.convert("RGBA")
        plain.paste(shown, mask=shown.getchannel("A"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise unreadable from None
    out = BytesIO()
    plain.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
