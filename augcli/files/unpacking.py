"""Unpacking: compressed files in pieces, in bounded memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.files.pieces import Pieces

STEP = 1 << 20
"""Bytes of a piece."""
XZ_MEMORY = 256 << 20
"""Bytes of memory that xz may use; its strongest preset needs a quarter."""
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
"""First bytes of compressed files."""


class NotUnpacked(Exception):
    """A compressed file is damaged or cut off."""


def compression(head: bytes) -> str:
    """Return what compressed a file, by its first six bytes; empty where nothing did.

    Example:
        >>> import gzip
        >>> compression(gzip.compress(b"a")), compression(b"photo.jpg")
        ('gzip', '')
    """
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def unpacked(file: Pieces, size: int, kind: str) -> Iterator[bytes]:
    """Yield the content of a compressed file, at most :data:`STEP` bytes at a time.

    Args:
        file: The file.
        size: Its bytes.
        kind: What compressed it, see :func:`compression`.

    Raises:
        NotUnpacked: It is damaged, cut off, or needs too much memory.
        OSError: It can't be read.
    """
    new, errors = _decompressor(kind)
    stream: _Stream | None = None
    position, data = 0, b""
    while True:
        if not data and (stream is None or stream.needs_input):
            if position >= size:
                break
            data = file.read(position, min(STEP, size - position))
            position += len(data)
        if stream is None:
            # Several streams may follow one another; zeros may pad the last.
            data = data.lstrip(b"\0")
            if not data:
                continue
            stream = new()
        try:
            piece, data = stream.unpack(data)
        except errors as error:
            raise NotUnpacked(f"it is damaged ({error})") from None
        if piece:
            yield piece
        if stream.ended:
            stream = None
    while stream is not None and not stream.ended:
        try:
            piece, data = stream.unpack(b"")
        except errors:
            piece = b""
        if not piece:
            raise NotUnpacked("it is cut off")
        yield piece


class _Stream(Protocol):
    """One compressed stream."""

    @property
    def ended(self) -> bool:
        """Whether its end was read."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether it gives no more content before it gets more data."""
        ...

    def unpack(self, data: bytes) -> tuple[bytes, bytes]:
        """Return content, and what of the data is still to be given."""
        ...


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def ended(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return True

    def unpack(self, data: bytes) -> tuple[bytes, bytes]:
        piece = self._stream.decompress(data, STEP)
        return piece, self._stream.unused_data or self._stream.unconsumed_tail


class _Buffered:
    """A stream of bz2 or lzma, which holds back what it could not unpack yet."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def ended(self) -> bool:
        return bool(self._stream.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._stream.needs_input)

    def unpack(self, data: bytes) -> tuple[bytes, bytes]:
        piece = self._stream.decompress(data, STEP)
        return piece, self._stream.unused_data if self._stream.eof else b""


def _decompressor(kind: str) -> tuple[Callable[[], _Stream], tuple[type[Exception], ...]]:
    """Return what unpacks a stream, and what it raises; few files need each module."""
    if kind == "gzip":
        return _Gzip, (zlib.error,)
    if kind == "bzip2":
        import bz2  # noqa: PLC0415

        return lambda: _Buffered(bz2.BZ2Decompressor()), (OSError, ValueError)
    import lzma  # noqa: PLC0415

    return (
        lambda: _Buffered(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)),
        (lzma.LZMAError,),
    )
