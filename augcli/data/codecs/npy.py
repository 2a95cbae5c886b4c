"""The header of a ``.npy`` file that holds a picture.

Only headers as :func:`npy_header` makes them are read: uint8, in C order, of the shapes (H, W),
(H, W, 1) and (H, W, 3). NumPy writes the same header for such an array. Nothing is unpickled. Like
:mod:`augcli.data.codecs.formats`, which uses it, this module imports only the standard library.
"""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

from augcli.data.codecs.containers import Header, cut_short
from augcli.errors import UnreadableImage

MAGIC: Final = b"\x93NUMPY\x01\x00"
_BLOCK: Final = 64
"""The pixels begin at a multiple of so many bytes."""
_LONGEST: Final = 128
"""Bytes of a header with the longest numbers that are read; NumPy writes it as long for any."""
_SIDE: Final = rb"([1-9][0-9]{0,8})"
_HEADER: Final = re.compile(
    re.escape(MAGIC)
    + rb"(..)\{'descr': '\|u1', 'fortran_order': False, 'shape': \("
    + rb"%s, %s(?:, ([13]))?\), \} *\n" % (_SIDE, _SIDE),
    re.DOTALL,
)


def is_npy_picture(head: bytes) -> bool:
    """Return whether a file begins as an array that is read as a picture.

    Args:
        head: The whole file, or at least its first 128 bytes.

    Example:
        >>> is_npy_picture(npy_header(28, 28)), is_npy_picture(MAGIC)
        (True, False)
    """
    return _HEADER.match(head) is not None


@functools.lru_cache(maxsize=16)
def npy_header(height: int, width: int, channels: int = 0) -> bytes:
    r"""Return the header of an array uint8 (height, width), or (height, width, channels).

    Example:
        >>> npy_header(2, 3)[10:70]
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), } "
    """
    shape = f"({height}, {width}, {channels})" if channels else f"({height}, {width})"
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    start = len(MAGIC) + 2
    length = -(-(start + len(text) + 1) // _BLOCK) * _BLOCK - start
    return MAGIC + length.to_bytes(2, "little") + text.ljust(length - 1) + b"\n"


def npy_facts(data: bytes) -> Header:
    """Read the header; the picture must have all of its bytes, and no more.

    Args:
        data: The whole file, known to be a picture.

    Raises:
        UnreadableImage: It is cut short, or has more bytes than pixels.
    """
    height, width, channels, start = npy_fields(data)
    missing = start + height * width * channels - len(data)
    if missing > 0:
        raise cut_short("NPY")
    if missing < 0:
        raise UnreadableImage("a NPY image that has more bytes than pixels; write it again")
    return Header("NPY", width, height, grey=channels == 1)


class NpyFields(NamedTuple):
    """What a header declares.

    Attributes:
        height: Rows.
        width: Columns.
        channels: 1 or 3.
        start: Where the pixels begin.
    """

    height: int
    width: int
    channels: int
    start: int


def npy_fields(data: bytes) -> NpyFields:
    """Return what the header of a picture declares.

    Raises:
        UnreadableImage: The header does not end where it says.

    Example:
        >>> npy_fields(npy_header(28, 30))
        NpyFields(height=28, width=30, channels=1, start=128)
    """
    return _fields(data[:_LONGEST])


@functools.lru_cache(maxsize=16)
def _fields(head: bytes) -> NpyFields:
    """Return the same of a header, which all pictures of an array have."""
    match = _HEADER.match(head)
    assert match
    length, height, width, channels = match.groups()
    start = len(MAGIC) + 2 + int.from_bytes(length, "little")
    if start != match.end():
        raise UnreadableImage("a NPY image with a damaged header; write it again")
    return NpyFields(int(height), int(width), int(channels or 1), start)
