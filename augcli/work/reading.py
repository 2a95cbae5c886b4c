"""Reading: the bytes of sources, their pictures and their heat maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.codecs.headers import read_header
from augcli.data.manifest import Failure
from augcli.data.stopping import raise_interruption
from augcli.errors import NO_MEMORY, NotScored, UnreadableImage, is_out_of_memory
from augcli.pixels.resize import resize
from augcli.work.events import Touching
from augcli.work.source_maps import SourceMaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from augcli.data.codecs.decoding import Decoded
    from augcli.data.stores.sources import Source
    from augcli.pixels.frame import Frame, Image
    from augcli.work.events import Event
    from augcli.work.read_ahead import ReadAhead
    from augcli.work.settings import ReadSettings


def stage_of(error: UnreadableImage) -> str:
    """Return the stage in which an image failed that was read: scoring it, or a step."""
    return "score" if isinstance(error, NotScored) else "augment"


def _read_ahead(settings: ReadSettings) -> ReadAhead:
    from augcli.work.read_ahead import ReadAhead  # noqa: PLC0415 - few sources lie far away

    return ReadAhead(settings.store, settings.read_ahead, settings.max_bytes)


class SourceFailed(Exception):
    """One source can't be used: a row of errors.csv."""

    def __init__(self, path: str, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.failure = Failure(path, stage, reason)


def without_memory(path: str, error: Exception) -> Exception:
    """Return the failure of a source where an error says that memory ran out, else the error.

    Args:
        path: What was being read, decoded, scored, augmented or encoded.
        error: What was raised.
    """
    return SourceFailed(path, "memory", NO_MEMORY) if is_out_of_memory(error) else error


class AtWork:
    """A source that is being worked on.

    Attributes:
        path: Its name in the store; empty where there is none.
        data: The bytes of its file, once they are read.
    """

    __slots__ = ("data", "path")

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.data = b""


class Reader:
    """Reads, decodes and scores sources.

    Args:
        settings: How.

    Attributes:
        settings: How.
        maps: Gives heat maps.
        at: The source that is being worked on; another object for each.
        announce: Gets an event for each source before it is touched.
        avoid: By path, how sources failed that must not be touched.

    Raises:
        ScorerError: Heat maps are needed and the scorer can't be used.
        HeatMapsError: The file of heat maps can't be used.
    """

    def __init__(self, settings: ReadSettings) -> None:
        self.settings = settings
        self.maps = SourceMaps(settings.model, settings.grid, settings.frame, settings.storage)
        self.at = AtWork()
        self.announce: Callable[[Event], None] | None = None
        self.avoid: dict[str, Failure] = {}
        self._ahead = _read_ahead(settings) if settings.read_ahead else None

    def close(self) -> None:
        """Close what was opened."""
        self.maps.close()
        if self._ahead:
            self._ahead.close()

    def expect(
        self, sources: Iterable[Source], following: Callable[[], Iterable[Source]] = tuple
    ) -> None:
        """Note which sources will be read next: those far away are read ahead.

        Args:
            sources: In the order in which they will be read.
            following: Gives those of the next call, see
                :meth:`augcli.work.read_ahead.ReadAhead.expect`.
        """
        if self._ahead:
            self._ahead.expect(sources, following)

    def turn_to(self, path: str) -> None:
        """Note which source is worked on from now on; none where empty."""
        if self.announce:
            self.announce(Touching(path))
        self.at = AtWork(path)

    def read(self, source: Source) -> bytes:
        """Return the bytes of a source.

        Args:
            source: As the store listed it.

        Raises:
            SourceFailed: It can't be read, or is another one by now.
        """
        path = source.path
        if path in self.avoid:
            raise SourceFailed(*self.avoid[path])
        if path != self.at.path or self.at.data or self.announce:
            self.turn_to(path)
        try:
            if self._ahead:
                data = self._ahead.read(source)
            else:
                data = self.settings.store.read(source, max_bytes=self.settings.max_bytes)
            self.at.data = data
            return data  # noqa: TRY300
        except UnreadableImage as error:
            raise_interruption(error)
            raise SourceFailed(path, "decode", error.reason) from None
        except OSError as error:
            raise_interruption(error)
            raise SourceFailed(path, "read", error.strerror or str(error)) from None
        except MemoryError as error:
            raise without_memory(path, error) from None

    def decoded(
        self,
        data: bytes,
        path: str,
        enough: Frame | None = None,
        sides: Callable[[int, int], object] | None = None,
    ) -> Decoded:
        """Return a picture, and what was simplified in it.

        Args:
            data: The bytes of its file.
            path: Its name in the store.
            enough: See :func:`augcli.data.codecs.decoding.decode`.
            sides: See there.

        Raises:
            SourceFailed: It is no picture that augcli reads, or memory ran out.
        """
        settings = self.settings
        try:
            return decode(
                data,
                max_pixels=settings.max_pixels,
                white_level=settings.white_level,
                background=settings.background,
                enough=enough,
                sides=sides,
            )
        except UnreadableImage as error:
            raise_interruption(error)
            raise SourceFailed(path, "decode", error.reason) from None
        except Exception as error:
            raise_interruption(error)
            raise without_memory(path, error) from None

    def scored_bytes(self, data: bytes) -> bytes:
        """Return what a heat map belongs to: a file and the options that change its pixels.

        Args:
            data: The bytes of the file, and the result where no such option changes it.
        """
        white_level, background = self.settings.white_level, self.settings.background
        if white_level == FULL_WHITE and background is None:
            return data
        try:
            header = read_header(data)
        except UnreadableImage:
            return data
        suffix = b""
        if header.deep and white_level != FULL_WHITE:
            suffix += b"white level %d" % white_level
        # Only a decoder knows whether some kinds are transparent.
        if background is not None and (header.alpha or not header.plain):
            suffix += b"background " + bytes(background)
        return data + suffix

    def sized(self, image: Image) -> Image:
        """Return a picture as large as outputs are."""
        return resize(image, self.settings.frame) if self.settings.frame else image
