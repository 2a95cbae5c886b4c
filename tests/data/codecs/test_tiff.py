"""TIFF: which pages are pictures of their own, and bands beyond the colours."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from augcli.data.codecs.decoding import ALPHA, BANDS, DEEP, decode
from tests.data.codecs.pictures import (
    DEEP_NOISE,
    HEIGHT,
    HIGH_BYTES,
    NOISE,
    WIDTH,
    assert_same,
    refused,
    tiff,
)

ONE_PAGE = tiff(NOISE[..., :3].tobytes(), 8, 3)
FULL = {256: WIDTH, 257: HEIGHT}
HALF = {256: WIDTH // 2, 257: HEIGHT // 2}
SMALL = {256: WIDTH // 4, 257: HEIGHT // 4}


def with_pages(first: bytes, *pages: dict[int, int]) -> bytes:
    """Append directories that declare pages without pixels."""
    for tags in pages:
        directory = struct.pack("<H", len(tags))
        for tag, value in sorted(tags.items()):
            directory += struct.pack("<HHLL", tag, 4, 1, value)
        first = first[:-4] + struct.pack("<L", len(first)) + directory + bytes(4)
    return first


@pytest.mark.parametrize(
    "pages",
    [
        [HALF | {254: 1}],
        [HALF | {254: 1}, SMALL | {254: 1}],
        [HALF | {255: 2}],
        # A label, marked as belonging to the first, but of another shape.
        [{256: 10, 257: 30, 254: 1}],
        [HALF, SMALL],
    ],
    ids=["overview", "pyramid", "old-tag", "label", "unmarked"],
)
def test_smaller_copies_are_no_pictures_of_their_own(pages: list[dict[int, int]]) -> None:
    decoded = decode(with_pages(ONE_PAGE, *pages))
    assert_same(decoded, NOISE[..., :3])
    assert decoded.notes == ()


@pytest.mark.parametrize("kind", [4, 5])
def test_a_mask_is_transparency(kind: int) -> None:
    decoded = decode(with_pages(ONE_PAGE, FULL | {254: kind}))
    assert_same(decoded, NOISE[..., :3])
    assert decoded.notes == (ALPHA,)


@pytest.mark.parametrize(
    ("pages", "number"),
    [
        ([FULL], 2),
        ([FULL | {254: 2}, FULL | {254: 2}], 3),
        ([HALF | {254: 1}, FULL], 2),
        # Smaller, but no copy: of another shape.
        ([{256: WIDTH // 2, 257: HEIGHT // 4}], 2),
        ([{256: WIDTH - 1, 257: HEIGHT - 1}], 2),
    ],
)
def test_other_pages_are_refused_with_their_number(
    pages: list[dict[int, int]], number: int
) -> None:
    assert refused(with_pages(ONE_PAGE, *pages)).startswith(f"a TIFF of {number} pages; save each")


@pytest.mark.parametrize("bits", [8, 16])
def test_a_fourth_band_that_is_no_transparency_is_counted_as_a_band(bits: int) -> None:
    pixels = NOISE.tobytes() if bits == 8 else DEEP_NOISE.astype("<u2").tobytes()
    decoded = decode(tiff(pixels, bits, 4, t338=0))
    assert_same(decoded, NOISE[..., :3] if bits == 8 else HIGH_BYTES[..., :3])
    assert decoded.notes == ((BANDS,) if bits == 8 else (DEEP, BANDS))
    transparent = decode(tiff(pixels, bits, 4, t338=2))
    assert transparent.notes == ((ALPHA,) if bits == 8 else (DEEP, ALPHA))


@pytest.mark.parametrize(("bits", "bands"), [(8, 3), (8, 5), (16, 13)])
def test_bands_that_are_no_colours_are_named(bits: int, bands: int) -> None:
    pixels = np.zeros(HEIGHT * WIDTH * bands * bits // 8, np.uint8).tobytes()
    assert refused(tiff(pixels, bits, bands, t262=1)) == (
        f"a TIFF of {bands} bands; save red, green and blue, or one band, as a file of its own"
    )
