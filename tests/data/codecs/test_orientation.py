"""Decoding: pictures come out upright."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from augcli.data.codecs.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
from tests.data.codecs.pictures import (
    DEEP_NOISE,
    HIGH_BYTES,
    JPEG,
    NOISE,
    PHOTO,
    assert_same,
    by_pillow,
    chunk,
    exif,
    in_mode,
    png,
    saved,
    tiff,
    with_segment,
)

TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(
    ("container", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("TIFF", "RGB", {}),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
    ],
)
def test_all_orientations_come_out_upright(
    container: str, mode: str, options: dict[str, Any], orientation: int
) -> None:
    lying = decode(saved(in_mode(mode), container, **options)).image
    tags = Image.Exif()
    tags[0x112] = orientation
    data = saved(in_mode(mode), container, exif=tags, **options)
    assert_same(decode(data), TURNS[orientation](lying))
    assert_same(decode(data), by_pillow(data))


@pytest.mark.parametrize("orientation", TURNS)
def test_16_bit_tiff_comes_out_upright(orientation: int) -> None:
    data = tiff(DEEP_NOISE[..., 0].astype("<u2").tobytes(), 16, 1, t274=orientation)
    assert_same(decode(data), TURNS[orientation](np.repeat(HIGH_BYTES[..., :1], 3, axis=2)))


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_orientation_without_meaning_is_ignored(orientation: int) -> None:
    jpeg = saved(in_mode("RGB"), "JPEG")
    data = with_segment(jpeg, b"Exif\0\0" + exif(orientation))
    assert_same(decode(data), decode(jpeg).image)


def test_xmp_is_not_asked_where_exif_has_an_orientation_without_meaning() -> None:
    data = with_segment(JPEG, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
    assert_same(decode(with_segment(data, b"Exif\0\0" + exif(0))), decode(JPEG).image)


def test_of_two_orientations_in_one_exif_the_first_counts() -> None:
    entries = b"".join(struct.pack("<HHLHH", 0x112, 3, 1, value, 0) for value in (6, 3))
    twice = b"II*\0" + struct.pack("<LH", 8, 2) + entries + bytes(4)
    assert_same(decode(with_segment(JPEG, b"Exif\0\0" + twice)), TURNS[6](decode(JPEG).image))


XMP = b'<x tiff:Orientation="6"/>'
RAW_PROFILE = b"\nexif\n      32\n" + (b"Exif\0\0" + exif(6)).hex().encode() + b"\n"
PNG_XMP = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)


@pytest.mark.parametrize(
    "data",
    [
        with_segment(JPEG, b"Exif\0\0" + exif(6, ">")),
        with_segment(JPEG, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        # Exif goes before XMP, and the first Exif before the second.
        with_segment(
            with_segment(JPEG, b"http://ns.adobe.com/xap/1.0/\0" + XMP.replace(b"6", b"3")),
            b"Exif\0\0" + exif(6),
        ),
        with_segment(with_segment(JPEG, b"Exif\0\0" + exif(3)), b"Exif\0\0" + exif(6)),
        # A JPEG with rubbish between its segments is understood by Pillow alone.
        JPEG[:20] + b"\0\0" + with_segment(JPEG[18:], b"Exif\0\0" + exif(6))[2:],
        png(NOISE[..., :3], 8, 2, before=chunk(b"eXIf", exif(6))),
        png(NOISE[..., :3], 8, 2, after=chunk(b"eXIf", exif(6, ">"))),
        png(NOISE[..., :3], 8, 2, before=PNG_XMP),
        png(NOISE[..., :3], 8, 2, before=chunk(b"tEXt", b"Raw profile type exif\0" + RAW_PROFILE)),
        png(
            NOISE[..., :3],
            8,
            2,
            before=chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW_PROFILE)),
        ),
        saved(in_mode("RGB"), "WEBP", lossless=True, exif=b"Exif\0\0" + exif(6)),
        saved(in_mode("RGB"), "WEBP", lossless=True, exif=exif(6)),
        saved(in_mode("RGB"), "WEBP", lossless=True, xmp=XMP),
    ],
    ids=[
        *("jpeg-big-endian", "jpeg-xmp", "jpeg-exif-before-xmp", "jpeg-two-exif", "jpeg-rubbish"),
        *("png-before", "png-after", "png-xmp", "png-imagemagick", "png-imagemagick-packed"),
        *("webp-prefixed", "webp-bare", "webp-xmp"),
    ],
)
def test_orientation_is_found_in_every_place(data: bytes) -> None:
    if data.startswith(b"\xff\xd8"):
        lying = decode(JPEG).image
    else:
        lying = NOISE[..., :3] if data.startswith(b"\x89") else PHOTO[..., :3]
    assert_same(decode(data), TURNS[6](lying))


@pytest.mark.parametrize("length", range(26))
def test_a_picture_with_broken_exif_is_read(length: int) -> None:
    data = with_segment(JPEG, b"Exif\0\0" + exif(3)[:length])
    # The value of the orientation stands in bytes 18 and 19.
    assert_same(decode(data), TURNS[3 if length >= 20 else 1](decode(JPEG).image))
