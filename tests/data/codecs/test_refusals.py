"""Decoding: what is refused, and which library decides."""

from __future__ import annotations

import pickle
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, features

from augcli.data.codecs import pillow
from augcli.data.codecs.decoding import decode
from augcli.data.codecs.file_kinds import READABLE, file_kind
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
from tests.data.codecs.pictures import (
    HEIGHT,
    JPEG,
    NOISE,
    PHOTO,
    WIDTH,
    animation,
    assert_same,
    by_pillow,
    chunk,
    in_mode,
    pillow_reads,
    png,
    refused,
    saved,
    tiff,
)

CONTAINERS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "DIB"]
if features.check("avif"):
    CONTAINERS.append("AVIF")


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("options", [{}, {"progressive": True, "compression": "tiff_lzw"}])
def test_cut_files_are_refused_where_pillow_refuses_and_whole_elsewhere(
    container: str, options: dict[str, Any]
) -> None:
    data = saved(in_mode("RGB"), container, **options)
    whole = by_pillow(data)
    read = 0
    for length in {*range(0, len(data), 1 + len(data) // 60), *range(len(data) - 24, len(data))}:
        cut = data[:length]
        if pillow_reads(cut) and container != "PNG":
            read += 1
            assert_same(decode(cut), whole)
        else:
            reason = refused(cut)
            assert any(word in reason for word in ("cut short", "damaged", "not read")), reason
    # Only bytes without picture data may be missing, and none of a PNG.
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


@pytest.mark.parametrize(
    "container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "DIB", "AVIF"]
)
def test_half_a_file_is_refused_even_where_pillow_is_lenient(
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


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "DIB"])
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
    monkeypatch.setattr(pillow, "_PLUGINS", {})
    monkeypatch.setattr(cv2, "imdecode", None)
    started = time.perf_counter()
    reason = refused(HUGE[container])
    assert time.perf_counter() - started < 0.1
    assert reason.startswith(f"a {container} image that declares 50,000 x 50,000 pixels")
    assert "100,000,000" in reason


@pytest.mark.parametrize(
    "container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "DIB", "AVIF"]
)
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
        (saved(in_mode("RGB"), "ICO"), "an ICO icon"),
        (saved(in_mode("RGB"), "ICNS"), "an ICNS icon"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video or another ISO media file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera raw photo"),
        (b"\xff\x4f\xff\x51\0\0", "a JPEG 2000 image"),
        (b"\xff\x0a" + bytes(60), "a JPEG XL image"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"P7\nWIDTH 2\n", "a PAM image"),
        (bytes(128) + b"DICM\2\0", "a DICOM file"),
        (b"v/1\x01\2\0\0\0", "an OpenEXR image"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
        (b"\x01\x02\x03\x04\x05", "no known kind of image"),
    ],
)
def test_what_is_no_readable_image_is_refused_by_name(data: bytes, name: str) -> None:
    kind = file_kind(data)
    assert kind.name.startswith(name)
    assert not kind.is_read
    assert refused(data) == f"{kind.name}, which augcli does not read; it reads {READABLE}"


@pytest.mark.parametrize(
    ("container", "kind"),
    [
        ("PNG", "an animated PNG of 3 frames"),
        ("WEBP", "an animated WebP of 3 frames"),
        ("TIFF", "a TIFF of 3 pages"),
        ("GIF", "an animated GIF of 3 frames"),
        *([("AVIF", "an animated AVIF of 3 frames")] if "AVIF" in CONTAINERS else []),
    ],
)
def test_several_pictures_in_a_file_are_refused(container: str, kind: str) -> None:
    reason = refused(animation(container))
    assert reason == f"{kind}; save each as a file of its own, or only the first"


def test_animation_of_one_frame_is_read() -> None:
    control = chunk(b"acTL", struct.pack(">LL", 1, 0))
    assert_same(decode(png(NOISE[..., :3], 8, 2, before=control)), NOISE[..., :3])
    # The picture comes before the animation, and is not a part of it here.
    frame = struct.pack(">LLLLLHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 1, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in 255 - NOISE[..., :3])
    moving = chunk(b"fcTL", frame) + chunk(b"fdAT", b"\0\0\0\1" + zlib.compress(rows))
    data = png(NOISE[..., :3], 8, 2, before=control, after=moving)
    assert_same(decode(data), NOISE[..., :3])
    # After the pixels the chunk has no meaning.
    late = chunk(b"acTL", struct.pack(">LL", 9, 0))
    assert_same(decode(png(NOISE[..., :3], 8, 2, after=late)), NOISE[..., :3])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (saved(in_mode("F"), "TIFF"), "a TIFF of 32-bit floating point samples"),
        (saved(in_mode("I"), "TIFF"), "a TIFF of signed 32-bit samples"),
        (tiff(NOISE.tobytes(), 32, 1), "a TIFF of 32-bit samples"),
        (tiff(NOISE[..., 0].tobytes(), 8, 1, t339=2), "a TIFF of signed 8-bit samples"),
        (tiff(NOISE.tobytes(), 12, 1), "a TIFF of 12-bit samples"),
        (tiff(bytes(9), 16, 3, t284=2), "a TIFF of 16-bit samples in separate planes"),
        (tiff(bytes(9), 8, 5, t262=1), "a TIFF of 5 bands"),
        (tiff(bytes(9), 16, 13, t262=1), "a TIFF of 13 bands"),
        (tiff(NOISE[..., 0].tobytes(), 8, 1, t254=1), "a TIFF with a preview only"),
    ],
)
def test_tiff_that_doesnt_fit_8_bit_rgb_is_refused_by_name(data: bytes, kind: str) -> None:
    assert refused(data).startswith(kind)


def test_tiff_whose_pages_form_a_ring_ends() -> None:
    data = tiff(NOISE[..., 0].tobytes(), 8, 1)
    (first,) = struct.unpack_from("<L", data, 4)
    assert_same(decode(data[:-4] + struct.pack("<L", first)), decode(data).image)


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_photos_never_take_the_slow_path(
    container: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pillow, "_PLUGINS", {})
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
