"""Pictures of all kinds as files, by Pillow and by hand, for the tests of the codecs."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from augcli.data.codecs.decoding import Decoded, decode
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
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


JPEG = saved(in_mode("RGB"), "JPEG")
"""A plain photo."""
