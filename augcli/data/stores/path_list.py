"""The store of a list of paths on standard input, as ``find`` and ``git ls-files`` print them."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from dataclasses import dataclass, field

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.splits import split_kind
from augcli.data.stores.folder import read_image
from augcli.data.stores.sources import MOST_BYTES, Source, Sources
from augcli.data.stores.walk import NOT_UTF8
from augcli.data.tables.choice import TableChoice
from augcli.data.tables.labelling import Labelling, read_labels
from augcli.errors import InputError
from augcli.files import TABLE_LIMIT, modified_at, read_standard_input

STANDARD_INPUT = "-"
"""INPUT, in the place of a path."""


@dataclass(frozen=True, slots=True)
class PathList:
    """The files whose paths come on standard input, one in each line or with NUL between them.

    The class of an image is the name of the folder that it lies in. Its name is its path relative
    to the current folder, or its whole path where it lies elsewhere.

    Attributes:
        folder: The current folder, absolute.
        choice: The table that gives the labels in the place of folders, and how it is read.
    """

    folder: str
    choice: TableChoice = field(default_factory=TableChoice)

    def list(self) -> Sources:
        """Return the files of the list, sorted by path.

        Raises:
            InputError: There is no list, a file of it is missing, or none is an image.
        """
        try:
            data = read_standard_input(TABLE_LIMIT)
        except OSError as error:
            raise InputError(
                f"INPUT - reads paths from standard input, which {error.strerror}; write such as: "
                "find images -name '*.jpg' | augcli cutout -"
            ) from None
        sources = Sources(self.folder, in_containers=True)
        for path, (size, modified) in sorted(self._files(data, sources).items()):
            sources.paths.append(path)
            sources.sizes.append(size)
            sources.modified.append(modified)
        if not sources.paths and not sources.refused:
            raise InputError("INPUT -: standard input names no image")
        parents = [self._whole(path).split("/")[-3:-1] for path in sources.paths]
        splits = [names[0] if len(names) > 1 else "" for names in parents]
        if len(set(splits)) > 1 and all(map(split_kind, set(splits))):
            sources.set_splits(splits, [])
        if self.choice.table:
            labelling = Labelling(sources, (self.folder,), self.choice)
            labelling.add(*read_labels(self.choice.table))
            return labelling.finish()
        sources.set_classes(
            unicodedata.normalize("NFC", names[-1]) if names else "" for names in parents
        )
        sources.are_many = self.choice.multi_label
        sources.labels_sha256 = hashlib.sha256(data).hexdigest()
        return sources

    def adopt(self, sources: Sources) -> None:
        """Do nothing: each source is a file."""

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        return read_image(os.path.join(self.folder, source.path), source, max_bytes)

    def _files(self, data: bytes, sources: Sources) -> dict[str, tuple[int, int]]:
        """Return size and time of change of each file that is listed, by its name.

        Raises:
            InputError: A file is missing.
        """
        files: dict[str, tuple[int, int]] = {}
        missing: list[str] = []
        lines = data.split(b"\0") if b"\0" in data else data.splitlines()
        for line in lines:
            given = os.fsdecode(line)
            if not given.strip():
                continue
            whole = os.path.normpath(os.path.join(self.folder, given))
            inside = whole.startswith(self.folder.rstrip(os.sep) + os.sep)
            path = (os.path.relpath(whole, self.folder) if inside else whole).replace(os.sep, "/")
            try:
                status = os.stat(whole)
            except (OSError, ValueError):
                missing.append(given)
                continue
            if os.path.isdir(whole):
                raise InputError(
                    f"INPUT -: {given!r} is a folder; list its files: find {given} -type f"
                )
            if os.path.splitext(whole)[1].lower() not in EXTENSIONS:
                sources.skipped["file", "it has no ending of an image"] += 1
                continue
            try:
                path.encode("utf-8")
            except UnicodeEncodeError:
                shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
                sources.refused.append((shown, NOT_UTF8))
                continue
            if path in files:
                sources.skipped["path", "it is listed twice"] += 1
            files[path] = (status.st_size, modified_at(status))
        if missing and self.choice.missing != "skip":
            raise InputError(
                f"INPUT -: {len(missing):,} of its files are not there, first {missing[0]!r}; "
                f"paths are relative to the current folder, {self.folder}; give `missing` "
                "skip to leave them out"
            )
        if missing:
            sources.skipped["path", "no file is there"] += len(missing)
        return files

    def _whole(self, path: str) -> str:
        return os.path.join(self.folder, path).replace(os.sep, "/")
