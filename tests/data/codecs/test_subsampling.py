"""Reading the subsampling of a JPEG from its header."""

from __future__ import annotations

from typing import Any

import cv2
import pytest

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.headers import read_header
from tests.data.codecs.pictures import JPEG, PHOTO, by_pillow, exif, in_mode, saved, with_segment

FULL = saved(in_mode("RGB"), "JPEG", subsampling="4:4:4")
START_OF_FRAME = FULL.index(b"\xff\xc0")
FACTORS = slice(START_OF_FRAME + 11, START_OF_FRAME + 18, 3)
"""Sampling factors of the three components."""


@pytest.mark.parametrize(
    ("factor", "expected"),
    [("444", "444"), *((odd, "420") for odd in ("420", "422", "440", "411"))],
)
@pytest.mark.parametrize("progressive", [0, 1])
def test_of_opencv(factor: str, expected: str, progressive: int) -> None:
    settings = [
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{factor}")),
        *(cv2.IMWRITE_JPEG_PROGRESSIVE, progressive),
    ]
    data = cv2.imencode(".jpg", PHOTO[..., :3], settings)[1].tobytes()
    assert read_header(data).subsampling == expected
    assert decode(data).subsampling == expected


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("RGB", {"subsampling": "4:4:4"}, "444"),
        ("RGB", {"subsampling": "4:4:4", "keep_rgb": True}, "444"),
        ("RGB", {"subsampling": "4:2:2"}, "420"),
        ("RGB", {"subsampling": "4:2:0"}, "420"),
        ("RGB", {}, "420"),
        ("L", {}, "420"),
        ("CMYK", {}, "420"),
    ],
)
def test_of_pillow(mode: str, options: dict[str, Any], expected: str) -> None:
    data = saved(in_mode(mode), "JPEG", **options)
    assert read_header(data).subsampling == expected
    assert decode(data).subsampling == expected


def test_is_found_behind_other_segments_and_where_pillow_decodes() -> None:
    data = with_segment(FULL, b"Exif\0\0" + exif(6))
    assert decode(data).subsampling == "444"
    # A scan that ends in another marker than the end is left to Pillow.
    odd = FULL[:-2] + b"\xff\xfe\x00\x04ab" + FULL[-2:]
    assert not read_header(odd).plain
    assert (decode(odd).subsampling, decode(odd).image.tolist()) == ("444", by_pillow(odd).tolist())


def test_any_equal_factors_are_full_resolution() -> None:
    data = bytearray(FULL)
    assert data[FACTORS] == b"\x11\x11\x11"
    data[FACTORS] = b"\x22\x22\x22"
    assert read_header(bytes(data)).subsampling == "444"
    data[FACTORS] = b"\x22\x22\x11"
    assert read_header(bytes(data)).subsampling == "420"


def test_a_header_that_is_cut_short_says_nothing() -> None:
    last = FACTORS.start + 6
    for end in range(3, len(FULL)):
        assert read_header(FULL[:end]).subsampling == ("444" if end > last else "420"), end


@pytest.mark.parametrize("container", ["PNG", "WebP", "BMP", "TIFF"])
def test_no_other_format_has_it(container: str) -> None:
    assert decode(saved(in_mode("RGB"), container)).subsampling == "420"
    assert decode(JPEG).subsampling == "420"
