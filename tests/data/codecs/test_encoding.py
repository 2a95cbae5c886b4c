"""Encoding, and the formats that are written."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, JpegImagePlugin

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import encode
from augcli.data.codecs.formats import EXTENSIONS, output_ending
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
from tests.data.codecs.pictures import NOISE, PHOTO, assert_same, by_pillow, in_mode, saved


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_png_keeps_every_pixel(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = encode(image, "png", quality=90)
    assert_same(decode(data), image)
    assert np.array_equal(by_pillow(data), image)


@pytest.mark.parametrize("level", range(10))
def test_png_is_compressed_at_the_given_level(level: int) -> None:
    image = np.repeat(PHOTO[..., :3], 4, axis=0)
    data = encode(image, "png", quality=90, png_level=level)
    options = [cv2.IMWRITE_PNG_COMPRESSION, level]
    assert data == cv2.imencode(".png", image[..., ::-1], options)[1].tobytes()
    assert data == encode(image, "png", quality=10, png_level=level)
    assert_same(decode(data), image)


def test_png_is_compressed_at_level_3_by_default() -> None:
    image = PHOTO[..., :3]
    assert encode(image, "png", quality=90) == encode(image, "png", quality=90, png_level=3)


@pytest.mark.parametrize(("subsampling", "number"), [("420", 2), ("444", 0)])
@pytest.mark.parametrize("quality", [1, 75, 90, 100])
def test_jpeg_is_written_with_the_given_settings(
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
    before = image.copy()
    decoded = decode(encode(image, file_format, quality=95)).image
    assert np.abs(decoded.astype(int) - image).max() <= 4
    assert np.array_equal(image, before)


def test_views_are_encoded_as_their_copies() -> None:
    view = NOISE[::-1, ::2, 2::-1]
    assert encode(view, "png", quality=90) == encode(view.copy(), "png", quality=90)


@pytest.mark.parametrize(
    ("image", "file_format", "options", "message"),
    [
        (PHOTO[..., :3], "jpg", {"quality": 0}, "quality is 0"),
        (PHOTO[..., :3], "webp", {"quality": 101}, "quality is 101"),
        (PHOTO[..., :3], "jpg", {"quality": 9, "subsampling": "422"}, "subsampling is '422'"),
        (PHOTO[..., :3], "png", {"quality": 9, "png_level": 10}, "png_level is 10"),
        (PHOTO[..., :3], "png", {"quality": 9, "png_level": -1}, "png_level is -1"),
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


@pytest.mark.parametrize("extension", sorted(EXTENSIONS))
def test_every_source_has_an_output_ending(extension: str) -> None:
    jpegs = dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp"), "jpg")
    same = {**jpegs, ".webp": "webp"}.get(extension, "png")
    for path in (f"cat/a{extension}", f"a.b/c.d{extension.upper()}"):
        assert output_ending(path, "same") == same
        assert output_ending(path, "webp") == "webp"
        assert output_ending(path, "webp", copied=True) == extension[1:]


@pytest.mark.parametrize("path", [".jxl", "cat/a.jxl", "cat.jpg/a", "a", ""])
@pytest.mark.parametrize("copied", [False, True])
def test_an_output_ending_for_an_unknown_source_is_an_error(path: str, copied: bool) -> None:
    with pytest.raises(ValueError, match=f"path is {path!r}, but must end in one of .apng, .avif"):
        output_ending(path, "same", copied=copied)


def test_formats_are_known_without_importing_a_decoder() -> None:
    code = (
        "import sys, augcli.data.codecs.formats; "
        "sys.exit(bool({'cv2', 'PIL', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
