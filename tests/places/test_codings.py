"""What the header Accept-Encoding asks for."""

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yizhan.places.codings import BROTLI, GZIP, IDENTITY, ZSTANDARD, BrotliStream, preferred


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("", IDENTITY),
        ("identity", IDENTITY),
        ("gzip", GZIP),
        ("gzip, deflate, br", BROTLI),
        ("gzip, deflate, br, zstd", ZSTANDARD),
        ("GZIP;q=1, BR;q=0.5", GZIP),
        ("br;q=0.9, gzip;q=0.9", BROTLI),
        ("br;q=0", IDENTITY),
        ("*", ZSTANDARD),
        ("*, zstd;q=0", BROTLI),
        ("*;q=0.1, gzip", GZIP),
        ("identity, br;q=0.5", IDENTITY),
        ("identity;q=0.1, br;q=0.5", BROTLI),
        ("br;q=much", IDENTITY),
        (" , ;q=1, brr", IDENTITY),
    ],
)
def test_the_coding_is_the_one_the_asker_likes_best_and_of_equals_the_first(accepted: str, wanted: str) -> None:
    assert preferred(accepted, (ZSTANDARD, BROTLI, GZIP)) == wanted


@given(st.text(max_size=40))
def test_no_header_is_too_strange(accepted: str) -> None:
    assert preferred(accepted, (BROTLI, GZIP)) in {IDENTITY, BROTLI, GZIP}


def test_a_stream_can_be_read_as_it_comes() -> None:
    stream, reader = BrotliStream(), brotli.Decompressor()
    parts = ["驿站".encode(), bytes(range(256)) * 3, b"", "惠骑餐厅".encode() * 500]
    for part in parts:
        assert reader.process(stream.part(part)) == part
    assert reader.process(stream.last(b"!")) == b"!"
    assert reader.is_finished()
