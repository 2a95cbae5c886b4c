"""Formats that only Pillow decodes, and what a file is by its first bytes."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, features

from augcli.data.codecs import pillow
from augcli.data.codecs.decoding import ALPHA, decode
from augcli.data.codecs.file_kinds import file_kind
from augcli.data.codecs.formats import EXTENSIONS, output_ending
from augcli.data.codecs.headers import read_header
from tests.data.codecs.pictures import (
    DEEP_NOISE,
    HEIGHT,
    HIGH_BYTES,
    NOISE,
    PHOTO,
    WIDTH,
    animation,
    assert_same,
    bmp,
    by_pillow,
    exif,
    in_mode,
    refused,
    saved,
    tiff,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

HAS_AVIF = bool(features.check("avif"))
needs_avif = pytest.mark.skipif(not HAS_AVIF, reason="this Pillow reads no AVIF")

KINDS: list[tuple[str, str, dict[str, Any]]] = [
    *(("GIF", mode, {}) for mode in ("RGB", "L", "1", "P")),
    ("GIF", "P", {"transparency": 3}),
    ("GIF", "L", {"interlace": False}),
    *(("PPM", mode, {}) for mode in ("RGB", "L", "1")),
    *(("DIB", mode, {}) for mode in ("RGB", "L", "1", "P", "RGBA")),
    *(("AVIF", mode, {"quality": 80}) for mode in ("RGB", "RGBA", "L") if HAS_AVIF),
    *(("AVIF", "L", {"subsampling": "4:0:0"}),) * HAS_AVIF,
    *(("AVIF", "RGB", {"exif": b"Exif\0\0" + exif(6)}),) * HAS_AVIF,
]


@pytest.mark.parametrize(("container", "mode", "options"), KINDS)
@pytest.mark.parametrize("pixels", [NOISE, PHOTO], ids=["noise", "photo"])
def test_pixels_are_those_of_pillow(
    container: str, mode: str, options: dict[str, Any], pixels: NDArray[np.uint8]
) -> None:
    data = saved(in_mode(mode, pixels), container, **options)
    decoded = decode(data)
    assert_same(decoded, by_pillow(data))
    transparent = "transparency" in options or (container, mode) == ("AVIF", "RGBA")
    assert decoded.notes == ((ALPHA,) if transparent else ())
    grey = np.all(decoded.image == decoded.image[..., :1])
    # A picture of greys in a colour format is not looked for.
    assert decoded.grey <= grey
    assert decoded.grey or mode in ("RGB", "RGBA", "P") or container == "AVIF"


def plain_pnm(rows: NDArray[Any], kind: int, highest: int) -> bytes:
    values = " ".join(str(value) for value in rows.ravel())
    return f"P{kind} # a comment\n{WIDTH} {HEIGHT}\n{highest}\n{values}\n".encode()


@pytest.mark.parametrize("kind", [2, 3])
def test_pnm_as_text_is_read(kind: int) -> None:
    rows = NOISE[..., 0] if kind == 2 else NOISE[..., :3]
    data = plain_pnm(rows, kind, 255)
    assert_same(decode(data), by_pillow(data))
    bits = "\n".join("".join("01"[bit] for bit in row) for row in NOISE[..., 0] >> 7)
    data = f"P1\n{WIDTH} {HEIGHT}\n{bits}".encode()
    assert_same(decode(data), by_pillow(data))


@pytest.mark.parametrize("highest", [65535, 4095, 1000])
@pytest.mark.parametrize("kind", [2, 3, 5, 6])
def test_pnm_of_more_than_8_bits_is_white_where_it_says(kind: int, highest: int) -> None:
    rows = DEEP_NOISE[..., :3].astype(int) % (highest + 1)
    rows = rows[..., :1] if kind in (2, 5) else rows
    if kind <= 3:
        data = plain_pnm(rows, kind, highest)
    else:
        data = f"P{kind}\n{WIDTH} {HEIGHT} {highest}\n".encode() + rows.astype(">u2").tobytes()
    full = (rows * 65535 + highest // 2) // highest
    expected = np.broadcast_to(full >> 8, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    decoded = decode(data)
    assert_same(decoded, expected)
    assert decoded.notes == ("16-bit reduced to 8-bit",)
    assert decoded.grey is (kind in (2, 5))
    assert "cut short" in refused(data[: len(data) // 2])


def test_bmp_without_its_first_bytes_is_a_dib() -> None:
    whole = bmp(24, NOISE[..., 2::-1])
    assert file_kind(whole[14:]).ending == ".dib"
    assert_same(decode(whole[14:]), NOISE[..., :3])
    # Numbers that no such header has.
    assert file_kind(b"\x28\0\0\0" + bytes(60)).name == "no known kind of image"


HEICS = [("RGB", False), ("RGBA", True), ("L", False)]


@pytest.mark.parametrize(("mode", "transparent"), HEICS)
def test_heic_is_read_with_its_extra(mode: str, transparent: bool) -> None:
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(in_mode(mode)).save(file, quality=90)
    data = file.getvalue()
    assert file_kind(data).ending == ".heic"
    with (
        heif.HeifImageFile(io.BytesIO(data))
        if hasattr(heif, "HeifImageFile")
        else (pillow._plugin("HEIC")(io.BytesIO(data))) as opened
    ):
        expected = np.array(opened.convert("RGB"))
    decoded = decode(data)
    assert_same(decoded, expected)
    assert decoded.notes == ((ALPHA,) if transparent else ())
    assert decoded.grey is (mode == "L")
    assert "damaged" in refused(data[:-400]) or "cut short" in refused(data[:-400])


def test_several_heic_pictures_in_a_file_are_refused() -> None:
    heif = pytest.importorskip("pillow_heif")
    several = heif.HeifFile()
    for pixels in (NOISE, PHOTO):
        several.add_from_pillow(in_mode("RGB", pixels))
    file = io.BytesIO()
    several.save(file)
    assert refused(file.getvalue()).startswith("a HEIC of 2 pictures; save each")


def test_heic_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    assert refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == (
        "a HEIC image, which needs pillow-heif: pip install 'augcli[heic]'"
    )


def test_avif_without_a_pillow_that_reads_it_names_what_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", None)
    assert refused(b"\0\0\0\x20ftypavif\0\0\0\0") == (
        "an AVIF image, which needs Pillow 11.3 or later, from PyPI"
    )


SIGNED = [
    *(("JPEG", ".jpg", "a JPEG image"), ("PNG", ".png", "a PNG image")),
    *(("WEBP", ".webp", "a WebP image"), ("BMP", ".bmp", "a BMP image")),
    *(("DIB", ".dib", "a DIB image"), ("TIFF", ".tif", "a TIFF image")),
    *(("GIF", ".gif", "a GIF image"), ("PPM", ".ppm", "a PNM image")),
    *(("AVIF", ".avif", "an AVIF image"),) * HAS_AVIF,
]


@pytest.mark.parametrize(("container", "ending", "name"), SIGNED)
def test_512_bytes_tell_what_augcli_reads_and_its_ending(
    container: str, ending: str, name: str
) -> None:
    kind = file_kind(saved(in_mode("RGB"), container)[:512])
    assert kind == (name, True, ending)
    assert kind.is_read
    assert kind.plural == name.split(" ", 1)[1] + "s"
    assert ending in EXTENSIONS
    assert output_ending(f"a{ending}", "same") in ("jpg", "png", "webp")


def test_raw_photos_are_no_tiff_images() -> None:
    preview = tiff(b"", 8, 1, t254=1)
    assert len(preview) <= 512
    assert file_kind(preview).name == "a camera raw photo"
    digital_negative = tiff(b"", 8, 1, t50706=1)
    assert file_kind(digital_negative).name == "a camera raw photo"
    assert file_kind(b"II*\0\x10\0\0\0CR\2\0").name == "a camera raw photo"
    assert file_kind(tiff(b"", 8, 1)).ending == ".tif"


@pytest.mark.parametrize(
    ("head", "plural"),
    [
        (bytes(128) + b"DICM", "DICOM files"),
        (b"\xff\x0a" + bytes(60), "JPEG XL images"),
        (b"\0\0\1\0", "ICO icons"),
        (b"8BPS", "Photoshop documents"),
    ],
)
def test_pictures_that_augcli_does_not_read_have_a_plural(head: bytes, plural: str) -> None:
    kind = file_kind(head)
    assert (kind.is_picture, kind.is_read, kind.plural) == (True, False, plural)


def test_what_is_no_picture_is_told_apart() -> None:
    for head in (b"", b"PK\3\4", b"%PDF-1.7", b"a note", b"<html>", bytes(600)):
        assert not file_kind(head).is_picture


@needs_avif
def test_every_format_is_recognised_whatever_its_brand() -> None:
    data = saved(in_mode("RGB"), "AVIF")
    generic = data[:8] + b"mif1" + data[12:]
    assert file_kind(generic).ending == ".avif"
    assert_same(decode(generic), by_pillow(data))
    assert read_header(data).container == "AVIF"


def test_a_gif_of_one_frame_is_no_animation() -> None:
    one = saved(in_mode("P"), "GIF", save_all=True)
    assert_same(decode(one), by_pillow(one))
    assert len(animation("GIF")) > len(one)
    assert Image.open(io.BytesIO(one)).size == (WIDTH, HEIGHT)


def test_palettes_of_greys_are_grey() -> None:
    ramp = bytes(value for level in range(255, -1, -1) for value in (level,) * 3)
    picture = Image.fromarray(NOISE[..., 0])
    picture.putpalette(ramp)
    assert picture.mode == "P"
    for container in ("PNG", "GIF", "BMP", "TIFF", "DIB"):
        data = saved(picture, container)
        assert decode(data).grey, container
        assert_same(decode(data), np.repeat(255 - NOISE[..., :1], 3, axis=2))
        assert not decode(saved(in_mode("P", PHOTO), container)).grey


@pytest.mark.parametrize("container", ["JPEG", "PNG", "BMP", "TIFF"])
def test_files_that_store_greys_are_grey(container: str) -> None:
    assert decode(saved(in_mode("L"), container)).grey
    assert not decode(saved(in_mode("RGB"), container)).grey
    # Equal channels are not looked for in a file that stores colours.
    assert not decode(saved(in_mode("L").convert("RGB"), container)).grey


def test_deep_greys_are_grey() -> None:
    data = tiff(DEEP_NOISE[..., 0].astype("<u2").tobytes(), 16, 1)
    assert decode(data).grey
    assert_same(decode(data), np.repeat(HIGH_BYTES[..., :1], 3, axis=2))
