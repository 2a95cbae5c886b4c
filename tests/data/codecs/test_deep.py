"""16 bits a sample: the white level, and pictures that use only few of their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from augcli.data.codecs.decoding import ALPHA, DEEP, decode
from augcli.data.codecs.deep import highest_level
from tests.data.codecs.pictures import (
    DEEP_NOISE,
    HEIGHT,
    JPEG,
    NOISE,
    WIDTH,
    assert_same,
    chunk,
    exif,
    in_mode,
    png,
    refused,
    saved,
    tiff,
    with_segment,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

TWELVE = (DEEP_NOISE >> 4).astype(np.uint16)
FEW = "16-bit picture that uses only levels up to 4,095 of 65,535; see `white_level`"


def as_file(container: str, levels: NDArray[np.uint16], **tags: int) -> bytes:
    channels = levels.shape[2]
    if container == "PNG":
        return png(levels, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels])
    if container == "PNM":
        kind = 5 if channels == 1 else 6
        head = f"P{kind}\n{WIDTH} {HEIGHT}\n65535\n".encode()
        return head + levels.astype(">u2").tobytes()
    if channels == 4:
        tags["t338"] = 2
    return tiff(levels.astype("<u2").tobytes(), 16, channels, "<", **tags)


KINDS = [("PNG", 1), ("PNG", 2), ("PNG", 3), ("PNG", 4), ("TIFF", 1), ("TIFF", 3), ("TIFF", 4)]
KINDS += [("PNM", 1), ("PNM", 3)]


@pytest.mark.parametrize(("container", "channels"), KINDS)
@pytest.mark.parametrize("white_level", [255, 1000, 4095, 16383, 65535])
def test_the_white_level_becomes_255(container: str, channels: int, white_level: int) -> None:
    levels = TWELVE[..., :channels]
    decoded = decode(as_file(container, levels), white_level=white_level)
    scaled = np.minimum(levels.astype(int) * 256 // (white_level + 1), 255).astype(np.uint8)
    colours = scaled[..., :3] if channels > 2 else scaled[..., :1]
    assert_same(decoded, np.broadcast_to(colours, (HEIGHT, WIDTH, 3)))
    assert decoded.grey is (channels < 3)
    dark = (FEW,) if white_level == 65535 else ()
    assert decoded.notes == (DEEP, *((ALPHA,) if channels in (2, 4) else ()), *dark)


def test_12_bits_keep_their_8_highest() -> None:
    decoded = decode(as_file("PNG", TWELVE[..., :3]), white_level=4095)
    assert_same(decoded, (TWELVE[..., :3] >> 4).astype(np.uint8))


def test_the_white_level_leaves_8_bits_alone() -> None:
    for data in (JPEG, png(NOISE[..., :3], 8, 2), saved(in_mode("L"), "TIFF")):
        assert_same(decode(data, white_level=4095), decode(data).image)


def test_where_0_is_white_the_white_level_is_black() -> None:
    data = as_file("TIFF", TWELVE[..., :1], t262=0)
    expected = 255 - (TWELVE[..., :1] >> 4)
    decoded = decode(data, white_level=4095)
    assert_same(decoded, np.broadcast_to(expected, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    assert decode(data).notes == (DEEP, FEW)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_turned_picture_is_scaled_too(orientation: int, channels: int) -> None:
    levels = TWELVE[..., :channels]
    full = as_file("TIFF", (levels << 4).astype(np.uint16), t274=orientation)
    assert_same(
        decode(as_file("TIFF", levels, t274=orientation), white_level=4095), decode(full).image
    )
    turned = chunk(b"eXIf", exif(orientation))
    colour = {1: 0, 3: 2}[channels]
    assert_same(
        decode(png(levels, 16, colour, before=turned), white_level=4095),
        decode(png((levels << 4).astype(np.uint16), 16, colour, before=turned)).image,
    )


def test_bits_that_no_library_reads_are_named() -> None:
    # Premultiplied: Pillow divides by alpha, OpenCV doesn't.
    data = as_file("TIFF", TWELVE[..., :4]).replace(
        b"\x52\x01\x03\0\1\0\0\0\2\0", b"\x52\x01\x03\0\1\0\0\0\1\0"
    )
    assert "can't be read with all their bits" in refused(data, white_level=4095)
    assert decode(data).notes[:2] == (DEEP, ALPHA)


@pytest.mark.parametrize(("container", "channels"), KINDS)
@pytest.mark.parametrize("bits", [6, 9, 12, 13, 14, 15, 16])
def test_pictures_of_few_levels_are_noted(container: str, channels: int, bits: int) -> None:
    levels = (DEEP_NOISE[..., :channels] >> (16 - bits)).astype(np.uint16)
    data = as_file(container, levels)
    few = [note for note in decode(data).notes if "only levels" in note]
    if bits > 14:
        assert few == []
    else:
        # From high bytes alone, fewer than 8 bits can't be told from 8.
        most = 2 ** max(bits, 8) - 1
        assert few == [FEW.replace("4,095", f"{most:,}")]
    colours = levels[..., :1] if channels == 2 else levels[..., :3]
    assert highest_level(data, 10_000) == colours.max()


def test_only_16_bits_have_a_highest_level() -> None:
    assert highest_level(JPEG, 10_000) is None
    assert highest_level(png(NOISE[..., :3], 8, 2), 10_000) is None


BLUE = (10, 20, 200)


def over(colours: NDArray[Any], opacity: NDArray[Any], background: tuple[int, ...]) -> Any:
    share = opacity[..., None].astype(int)
    return (
        (colours.astype(int) * share + np.array(background) * (255 - share) + 127) // 255
    ).astype(np.uint8)


@pytest.mark.parametrize(
    ("container", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})],
)
def test_a_background_shows_behind_transparency(container: str, options: dict[str, Any]) -> None:
    data = saved(in_mode("RGBA", NOISE), container, **options)
    decoded = decode(data, background=BLUE)
    assert_same(decoded, over(NOISE[..., :3], NOISE[..., 3], BLUE))
    assert decoded.notes == ()
    backdrop = Image.new("RGBA", (WIDTH, HEIGHT), (*BLUE, 255))
    by_pillow = np.asarray(Image.alpha_composite(backdrop, Image.fromarray(NOISE)).convert("RGB"))
    assert np.abs(decoded.image.astype(int) - by_pillow).max() <= 1


@pytest.mark.parametrize("container", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_shows_the_background(container: str) -> None:
    picture = in_mode("P")
    data = saved(picture, container, transparency=3)
    decoded = decode(data, background=BLUE)
    hidden = np.asarray(picture) == 3
    assert hidden.any()
    assert (decoded.image[hidden] == BLUE).all()
    assert (decoded.image[~hidden] == decode(data).image[~hidden]).all()
    assert decoded.notes == ()


def test_a_background_shows_behind_16_bits_too() -> None:
    data = png(DEEP_NOISE, 16, 6)
    high = (DEEP_NOISE >> 8).astype(np.uint8)
    assert_same(decode(data, background=BLUE), over(high[..., :3], high[..., 3], BLUE))
    grey = png(DEEP_NOISE[..., :2], 16, 4)
    composed = decode(grey, background=BLUE)
    assert_same(composed, over(np.repeat(high[..., :1], 3, axis=2), high[..., 1], BLUE))
    assert not composed.grey
    assert decode(grey, background=(9, 9, 9)).grey
    # One colour of 16 bits is transparent, and no other that has the same high bytes.
    for channels, colour in ((1, 0), (3, 2)):
        levels = DEEP_NOISE[..., :channels].copy()
        levels[0, 0] = levels[1, 1] ^ 1
        key = chunk(b"tRNS", levels[1, 1].astype(">u2").tobytes())
        image = decode(png(levels, 16, colour, before=key), background=BLUE).image
        assert tuple(image[1, 1]) == BLUE
        assert (image[0, 0] == levels[0, 0] >> 8).all()


def test_a_background_leaves_opaque_pictures_alone() -> None:
    for data in (JPEG, saved(in_mode("L"), "PNG"), with_segment(JPEG, b"Exif\0\0" + exif(6))):
        assert decode(data, background=BLUE).grey is decode(data).grey
        assert_same(decode(data, background=BLUE), decode(data).image)
