"""Codecs against Pillow: every format, mode and orientation, and what must be refused."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import time
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps, JpegImagePlugin

from augcli.data import codecs
from augcli.data.codecs import ALPHA, DEEP, Decoded, decode, encode
from augcli.data.formats import EXTENSIONS, describe_unread, output_format
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

HEIGHT, WIDTH = 37, 53
RNG = np.random.default_rng(5)
NOISE: Pixels = RNG.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
DEEP_NOISE = RNG.integers(0, 65536, (HEIGHT, WIDTH, 4), dtype=np.uint16)
HIGH_BYTES: Pixels = (DEEP_NOISE >> 8).astype(np.uint8)
# Smooth enough to compress as a photo does, and different in every corner.
PHOTO = np.asarray(Image.fromarray(NOISE[:6, :8]).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def saved(picture: Image.Image, container: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, container, **options)
    return file.getvalue()


def by_pillow(data: bytes) -> Pixels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data)) as opened:
            return np.array(ImageOps.exif_transpose(opened).convert("RGB"))


def pillow_reads(data: bytes) -> bool:
    try:
        by_pillow(data)
    except Exception:  # Pillow raises whatever broken bytes lead to
        return False
    return True


def refused(data: bytes, **options: Any) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(data, **options)
    return caught.value.reason


def assert_same(decoded: Decoded, expected: Pixels) -> None:
    image = decoded.image
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert image.shape == expected.shape
    difference = np.abs(image.astype(int) - expected).max()
    assert difference == 0


def in_mode(mode: str, pixels: Pixels = PHOTO) -> Image.Image:
    rgba = Image.fromarray(pixels)
    if mode == "CMYK":
        return Image.frombytes("CMYK", rgba.size, pixels.tobytes())
    if mode == "P":
        return rgba.convert("RGB").quantize(200)
    if mode == "LA":
        return Image.merge("LA", (rgba.getchannel(0), rgba.getchannel(3)))
    return rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode)


# --- files made by hand, for what Pillow can't write --------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png(
    rows: NDArray[Any], depth: int, colour: int, *, before: bytes = b"", after: bytes = b""
) -> bytes:
    """Write a PNG of rows of unsigned numbers, 16-bit ones big endian."""
    wide = rows.astype(">u2") if depth == 16 else rows
    raw = b"".join(b"\0" + row.tobytes() for row in wide)
    head = struct.pack(">LLBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(raw)) + after
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def interlaced_png(pixels: Pixels) -> bytes:
    """Write RGB pixels in the seven passes of Adam7."""
    passes = (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    )
    parts = [pixels[y::down, x::right] for x, y, right, down in passes]
    raw = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    head = struct.pack(">LLBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff(pixels: bytes, bits: int, channels: int, order: str = "<", **tags: int) -> bytes:
    """Write an uncompressed TIFF of one strip; tags are given as t262=0."""
    data = pixels + bytes(len(pixels) % 2)
    depths = struct.pack(order + "H" * channels, *[bits] * channels)
    entries = {256: WIDTH, 257: HEIGHT, 258: 8 + len(data) if channels > 2 else bits, 259: 1}
    entries |= {262: 2 if channels > 2 else 1, 273: 8, 277: channels, 278: HEIGHT}
    entries |= {279: len(pixels)} | {int(name[1:]): value for name, value in tags.items()}
    directory = struct.pack(order + "H", len(entries))
    for tag, value in sorted(entries.items()):
        long = tag in (256, 257, 273, 278, 279) or (tag == 258 and channels > 2)
        number = channels if tag == 258 else 1
        directory += struct.pack(order + "HHL", tag, 3 if tag == 258 or not long else 4, number)
        directory += struct.pack(
            order + ("L" if long else "HH"), *([value] if long else [value, 0])
        )
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(
        order + "L", 8 + len(data) + len(depths)
    )
    return start + data + depths + directory + bytes(4)


def bmp(depth: int, rows: NDArray[Any], compression: int = 0, masks: bytes = b"") -> bytes:
    """Write a BMP bottom up, by the header that the length of the masks asks for."""
    padded = [row.tobytes() + bytes(-row.nbytes % 4) for row in rows[::-1]]
    size = 40 if len(masks) <= 12 else 108
    head = struct.pack("<LllHHLLllLL", size, WIDTH, HEIGHT, 1, depth, compression, 0, 0, 0, 0, 0)
    head = (head + masks).ljust(size, b"\0")
    pixels = b"".join(padded)
    start = 14 + len(head)
    return b"BM" + struct.pack("<LHHL", start + len(pixels), 0, 0, start) + head + pixels


def exif(orientation: int, order: str = "<") -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHLHH", 0x112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "LH", 8, 1) + entry + bytes(4)


def with_segment(jpeg: bytes, body: bytes, marker: int = 0xE1) -> bytes:
    segment = b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    return jpeg[:2] + segment + jpeg[2:]


def animation(container: str) -> bytes:
    pages = [in_mode("RGB", NOISE), in_mode("RGB", NOISE[::-1]), in_mode("RGB", 255 - NOISE)]
    return saved(pages[0], container, save_all=True, append_images=pages[1:])


# --- decoding: pixels ----------------------------------------------------------------

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


def test_content_decides_whatever_the_name_says() -> None:
    for container in ("JPEG", "PNG", "WEBP", "BMP", "TIFF"):
        data = saved(in_mode("RGB"), container)
        assert_same(decode(data), by_pillow(data))
        assert_same(decode(data + b"trailing bytes"), by_pillow(data))


# --- decoding: orientation -----------------------------------------------------------

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


JPEG = saved(in_mode("RGB"), "JPEG")
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
def test_orientation_is_found_wherever_it_stands(data: bytes) -> None:
    if data.startswith(b"\xff\xd8"):
        lying = decode(JPEG).image
    else:
        lying = NOISE[..., :3] if data.startswith(b"\x89") else PHOTO[..., :3]
    assert_same(decode(data), TURNS[6](lying))


@pytest.mark.parametrize("length", range(26))
def test_broken_exif_doesnt_keep_a_picture_from_being_read(length: int) -> None:
    data = with_segment(JPEG, b"Exif\0\0" + exif(3)[:length])
    # The value of the orientation stands in bytes 18 and 19.
    assert_same(decode(data), TURNS[3 if length >= 20 else 1](decode(JPEG).image))


# --- decoding: what is refused -------------------------------------------------------


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("options", [{}, {"progressive": True, "compression": "tiff_lzw"}])
def test_cut_files_are_refused_where_pillow_refuses_and_whole_elsewhere(
    container: str, options: dict[str, Any]
) -> None:
    data = saved(in_mode("RGB"), container, **options)
    whole = by_pillow(data)
    read = 0
    for length in {*range(0, len(data), 1 + len(data) // 60), *range(len(data) - 24, len(data))}:
        cut = data[:length]
        if pillow_reads(cut):
            read += 1
            assert_same(decode(cut), whole)
        else:
            reason = refused(cut)
            assert any(word in reason for word in ("cut short", "damaged", "not read")), reason
    # Only bytes that tell nothing of the picture may lack: of PNG, its end and checksums.
    assert read <= 21


def test_jpeg_without_its_end_marker_is_decided_as_pillow_decides() -> None:
    outcomes = set()
    for seed in range(80):
        pixels = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)
        data = saved(picture, "JPEG", restart_marker_blocks=1)
        assert data.endswith(b"\xff\xd9")
        if pillow_reads(data[:-2]):
            assert_same(decode(data[:-2]), by_pillow(data))
            outcomes.add("read")
        else:
            assert refused(data[:-2]) == "a JPEG image that is cut short; copy or export it again"
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_half_a_file_is_refused_even_where_pillow_was_told_to_be_lenient(
    container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = saved(in_mode("RGB", NOISE), container)
    refused(data[: len(data) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_webp_with_damaged_transparency_is_decided_as_pillow_decides() -> None:
    data = saved(in_mode("RGBA"), "WEBP", quality=80)
    start = data.index(b"ALPH") + 8
    outcomes = set()
    for offset in range(24):
        broken = data[: start + offset] + bytes([data[start + offset] ^ 0xFF])
        broken += data[start + offset + 1 :]
        if pillow_reads(broken):
            assert_same(decode(broken), by_pillow(broken))
            outcomes.add("read")
        else:
            assert "damaged" in refused(broken)
            outcomes.add("refused")
    assert "refused" in outcomes


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_flipped_bytes_give_a_picture_or_a_reason(container: str) -> None:
    data = saved(in_mode("RGB"), container)
    rng = np.random.default_rng(11)
    reasons = set()
    for _ in range(150):
        broken = bytearray(data)
        # Half of them in the header, where they hurt most.
        broken[rng.integers(len(data) if rng.random() < 0.5 else 60)] = rng.integers(256)
        try:
            image = decode(bytes(broken), max_pixels=1_000_000).image
        except UnreadableImage as error:
            reasons.add(error.reason)
        else:
            assert image.dtype == np.uint8
            assert image.shape[2:] == (3,)
    assert all(reason[0] == "a" or reason.startswith("no known") for reason in reasons)
    assert len(reasons) >= 2


HUGE = {
    "JPEG": JPEG.replace(
        struct.pack(">BHH", 8, HEIGHT, WIDTH), struct.pack(">BHH", 8, 50_000, 50_000)
    ),
    "PNG": b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">LLBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(bytes(100_000)))
    + chunk(b"IEND", b""),
    "WebP": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (49_999).to_bytes(3, "little") * 2,
    "BMP": b"BM"
    + struct.pack("<LHHL", 0, 0, 0, 54)
    + struct.pack("<LllHHLLllLL", 40, 50_000, -50_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "TIFF": tiff(bytes(99), 8, 1, t256=50_000, t257=50_000),
}


@pytest.mark.parametrize("container", HUGE)
def test_huge_picture_is_refused_before_it_is_decoded(
    container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "_PILLOW", {})
    monkeypatch.setattr(cv2, "imdecode", None)
    started = time.perf_counter()
    reason = refused(HUGE[container])
    assert time.perf_counter() - started < 0.1
    assert reason.startswith(f"a {container} image that declares 50,000 x 50,000 pixels")
    assert "100,000,000" in reason


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_picture_of_just_the_allowed_size_is_read(container: str) -> None:
    data = saved(in_mode("RGB"), container)
    assert decode(data, max_pixels=HEIGHT * WIDTH).image.shape == (HEIGHT, WIDTH, 3)
    assert f"{WIDTH} x {HEIGHT}" in refused(data, max_pixels=HEIGHT * WIDTH - 1)


def test_size_is_judged_where_only_pillow_understands_the_header() -> None:
    rubbish = JPEG[:20] + b"\0\0" + JPEG[20:]
    assert_same(decode(rubbish), decode(JPEG).image)
    assert f"{WIDTH} x {HEIGHT}" in refused(rubbish, max_pixels=HEIGHT * WIDTH - 1)


@pytest.mark.parametrize(
    ("container", "mode"), [("JPEG", "CMYK"), ("TIFF", "RGB"), ("WEBP", "RGBA")]
)
def test_pillows_own_limit_neither_warns_nor_refuses(
    container: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(in_mode(mode), container)
    expected = by_pillow(data)
    # Above the limit Pillow warns; warnings are errors in these tests.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", HEIGHT * WIDTH - 1)
    assert_same(decode(data), expected)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "an empty file"),
        (bytes(1000), "a file that begins with zero bytes only"),
        (b"Dear reader, caf\xc3\xa9", "a text file"),
        (b"BMW is a make of cars, and this is a text", "a text file"),
        (b"\xe9" + b"a" * 600, "no known kind of image"),
        (b"x" + ("é" * 600).encode(), "a text file"),
        (b"<!DOCTYPE html><html>not found</html>", "an HTML page"),
        (b'<?xml version="1.0"?><svg></svg>', "an SVG drawing"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (saved(in_mode("P"), "GIF"), "a GIF image"),
        (saved(in_mode("RGB"), "PPM"), "a PNM image"),
        (saved(in_mode("RGB"), "ICO"), "an icon (ICO)"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "an AVIF image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video or another ISO media file"),
        (b"\xff\x4f\xff\x51\0\0", "a JPEG 2000 image"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\x01\x02\x03\x04\x05", "no known kind of image"),
    ],
)
def test_what_is_no_readable_image_is_refused_by_name(data: bytes, name: str) -> None:
    assert describe_unread(data).startswith(name)
    expected = f"{describe_unread(data)}, which augcli does not read; "
    assert refused(data) == expected + "it reads JPEG, PNG, WebP, BMP and TIFF"


@pytest.mark.parametrize(
    ("container", "found"),
    [
        ("PNG", "an animated PNG of 3 frames"),
        ("WEBP", "an animated WebP of 3 frames"),
        ("TIFF", "a TIFF of 3 pages"),
    ],
)
def test_several_pictures_in_a_file_are_refused(container: str, found: str) -> None:
    reason = refused(animation(container))
    assert reason == f"{found}; save each as a file of its own, or only the first"


def test_animation_of_one_frame_is_read() -> None:
    control = chunk(b"acTL", struct.pack(">LL", 1, 0))
    assert_same(decode(png(NOISE[..., :3], 8, 2, before=control)), NOISE[..., :3])
    # The picture comes before the animation, and is not a part of it here.
    frame = struct.pack(">LLLLLHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 1, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in 255 - NOISE[..., :3])
    moving = chunk(b"fcTL", frame) + chunk(b"fdAT", b"\0\0\0\1" + zlib.compress(rows))
    data = png(NOISE[..., :3], 8, 2, before=control, after=moving)
    assert_same(decode(data), NOISE[..., :3])
    # Behind the pixels the chunk has no meaning, whatever it counts.
    late = chunk(b"acTL", struct.pack(">LL", 9, 0))
    assert_same(decode(png(NOISE[..., :3], 8, 2, after=late)), NOISE[..., :3])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (saved(in_mode("F"), "TIFF"), "a TIFF of 32-bit floating point samples"),
        (saved(in_mode("I"), "TIFF"), "a TIFF of signed 32-bit samples"),
        (tiff(NOISE.tobytes(), 32, 1), "a TIFF of 32-bit samples"),
        (tiff(NOISE[..., 0].tobytes(), 8, 1, t339=2), "a TIFF of signed 8-bit samples"),
        (tiff(NOISE.tobytes(), 12, 1), "a TIFF of 12-bit samples"),
        (tiff(bytes(9), 16, 3, t284=2), "a TIFF of 16-bit samples in separate planes"),
        (tiff(NOISE[..., 0].tobytes(), 8, 1, t254=1), "a TIFF with a preview only"),
    ],
)
def test_tiff_that_doesnt_fit_8_bit_rgb_is_refused_by_name(data: bytes, found: str) -> None:
    assert refused(data).startswith(found)


def test_tiff_whose_pages_form_a_ring_ends() -> None:
    data = tiff(NOISE[..., 0].tobytes(), 8, 1)
    (first,) = struct.unpack_from("<L", data, 4)
    assert_same(decode(data[:-4] + struct.pack("<L", first)), decode(data).image)


# --- decoding: which library ---------------------------------------------------------


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_photos_never_take_the_slow_path(
    container: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "_PILLOW", {})
    data = saved(in_mode(mode), container)
    assert_same(decode(data), by_pillow(data))


@pytest.mark.parametrize("failure", ["none", "error", "other size"])
def test_pillow_decides_where_opencv_fails(failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Pixels | None:
        if failure == "error":
            raise cv2.error("out of luck")
        return None if failure == "none" else PHOTO[:9, :9, :3]

    monkeypatch.setattr(cv2, "imdecode", failing)
    assert_same(decode(JPEG), by_pillow(JPEG))


def test_reason_travels_between_processes() -> None:
    with pytest.raises(UnreadableImage) as caught:
        decode(b"")
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason


# --- encoding ------------------------------------------------------------------------


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_png_keeps_every_pixel(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = encode(image, "png", quality=90)
    assert_same(decode(data), image)
    assert np.array_equal(by_pillow(data), image)


def test_png_is_compressed_at_the_documented_level() -> None:
    image = np.repeat(PHOTO[..., :3], 4, axis=0)
    data = encode(image, "png", quality=90)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 3]
    assert data == cv2.imencode(".png", image[..., ::-1], options)[1].tobytes()
    assert data == encode(image, "png", quality=10)


@pytest.mark.parametrize(("subsampling", "number"), [("420", 2), ("444", 0)])
@pytest.mark.parametrize("quality", [1, 75, 90, 100])
def test_jpeg_is_written_with_the_asked_settings(
    subsampling: Any, number: int, quality: int
) -> None:
    data = encode(PHOTO[..., :3], "jpg", quality=quality, subsampling=subsampling)
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as opened:
        assert JpegImagePlugin.get_sampling(opened) == number
        assert "progressive" not in opened.info
        assert "exif" not in opened.info
        with Image.open(io.BytesIO(saved(in_mode("RGB"), "JPEG", quality=quality))) as same:
            assert opened.quantization == same.quantization  # type: ignore[attr-defined]
    assert data.endswith(b"\xff\xd9")


def test_jpeg_is_subsampled_by_default() -> None:
    image = PHOTO[..., :3]
    assert encode(image, "jpg", quality=90) == encode(image, "jpg", quality=90, subsampling="420")


def test_webp_is_lossy_up_to_quality_100() -> None:
    sizes = [len(encode(NOISE[..., :3], "webp", quality=quality)) for quality in (1, 50, 90, 100)]
    assert sizes == sorted(set(sizes))
    assert encode(NOISE[..., :3], "webp", quality=100)[12:16] == b"VP8 "


@pytest.mark.parametrize("file_format", ["jpg", "webp", "png"])
def test_colours_stay_in_order_and_near(file_format: Any) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[...] = (200, 100, 30)
    kept = image.copy()
    decoded = decode(encode(image, file_format, quality=95)).image
    assert np.abs(decoded.astype(int) - image).max() <= 4
    assert np.array_equal(image, kept)


def test_views_are_encoded_as_their_copies() -> None:
    view = NOISE[::-1, ::2, 2::-1]
    assert encode(view, "png", quality=90) == encode(view.copy(), "png", quality=90)


@pytest.mark.parametrize(
    ("image", "file_format", "options", "message"),
    [
        (PHOTO[..., :3], "jpg", {"quality": 0}, "quality is 0"),
        (PHOTO[..., :3], "webp", {"quality": 101}, "quality is 101"),
        (PHOTO[..., :3], "jpg", {"quality": 9, "subsampling": "422"}, "subsampling is '422'"),
        (PHOTO[..., :3], "gif", {"quality": 9}, "format is 'gif'"),
        (PHOTO, "png", {"quality": 9}, r"image is uint8 \(37, 53, 4\)"),
        (PHOTO[..., 0], "png", {"quality": 9}, "image is uint8"),
        (PHOTO[..., :3].astype(float), "png", {"quality": 9}, "image is float64"),
        (PHOTO[:0, :, :3], "png", {"quality": 9}, r"image is uint8 \(0, 53, 3\)"),
    ],
)
def test_wrong_settings_are_errors(
    image: Any, file_format: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encode(image, file_format, **options)


@pytest.mark.parametrize(("file_format", "side"), [("webp", 16_383), ("jpg", 65_500)])
def test_picture_larger_than_its_format_is_refused(file_format: Any, side: int) -> None:
    image = np.zeros((1, side + 1, 3), np.uint8)
    with pytest.raises(UnreadableImage, match=f"at most {side:,} a side"):
        encode(image, file_format, quality=90)
    assert decode(encode(image[:, 1:], file_format, quality=90)).image.shape == (1, side, 3)


# --- formats -------------------------------------------------------------------------


@pytest.mark.parametrize("extension", sorted(EXTENSIONS))
def test_every_source_has_an_output_format(extension: str) -> None:
    kept = {".jpg": "jpg", ".jpeg": "jpg", ".jpe": "jpg", ".webp": "webp"}.get(extension, "png")
    assert output_format(extension, "same") == kept
    assert output_format(extension.upper(), "same") == kept
    assert output_format(extension, "webp") == "webp"


def test_output_format_of_an_unknown_ending_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"extension is '\.gif'"):
        output_format(".gif", "same")


def test_formats_are_known_without_importing_a_decoder() -> None:
    code = (
        "import sys, augcli.data.formats; "
        "sys.exit(bool({'cv2', 'PIL', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
