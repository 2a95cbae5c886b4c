"""The header of a TIFF: which of its pages is the picture, and what can't become 8-bit RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from augcli.data.codecs.containers import Header, cut_short, several
from augcli.data.codecs.tags import MASK, REDUCED, SUBFILE, directories, is_raw_photo
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOURS: Final = {2: 3, 5: 4, 6: 3, 8: 3}
"""Bands of a colour by the tag 262: RGB, CMYK, YCbCr and Lab; 1 otherwise."""
_ALPHA: Final = (1, 2)
"""Values of the tag 338 for a band of transparency."""
_OLD_REDUCED: Final = 2
"""The value of the tag 255 for a smaller copy of another page, in old files."""


def tiff_header(data: bytes) -> Header:
    """Read the first directory, judge the others, refuse what can't become 8-bit RGB.

    Pillow always decodes TIFF: OpenCV multiplies colours by alpha, doesn't widen 2 and 4 bits,
    and takes the wrong bytes of 16-bit colour.

    Raises:
        UnreadableImage: The file is cut short, holds several pictures, or samples that don't fit.
    """
    pages = directories(data)
    if not pages:
        raise cut_short("TIFF")
    tags = pages[0]
    if is_raw_photo(tags) or data[8:10] == b"CR":
        raise UnreadableImage(
            "a TIFF with a preview only, as in a camera's raw photo; develop it to JPEG or PNG"
        )
    others = sum(not _belongs_to(tags, page) for page in pages)
    if others:
        raise UnreadableImage(several("a TIFF", 1 + others, "pages"))
    refused = _refused(tags)
    if refused:
        raise UnreadableImage(f"a TIFF {refused}")
    deep = tags.get(258, 1) == 16
    colours = _COLOURS.get(tags.get(262, 1), 1)
    transparent = tags.get(338) in _ALPHA
    return Header(
        "TIFF",
        tags.get(256, 0),
        tags.get(257, 0),
        tags.get(274, 1),
        alpha=any(page.get(SUBFILE, 0) & MASK for page in pages[1:]),
        deep=deep,
        inverted=deep and tags.get(262) == 0,
        more_bands=colours > 1 and tags.get(277, 1) > colours + transparent,
    )


def _belongs_to(first: Mapping[int, int], page: Mapping[int, int]) -> bool:
    """Return whether a page is the first itself, or a smaller copy or the mask of it."""
    if page is first or page.get(SUBFILE, 0) & (REDUCED | MASK) or page.get(255) == _OLD_REDUCED:
        return True
    width, height = first.get(256, 0), first.get(257, 0)
    small_width, small_height = page.get(256, 0), page.get(257, 0)
    # Some writers don't mark overviews: at most half as large, of the same shape but for rounding.
    return (
        0 < 2 * small_width <= width + 1
        and 0 < 2 * small_height <= height + 1
        and abs(small_width * height - small_height * width) <= max(width, height)
    )


def _refused(tags: Mapping[int, int]) -> str:
    """Return what can't become 8-bit RGB, empty where all can."""
    bits, sample_format, bands = tags.get(258, 1), tags.get(339, 1), tags.get(277, 1)
    colours = _COLOURS.get(tags.get(262, 1), 1)
    if sample_format == 3:
        return f"of {bits}-bit floating point samples; save it with 8 or 16 bits a sample"
    if sample_format == 2:
        return f"of signed {bits}-bit samples; save it with 8 or 16 unsigned bits a sample"
    if bits not in (1, 2, 4, 8, 16):
        return f"of {bits}-bit samples; save it with 8 or 16 bits a sample"
    # Grey with one band more is grey with transparency.
    if colours == 1 and bands > 2:
        return f"of {bands} bands; save red, green and blue, or one band, as a file of its own"
    if bits == 16 and tags.get(284) == 2 and bands > 1:
        return "of 16-bit samples in separate planes; save it with its channels interleaved"
    return ""
