"""Pictures that people send: what goes in, what is refused, and that nothing personal stays in the file."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from yizhan.places.pictures import LONGEST_SIDE, MOST_BYTES, SMALL_SIDE, clean_picture, smaller
from yizhan.unions.errors import RuleBroken


def drawn(form: str = "JPEG", size: tuple[int, int] = (400, 300), **options: object) -> bytes:
    """A picture whose left half is red."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    written = BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def with_position() -> bytes:
    """A picture that says where, with what and how turned it was taken, and has a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x010F] = "Camera of Wang Li"
    exif[0x8825] = {1: "N", 2: (34.0, 45.0, 12.0), 3: "E", 4: (113.0, 37.0, 8.0)}
    return drawn(exif=exif, comment=b"taken at home")


def refusal(content: bytes) -> str:
    with pytest.raises(RuleBroken) as broken:
        clean_picture(content)
    assert broken.value.problems[0].field == "photo"
    return broken.value.problems[0].code


def test_the_position_and_all_else_that_a_camera_writes_is_gone() -> None:
    given = with_position()
    assert Image.open(BytesIO(given)).getexif().get_ifd(0x8825)
    picture = clean_picture(given)
    cleaned = Image.open(BytesIO(picture.content))
    assert not cleaned.getexif()
    assert set(cleaned.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    for trace in (b"Exif", b"Wang Li", b"taken at home"):
        assert trace not in picture.content


def test_a_picture_is_turned_upright_before_its_turn_is_forgotten() -> None:
    picture = clean_picture(with_position())
    assert (picture.width, picture.height) == (300, 400)
    red, _green, blue = Image.open(BytesIO(picture.content)).getpixel((150, 40))  # type: ignore[misc]
    assert red > blue  # what lay to the left lies above


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_usual_formats_are_taken_and_become_jpeg(form: str) -> None:
    picture = clean_picture(drawn(form, (2400, 1200)))
    cleaned = Image.open(BytesIO(picture.content))
    assert (cleaned.format, cleaned.size) == ("JPEG", (LONGEST_SIDE, LONGEST_SIDE // 2))
    assert smaller(picture).width == SMALL_SIDE


def test_what_is_see_through_becomes_white() -> None:
    written = BytesIO()
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save(written, "PNG")
    cleaned = Image.open(BytesIO(clean_picture(written.getvalue()).content))
    assert cleaned.getpixel((10, 10)) == (255, 255, 255)


def png_bomb(width: int, height: int) -> bytes:
    """A small file that claims to be an enormous picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (60_000, 60_000), (2_000_000_000, 1)])
def test_an_image_bomb_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    assert refusal(png_bomb(width, height)) == "too_many_pixels"


def test_what_is_no_picture_is_refused() -> None:
    assert refusal(b"") == "not_a_picture"
    assert refusal(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>") == "not_a_picture"
    assert refusal(drawn("GIF")) == "not_a_picture"
    assert refusal(drawn("TIFF")) == "not_a_picture"
    assert refusal(drawn()[:900]) in {"damaged_picture", "not_a_picture"}
    assert refusal(drawn(size=(100, 100))) == "too_small"
    assert refusal(bytes(MOST_BYTES + 1)) == "too_big"


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_but_never_breaks(position: int, value: int) -> None:
    content = bytearray(drawn("PNG", (130, 130)))
    content[position % len(content)] = value
    try:
        picture = clean_picture(bytes(content))
    except RuleBroken:
        return
    assert picture.content.startswith(b"\xff\xd8")
