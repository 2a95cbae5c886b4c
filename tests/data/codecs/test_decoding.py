"""Decoding: the pixels are those that Pillow gives."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from augcli.data.codecs.decoding import ALPHA, DEEP, decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
from tests.data.codecs.pictures import (
    DEEP_NOISE,
    HEIGHT,
    HIGH_BYTES,
    JPEG,
    NOISE,
    PHOTO,
    assert_same,
    bmp,
    by_pillow,
    chunk,
    exif,
    in_mode,
    interlaced_png,
    png,
    saved,
    tiff,
    with_segment,
)

WRITABLE = [
    *(("JPEG", mode, {"quality": 90}) for mode in ("RGB", "L", "CMYK")),
    ("JPEG", "RGB", {"quality": 80, "progressive": True}),
    ("JPEG", "RGB", {"quality": 80, "subsampling": "4:4:4"}),
    ("JPEG", "RGB", {"quality": 80, "subsampling": "4:2:2"}),
    ("JPEG", "RGB", {"keep_rgb": True}),
    ("JPEG", "CMYK", {"progressive": True}),
    ("JPEG", "RGB", {"restart_marker_blocks": 2}),
    *(("PNG", mode, {}) for mode in ("RGB", "L", "1", "P", "RGBA", "LA")),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "P", {"transparency": bytes(range(100))}),
    ("PNG", "RGB", {"transparency": (1, 2, 3)}),
    ("PNG", "L", {"transparency": 3}),
    ("PNG", "P", {"bits": 8}),
    *(("WEBP", mode, {"lossless": True}) for mode in ("RGB", "L", "RGBA")),
    *(("WEBP", mode, {"quality": 80}) for mode in ("RGB", "RGBA")),
    *(("BMP", mode, {}) for mode in ("RGB", "L", "1", "P", "RGBA")),
    *(("TIFF", mode, {}) for mode in ("RGB", "L", "1", "P", "RGBA", "LA", "CMYK")),
    *(
        ("TIFF", mode, {"compression": compression})
        for mode in ("RGB", "L", "RGBA", "CMYK")
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    ),
    ("TIFF", "1", {"compression": "group4"}),
]


@pytest.mark.parametrize(("container", "mode", "options"), WRITABLE)
@pytest.mark.parametrize("pixels", [NOISE, PHOTO], ids=["noise", "photo"])
def test_pixels_are_those_of_pillow(
    container: str, mode: str, options: dict[str, Any], pixels: Pixels
) -> None:
    data = saved(in_mode(mode, pixels), container, **options)
    decoded = decode(data)
    assert_same(decoded, by_pillow(data))
    transparent = mode in ("RGBA", "LA") and container != "BMP"
    assert decoded.notes == ((ALPHA,) if transparent or "transparency" in options else ())


@pytest.mark.parametrize(
    "sampling",
    [
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    ],
)
def test_rare_jpeg_subsampling_decodes_as_pillow_does(sampling: int) -> None:
    options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    data = cv2.imencode(".jpg", PHOTO[..., :3], options)[1].tobytes()
    assert_same(decode(data), by_pillow(data))


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    kind=st.sampled_from(WRITABLE),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=120, deadline=None)
def test_pixels_are_those_of_pillow_at_any_size(
    height: int, width: int, kind: tuple[str, str, dict[str, Any]], seed: int
) -> None:
    container, mode, options = kind
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    data = saved(in_mode(mode, pixels), container, **options)
    assert_same(decode(data), by_pillow(data))


def test_interlaced_png_is_read() -> None:
    assert_same(decode(interlaced_png(NOISE[..., :3].copy())), NOISE[..., :3])
    assert_same(decode(interlaced_png(NOISE[:1, :1, :3].copy())), NOISE[:1, :1, :3])


@pytest.mark.parametrize(
    ("colour", "channels", "notes"),
    [(0, 1, (DEEP,)), (4, 2, (DEEP, ALPHA)), (2, 3, (DEEP,)), (6, 4, (DEEP, ALPHA))],
)
def test_16_bit_png_keeps_the_high_byte(colour: int, channels: int, notes: tuple[str, ...]) -> None:
    decoded = decode(png(DEEP_NOISE[..., :channels], 16, colour))
    expected = HIGH_BYTES[..., :3] if channels > 2 else np.repeat(HIGH_BYTES[..., :1], 3, axis=2)
    assert_same(decoded, expected)
    assert decoded.notes == notes


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_tiff_keeps_the_high_byte(order: str, channels: int) -> None:
    pixels = DEEP_NOISE[..., :channels].astype(order + "u2").tobytes()
    extra = {"t338": 2} if channels == 4 else {}
    decoded = decode(tiff(pixels, 16, channels, order, **extra))
    expected = HIGH_BYTES[..., :3] if channels > 2 else np.repeat(HIGH_BYTES[..., :1], 3, axis=2)
    assert_same(decoded, expected)
    assert decoded.notes == ((DEEP, ALPHA) if channels == 4 else (DEEP,))


def test_16_bit_grey_tiff_where_0_is_white_is_inverted() -> None:
    decoded = decode(tiff(DEEP_NOISE[..., 0].astype("<u2").tobytes(), 16, 1, t262=0))
    assert_same(decoded, np.repeat(255 - HIGH_BYTES[..., :1], 3, axis=2))


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("container", ["PNG", "TIFF"])
def test_few_bits_of_grey_are_widened_to_the_full_range(bits: int, container: str) -> None:
    values: Pixels = (NOISE[..., 0] >> (8 - bits)).astype(np.uint8)
    digits = np.unpackbits(values[..., None], axis=2)[..., 8 - bits :].reshape(HEIGHT, -1)
    rows = np.packbits(digits, axis=1)
    data = png(rows, bits, 0) if container == "PNG" else tiff(rows.tobytes(), bits, 1)
    expected = (values.astype(int) * 255 // (2**bits - 1)).astype(np.uint8)
    assert_same(decode(data), np.repeat(expected[..., None], 3, axis=2))


def test_rare_kinds_of_bmp_decode_as_pillow_does() -> None:
    blue_first = NOISE[..., [2, 1, 0, 3]]
    colours = struct.pack("<LLL", 0xFF0000, 0xFF00, 0xFF)
    opaque = bmp(32, blue_first, 3, colours)
    transparent = bmp(32, blue_first, 3, colours + struct.pack("<L", 0xFF000000))
    assert_same(decode(opaque), NOISE[..., :3])
    assert decode(opaque).notes == ()
    assert_same(decode(transparent), NOISE[..., :3])
    assert decode(transparent).notes == (ALPHA,)
    assert_same(decode(bmp(32, blue_first)), NOISE[..., :3])
    # OpenCV spreads 5 bits over 8 otherwise than Pillow.
    five_bits = bmp(16, DEEP_NOISE[..., 0])
    assert_same(decode(five_bits), by_pillow(five_bits))


GAMMA = chunk(b"gAMA", struct.pack(">L", 100000))
PRIMARIES = chunk(
    b"cHRM", struct.pack(">8L", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "before",
    [
        GAMMA,
        chunk(b"gAMA", struct.pack(">L", 45455)) + PRIMARIES,
        chunk(b"sRGB", b"\0"),
        chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE)),
        chunk(b"sBIT", b"\5\5\5"),
        chunk(b"bKGD", b"\0\1\0\1\0\1"),
    ],
    ids=["gamma", "gamma-primaries", "srgb", "profile", "significant-bits", "background"],
)
def test_colour_management_of_png_changes_no_pixel(before: bytes) -> None:
    assert_same(decode(png(NOISE[..., :3], 8, 2, before=before)), NOISE[..., :3])
    assert_same(decode(png(DEEP_NOISE[..., :3], 16, 2, before=before)), HIGH_BYTES[..., :3])


@pytest.mark.parametrize("container", ["JPEG", "WEBP", "TIFF"])
def test_colour_profile_changes_no_pixel(container: str) -> None:
    plain = decode(saved(in_mode("RGB"), container)).image
    assert_same(decode(saved(in_mode("RGB"), container, icc_profile=PROFILE)), plain)


def test_jpeg_of_several_pictures_as_phones_write_it_gives_the_first() -> None:
    second = in_mode("RGB", NOISE[::-1])
    data = saved(in_mode("RGB"), "MPO", save_all=True, append_images=[second])
    assert_same(decode(data), decode(JPEG).image)


def test_content_decides_the_format() -> None:
    for container in ("JPEG", "PNG", "WEBP", "BMP", "TIFF"):
        data = saved(in_mode("RGB"), container)
        assert_same(decode(data), by_pillow(data))
        assert_same(decode(data + b"trailing bytes"), by_pillow(data))


def large_jpeg(width: int, height: int) -> bytes:
    photo = Image.fromarray(np.asarray(PHOTO[..., :3])).resize((width, height))
    return saved(photo, "JPEG", quality=95)


@pytest.mark.parametrize(
    ("enough", "frame"),
    [
        ((302, 10), (301, 403)),
        ((10, 151), (301, 403)),
        ((150, 150), (151, 202)),
        ((75, 60), (76, 101)),
        ((37, 37), (38, 51)),
        ((1, 1), (38, 51)),
    ],
)
def test_a_jpeg_comes_reduced_where_that_is_enough(
    enough: tuple[int, int], frame: tuple[int, int]
) -> None:
    data = large_jpeg(403, 301)
    assert decode(data, enough=enough).image.shape[:2] == frame
    turned = with_segment(data, b"Exif\0\0" + exif(6))
    assert decode(turned, enough=enough).image.shape[:2] == frame[::-1]


@pytest.mark.parametrize("part", [2, 4, 8])
def test_a_reduced_jpeg_shows_averages_of_its_pixels(part: int) -> None:
    data = large_jpeg(408, 304)
    reduced = decode(data, enough=(304 // part, 304 // part)).image
    size = (408 // part, 304 // part)
    averages = cv2.resize(decode(data).image, size, interpolation=cv2.INTER_AREA)
    assert np.abs(averages.astype(int) - reduced).mean() < 1.5


def test_only_jpeg_comes_reduced() -> None:
    data = saved(in_mode("RGB"), "PNG")
    assert decode(data, enough=(4, 4)).image.shape == decode(data).image.shape
