"""Broken pictures: good ones of every kind, with what goes wrong on disks and in downloads."""

from __future__ import annotations

import functools
import io
import random
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image as Pillow

from tests.photos import picture

EXTENSIONS = ("jpg", "png", "webp", "tiff", "bmp")
KIB = 1024


def _saved(image: Pillow.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(side: int) -> bytes:
    """Return a small PNG file that declares, and holds, very many pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    )


@functools.cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return good pictures: extension and bytes."""
    photo = Pillow.fromarray(picture(1, 40, 52))
    shades = Pillow.fromarray(np.tile(np.arange(64, dtype=np.uint8), (48, 1)))
    dot, strip = photo.crop((0, 0, 1, 1)), Pillow.fromarray(picture(2, 3000, 6))
    turned = Pillow.Exif()
    turned[0x0112] = 6
    found: list[tuple[str, bytes]] = []
    for one in (photo, dot, strip):
        found += [
            ("jpg", _saved(one, "JPEG", quality=90)),
            ("png", _saved(one, "PNG")),
            ("webp", _saved(one, "WEBP", quality=80)),
            ("tiff", _saved(one, "TIFF")),
            ("bmp", _saved(one, "BMP")),
        ]
    found += [
        ("jpg", _saved(photo, "JPEG", progressive=True, exif=turned.tobytes())),
        ("jpg", _saved(photo.convert("CMYK"), "JPEG")),
        ("jpg", _saved(shades, "JPEG")),
        ("png", _saved(photo.convert("RGBA"), "PNG")),
        ("png", _saved(photo.convert("P"), "PNG", exif=turned.tobytes())),
        ("png", _saved(shades.convert("I;16"), "PNG")),
        ("png", _saved(photo, "PNG", save_all=True, append_images=[dot.resize(photo.size)])),
        ("webp", _saved(photo.convert("RGBA"), "WEBP", lossless=True)),
        ("webp", _saved(photo, "WEBP", save_all=True, append_images=[photo.rotate(90)])),
        ("tiff", _saved(photo, "TIFF", compression="tiff_lzw")),
        ("tiff", _saved(photo, "TIFF", compression="jpeg")),
        ("tiff", _saved(photo, "TIFF", save_all=True, append_images=[dot])),
        ("tiff", _saved(shades.convert("1"), "TIFF", compression="group4")),
        ("bmp", _saved(photo.convert("P"), "BMP")),
        ("bmp", _saved(shades, "BMP")),
        ("png", bomb(20_000)),
    ]
    return tuple(found)


def mutated(random_: random.Random) -> tuple[str, bytes]:
    """Return one broken picture: extension and bytes."""
    extension, data = random_.choice(seeds())
    if random_.random() < 0.1:
        extension = random_.choice(EXTENSIONS)
    for _ in range(random_.choice((1, 1, 1, 2, 3))):
        data = random_.choice(MUTATIONS)(data, random_)
    return extension, data


def _cut(data: bytes, random_: random.Random) -> bytes:
    return data[: random_.randrange(len(data) + 1)]


def _cut_at_kib(data: bytes, random_: random.Random) -> bytes:
    return data[: KIB * random_.randrange(len(data) // KIB + 1)]


def _flip(data: bytes, random_: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(random_.choice((1, 1, 2, 8))):
        if found:
            found[random_.randrange(len(found))] ^= 1 << random_.randrange(8)
    return bytes(found)


def _lie(data: bytes, random_: random.Random) -> bytes:
    """Change the header, where the sizes, depths and offsets stand."""
    found = bytearray(data)
    value = random_.choice((0, 1, 0x7F, 0x80, 0xFF))
    at = random_.randrange(min(len(found), 200)) if found else 0
    found[at : at + random_.choice((1, 2, 4))] = bytes([value]) * random_.choice((1, 2, 4))
    return bytes(found)


def _zero(data: bytes, random_: random.Random) -> bytes:
    """As after a power loss: a block of zeros."""
    at = random_.randrange(len(data) + 1)
    length = random_.choice((16, 512, 4096))
    return data[:at] + bytes(min(length, len(data) - at)) + data[at + length :]


def _splice(data: bytes, random_: random.Random) -> bytes:
    """The beginning of one file, and the end of another."""
    other = random_.choice(seeds())[1]
    return data[: random_.randrange(len(data) + 1)] + other[random_.randrange(len(other)) :]


def _twice(data: bytes, random_: random.Random) -> bytes:
    at, until = sorted(random_.randrange(len(data) + 1) for _ in range(2))
    return data[:until] + data[at:until] + data[until:]


def _rest(data: bytes, random_: random.Random) -> bytes:
    return data + random_.randbytes(random_.choice((1, 100)))


def _same(data: bytes, _: random.Random) -> bytes:
    return data


MUTATIONS = (
    *(_cut, _cut_at_kib, _flip, _flip, _flip, _lie, _lie, _lie),
    *(_zero, _splice, _twice, _rest, _same),
)
