"""The files of a split: which are there, which are to go, and how each is made."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Any

from augcli.data.codecs.file_kinds import readable_kind
from augcli.data.manifest import Failure
from augcli.data.output import TEMPORARY
from augcli.data.stores.sources import CHANGED
from augcli.errors import OutputError, UnreadableImage
from augcli.files import HEAD_BYTES, modified_at, open_file
from augcli.run.splitting.split_record import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from augcli.files import Folder
    from augcli.run.splitting.division import Division
    from augcli.work.reading import Reader
    from augcli.work.settings import ReadSettings

ARRAY = b"\x93NUMPY"
"""First bytes of a picture that lies in an array, and becomes a PNG."""
NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)
"""What systems say where a file can't have a second name."""


class SplitFiles:
    """Makes and removes the files of a split.

    Args:
        division: Which split each source goes to.
        link: Whether files are links: ``none``, ``hard`` or ``symbolic``.
        files: Writes into OUT.
        settings: How pictures are read.
    """

    def __init__(
        self, division: Division, link: str, files: Folder, settings: ReadSettings
    ) -> None:
        self._division = division
        self._sources = division.sources
        self._link = link
        self._files = files
        self._settings = settings
        self._reader: Reader | None = None

    def is_there(self, index: int) -> bool:
        """Return whether the file of a source is there, of the source as it is now."""
        sources, name = self._sources, self._division.name(index)
        try:
            status = self._files.status(name)
            if status is None:
                return False
            if self._link == "symbolic":
                return self._files.link_target(name) == self._path(index)
            if self._link == "hard":
                return os.path.samestat(status, os.stat(self._path(index)))
            in_files = not self._sources.in_containers
            if (
                in_files
                and status.st_nlink > 1
                and os.path.samestat(status, os.stat(self._path(index)))
            ):
                return False  # a link, made before copies were asked for
        except OSError:
            return False
        is_file = stat.S_ISREG(status.st_mode)
        is_whole = self._division.is_encoded(index) or status.st_size == sources.sizes[index]
        sets_times = os.utime in os.supports_fd
        is_same = not sets_times or modified_at(status) == sources.modified[index]
        return is_file and is_whole and is_same

    def stale(self) -> list[str]:
        """Return the files that an earlier run made and that are no longer wanted."""
        stale = []
        for name, source in read_table(self._files):
            index = self._sources.find(source)
            if index is None or self._division.name(index) != name:
                stale.append(name)
        return stale

    def clear(self, names: Iterable[str]) -> None:
        """Remove files, and folders that are empty then."""
        folders = set()
        for name in names:
            self._files.remove(name)
            folders.add(name.rpartition("/")[0])
        # An empty folder would be a class without images.
        self._files.remove_empty(folders)

    def try_link(self) -> None:
        """Try whether files can be linked, before anything is changed.

        Raises:
            OutputError: They can't.
        """
        if self._link == "none" or not len(self._sources):
            return
        trial = f"{TEMPORARY}/trial"
        try:
            self._files.publish_link(trial, self._path(0), symbolic=self._link == "symbolic")
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            raise OutputError(
                f"OUT {self._files.path} can't hold links of kind {self._link} to the files of "
                f"INPUT ({error.strerror}); leave out `link` to copy them, or give a folder on the "
                "same disk"
            ) from None
        finally:
            self._files.remove(trial)

    def make(self, index: int) -> Failure | None:
        """Make the file of a source; return why it failed."""
        return self._copied(index) if self._link == "none" else self._linked(index)

    def _linked(self, index: int) -> Failure | None:
        """Link the file of a source; return why it failed."""
        sources, path = self._sources, self._sources.paths[index]
        try:
            status = os.stat(self._path(index))
        except OSError as error:
            return Failure(path, "read", error.strerror or str(error))
        if (status.st_size, modified_at(status)) != (sources.sizes[index], sources.modified[index]):
            return Failure(path, "read", CHANGED)
        try:
            with open_file(self._path(index)) as file:
                readable_kind(file.read(HEAD_BYTES))
        except OSError as error:
            return Failure(path, "read", error.strerror or str(error))
        except UnreadableImage as error:
            return Failure(path, "decode", error.reason)
        with _too_long(path) as failures:
            name, is_symbolic = self._division.name(index), self._link == "symbolic"
            self._files.publish_link(name, self._path(index), symbolic=is_symbolic)
        return next(iter(failures), None)

    def _copied(self, index: int) -> Failure | None:
        """Write the file of a source; return why it failed."""
        from augcli.work.reading import Reader, SourceFailed  # noqa: PLC0415 - decoders

        self._reader = self._reader or Reader(self._settings)
        source = self._sources.source(index)
        try:
            data = self._reader.read(source)
            if data.startswith(ARRAY):
                data = _as_png(self._reader.decoded(data, source.path).image)
            readable_kind(data[:HEAD_BYTES])
        except SourceFailed as error:
            return error.failure
        except UnreadableImage as error:
            return Failure(source.path, "decode", error.reason)
        with _too_long(source.path) as failures:
            self._files.publish(self._division.name(index), data, self._sources.modified[index])
        return next(iter(failures), None)

    def _path(self, index: int) -> str:
        """Return the file of a source, absolute and without links."""
        return os.path.realpath(f"{self._sources.root}/{self._sources.paths[index]}")


@contextlib.contextmanager
def _too_long(path: str) -> Iterator[list[Failure]]:
    """Yield a list that takes the failure of a source whose file can't have its name."""
    failures: list[Failure] = []
    try:
        yield failures
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        reason = "the path of its file is too long; give an OUT with a shorter path"
        failures.append(Failure(path, "encode", reason))


def _as_png(image: Any) -> bytes:
    from augcli.data.codecs.encoding import encode  # noqa: PLC0415 - decoders

    return encode(image, "png", quality=100)
