"""Questions about sources that workers answer before anything is made.

A question is asked of a batch of sources; a worker answers with a value for each. A new question
is one class here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from augcli.data.manifest import Failure
    from augcli.pixels.frame import Colour, Frame, Image
    from augcli.work.events import Scored
    from augcli.work.reading import Reader


class Question(Protocol):
    """Asked of a batch of sources."""

    def __init__(self, paths: list[str]) -> None: ...

    @property
    def paths(self) -> list[str]:
        """The sources."""
        ...

    def answer(self, reader: Reader) -> list[Any]:
        """Return an answer for each source; called in a worker.

        Args:
            reader: Reads and scores sources.
        """
        ...


@dataclass(frozen=True)
class MeanColours:
    """What is the mean colour of each source?"""

    paths: list[str]

    def answer(self, reader: Reader) -> list[Colour | Failure]:
        """Return the mean colours."""
        return [self._colour(reader, path) for path in self.paths]

    @staticmethod
    def _colour(reader: Reader, path: str) -> Colour | Failure:
        from augcli.pixels.fills import mean_colour  # noqa: PLC0415 - OpenCV only in workers
        from augcli.work.reading import SourceFailed, without_memory  # noqa: PLC0415

        try:
            return mean_colour(reader.decoded(reader.read(path), path).image)
        except SourceFailed as error:
            return error.failure
        except Exception as error:
            failed = without_memory(path, error)
            if isinstance(failed, SourceFailed):
                return failed.failure
            raise


@dataclass(frozen=True)
class HighestLevels:
    """What is the highest level of each source with 16 bits a sample? None for all others."""

    paths: list[str]

    def answer(self, reader: Reader) -> list[int | Failure | None]:
        """Return the highest levels."""
        return [self._level(reader, path) for path in self.paths]

    @staticmethod
    def _level(reader: Reader, path: str) -> int | Failure | None:
        from augcli.data.codecs.deep import highest_level  # noqa: PLC0415
        from augcli.errors import UnreadableImage  # noqa: PLC0415
        from augcli.work.reading import SourceFailed, without_memory  # noqa: PLC0415

        try:
            return highest_level(reader.read(path), reader.settings.max_pixels)
        except SourceFailed as error:
            return error.failure
        except UnreadableImage:
            return None  # it is reported when its turn comes
        except Exception as error:
            failed = without_memory(path, error)
            if isinstance(failed, SourceFailed):
                return failed.failure
            raise


@dataclass(frozen=True)
class HeatMapsOf:
    """What is the heat map of each source, or the picture to be scored elsewhere?"""

    paths: list[str]

    def answer(self, reader: Reader) -> list[Scored | Failure]:
        """Return the heat maps."""
        return [self._scored(reader, path) for path in self.paths]

    @staticmethod
    def _scored(reader: Reader, path: str) -> Scored | Failure:
        from augcli.data.manifest import Failure  # noqa: PLC0415
        from augcli.errors import UnreadableImage  # noqa: PLC0415
        from augcli.work.reading import SourceFailed, without_memory  # noqa: PLC0415

        def picture(enough: Frame) -> Image:
            # Outputs of a fixed size are resized from the whole picture.
            whole = reader.settings.frame is not None
            return reader.sized(reader.decoded(data, path, None if whole else enough).image)

        try:
            data = reader.read(path)
            return reader.maps.scored(reader.scored_bytes(data), picture)
        except SourceFailed as error:
            return error.failure
        except UnreadableImage as error:
            return Failure(path, "score", error.reason)
        except Exception as error:
            failed = without_memory(path, error)
            if isinstance(failed, SourceFailed):
                return failed.failure
            raise
