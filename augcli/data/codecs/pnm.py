"""PNM (PBM, PGM and PPM): their header, and the samples of those with more than 8 bits.

Pillow decodes them, but for more than 8 bits: it reduces colour to 8 bits by a rule of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from augcli.data.codecs.containers import Header, cut_short

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPACE: Final = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER: Final = re.compile(rb"P([1-6])" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)")
_HIGHEST: Final = re.compile(_SPACE + rb"(\d+)\s")
_COMMENT: Final = re.compile(rb"#[^\r\n]*")


def pnm_header(data: bytes) -> Header:
    """Read the size and the highest level."""
    match = _HEADER.match(data, 0)
    if not match:
        return Header("PNM")
    kind, width, height = (int(number[:10]) for number in match.groups())
    return Header("PNM", width, height, deep=_highest(data, match) > 255, grey=kind not in (3, 6))


def deep_pnm(data: bytes) -> NDArray[np.uint16]:
    """Return the samples of a PNM with more than 8 bits, where its own highest level is 65535.

    Args:
        data: A whole file whose header says that it is deep.

    Returns:
        uint16 (height, width, 1 or 3).

    Raises:
        UnreadableImage: Samples are missing.
    """
    match = _HEADER.match(data)
    highest_match = match and _HIGHEST.match(data, match.end())
    assert match
    assert highest_match
    kind, width, height = (int(number) for number in match.groups())
    highest = int(highest_match[1])
    shape = (height, width, 3 if kind in (3, 6) else 1)
    count = shape[0] * shape[1] * shape[2]
    body = memoryview(data)[highest_match.end() :]
    if kind <= 3:
        words = _COMMENT.sub(b" ", bytes(body)).split()[:count]
        samples = np.array([int(word) for word in words], np.uint64)
    else:
        samples = np.frombuffer(body[: len(body) // 2 * 2], ">u2", min(count, len(body) // 2))
    if samples.size < count:
        raise cut_short("PNM")
    scaled = (samples.astype(np.uint64) * 65535 + highest // 2) // highest
    return np.minimum(scaled, 65535).astype(np.uint16).reshape(shape)


def _highest(data: bytes, match: re.Match[bytes]) -> int:
    """Return the level that stands for white; 1 for black and white pictures."""
    found = None if match[1] in (b"1", b"4") else _HIGHEST.match(data, match.end())
    return int(found[1][:6]) if found else 1
