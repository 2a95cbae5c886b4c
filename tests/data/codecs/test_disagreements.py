"""Pillow decides about damage that OpenCV overlooks."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.headers import read_header
from augcli.errors import UnreadableImage
from tests.photos import picture

PHOTO = Pillow.fromarray(picture(1, 40, 52))


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    PHOTO.save(file, kind, **options)
    return file.getvalue()


def test_jpeg_with_a_misplaced_block_is_refused() -> None:
    data = saved("JPEG", quality=90)
    spliced = data[: len(data) // 2] + data[: len(data) // 4] + data[len(data) // 2 :]
    assert not read_header(spliced).plain
    with pytest.raises(UnreadableImage, match="damaged"):
        decode(spliced)


@pytest.mark.parametrize("progressive", [False, True])
def test_good_jpeg_is_plain(progressive: bool) -> None:
    assert read_header(saved("JPEG", progressive=progressive, restart_marker_rows=1)).plain


def test_jpeg_is_turned_once_when_its_header_breaks_behind_the_orientation() -> None:
    turned = Pillow.Exif()
    turned[0x0112] = 6
    data = saved("JPEG", exif=turned.tobytes())
    at = data.index(b"\xff\xdb")
    # A stray byte between two segments.
    broken = data[:at] + b"\x00" + data[at:]
    expected = np.array(ImageOps.exif_transpose(Pillow.open(io.BytesIO(broken))).convert("RGB"))
    assert (read_header(broken).orientation, expected.shape) == (6, (52, 40, 3))
    assert np.array_equal(decode(broken).image, expected)


@pytest.mark.parametrize("marker", [0x01, 0x02, 0xBF])
def test_jpeg_with_a_segment_of_no_known_kind_is_refused(marker: int) -> None:
    """OpenCV skips it; where it was a table, it decodes with a default one."""
    data = saved("JPEG")
    at = data.index(b"\xff\xc4")
    broken = data[: at + 1] + bytes([marker]) + data[at + 2 :]
    assert not read_header(broken).plain
    with pytest.raises(UnreadableImage, match="damaged"):
        decode(broken)


def test_png_whose_chunk_declares_more_than_the_file_is_refused() -> None:
    data = bytearray(saved("PNG"))
    at = data.index(b"IDAT") - 4
    data[at : at + 4] = struct.pack(">I", 2**31 - 1)
    with pytest.raises(UnreadableImage, match="cut short"):
        read_header(bytes(data))


def test_png_with_a_wrong_checksum_before_the_pixels_is_refused() -> None:
    data = saved("PNG")
    at = data.index(b"IDAT") - 4
    body = b"tEXtkey\0value"
    wrong = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body) ^ 1)
    assert not read_header(data[:at] + wrong + data[at:]).plain
    with pytest.raises(UnreadableImage):
        decode(data[:at] + wrong + data[at:])


def test_webp_with_bytes_behind_its_end_is_left_to_pillow() -> None:
    data = saved("WEBP", lossless=True)
    assert read_header(data).plain
    assert not read_header(data + b"more").plain
    assert np.array_equal(decode(data + b"more").image, np.array(PHOTO))


@pytest.mark.parametrize(
    ("at", "value", "plain"),
    [(46, 256, True), (46, 200, False), (46, 10**6, False), (10, 54, False)],
)
def test_bmp_with_another_palette_than_its_header_says_is_left_to_pillow(
    at: int, value: int, plain: bool
) -> None:
    file = io.BytesIO()
    PHOTO.convert("L").save(file, "BMP")
    data = bytearray(file.getvalue())
    data[at : at + 4] = struct.pack("<I", value)
    assert read_header(bytes(data)).plain is plain
