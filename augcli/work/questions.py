"""Questions about sources that workers answer before anything is made.

A question is asked of a batch of sources; a worker answers with a value for each. A new question
is one class here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.data.manifest import Failure
    from augcli.data.stores.sources import Source
    from augcli.pixels.blank import Blank
    from augcli.pixels.frame import Colour, Frame, Image
    from augcli.work.events import Scored
    from augcli.work.reading import Reader


Answer = TypeVar("Answer")


class Question(Protocol):
    """Asked of a batch of sources."""

    def __init__(self, sources: list[Source]) -> None: ...

    @property
    def sources(self) -> list[Source]:
        """The sources."""
        ...

    def answer(self, reader: Reader) -> list[Any]:
        """Return an answer for each source; called in a worker.

        Args:
            reader: Reads and scores sources.
        """
        ...


def _answered(source: Source, ask: Callable[[Source], Answer]) -> Answer | Failure:
    """Return the answer for a source, or how the source failed."""
    from augcli.work.reading import SourceFailed, without_memory  # noqa: PLC0415 - in workers only

    try:
        return ask(source)
    except SourceFailed as error:
        return error.failure
    except Exception as error:
        failed = without_memory(source.path, error)
        if isinstance(failed, SourceFailed):
            return failed.failure
        raise


@dataclass(frozen=True)
class MeanColours:
    """What is the mean colour of each source?"""

    sources: list[Source]

    def answer(self, reader: Reader) -> list[Colour | Failure]:
        """Return the mean colours."""
        return [_answered(source, partial(self._colour, reader)) for source in self.sources]

    @staticmethod
    def _colour(reader: Reader, source: Source) -> Colour:
        from augcli.pixels.fills import mean_colour  # noqa: PLC0415 - OpenCV only in workers

        return mean_colour(reader.decoded(reader.read(source), source.path).image)


@dataclass(frozen=True)
class HighestLevels:
    """What is the highest level of each source with 16 bits a sample? None for all others."""

    sources: list[Source]

    def answer(self, reader: Reader) -> list[int | Failure | None]:
        """Return the highest levels."""
        return [_answered(source, partial(self._level, reader)) for source in self.sources]

    @staticmethod
    def _level(reader: Reader, source: Source) -> int | None:
        from augcli.data.codecs.deep import highest_level  # noqa: PLC0415
        from augcli.errors import UnreadableImage  # noqa: PLC0415

        data = reader.read(source)
        try:
            return highest_level(data, reader.settings.max_pixels)
        except UnreadableImage:
            return None  # it is reported when its turn comes


@dataclass(frozen=True)
class HeatMapsOf:
    """What is the heat map of each source, or the picture to be scored elsewhere?"""

    sources: list[Source]

    def answer(self, reader: Reader) -> list[Scored | Failure]:
        """Return the heat maps."""
        return [_answered(source, partial(self._scored, reader)) for source in self.sources]

    @staticmethod
    def _scored(reader: Reader, source: Source) -> Scored:
        from augcli.errors import UnreadableImage  # noqa: PLC0415
        from augcli.work.reading import SourceFailed  # noqa: PLC0415

        def picture(enough: Frame) -> Image:
            # Outputs of a fixed size are resized from the whole picture.
            whole = reader.settings.frame is not None
            return reader.sized(reader.decoded(data, source.path, None if whole else enough).image)

        data = reader.read(source)
        try:
            return reader.maps.scored(reader.scored_bytes(data), picture)
        except UnreadableImage as error:
            raise SourceFailed(source.path, "score", error.reason) from None


class Look(NamedTuple):
    """What one look at a source shows.

    Attributes:
        digest: BLAKE2b of its bytes, 16 bytes.
        format: Such as ``JPEG``.
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
        grey: Whether its file stores greys only.
        blank: Whether it is nearly black or of one colour.
        notes: What is simplified in it, and what is odd.
    """

    digest: bytes
    format: str
    width: int
    height: int
    grey: bool
    blank: Blank
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Looks:
    """What does one look at each source show?"""

    sources: list[Source]

    def answer(self, reader: Reader) -> list[Look | Failure]:
        """Return what is seen."""
        return [_answered(source, partial(self._look, reader)) for source in self.sources]

    @staticmethod
    def _look(reader: Reader, source: Source) -> Look:
        import hashlib  # noqa: PLC0415 - only here

        from augcli.data.codecs.file_kinds import file_kind  # noqa: PLC0415
        from augcli.pixels.blank import blank_kind  # noqa: PLC0415

        data = reader.read(source)
        decoded = reader.decoded(data, source.path)
        height, width = decoded.image.shape[:2]
        return Look(
            hashlib.blake2b(data, digest_size=16).digest(),
            file_kind(data).name.partition(" ")[2].removesuffix(" image"),
            width,
            height,
            decoded.grey,
            blank_kind(decoded.image),
            decoded.notes,
        )
