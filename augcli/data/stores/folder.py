"""The folder store: pictures of a folder, one folder for each class."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from augcli.data.codecs.file_kinds import readable_kind
from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.splits import split_kind, splits_of_folders
from augcli.data.stores.object_walk import ObjectWalk
from augcli.data.stores.output_labels import take_labels_of_output
from augcli.data.stores.sources import (
    CHANGED,
    MOST_BYTES,
    Source,
    SourceChanged,
    Sources,
    stamp,
    too_large,
)
from augcli.data.stores.walk import Walk
from augcli.data.tables.choice import TableChoice
from augcli.data.tables.columns import NoColumn
from augcli.data.tables.labelling import Labelling, read_labels
from augcli.errors import InputError
from augcli.files import is_file, is_url, kind_of, read_checked, real_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.files import Kind

Layout = Literal["auto", "classes", "splits", "flat"]
METADATA_ENDINGS = ("csv", "jsonl", "parquet")
"""Of the tables that Hugging Face's image folders have, called ``metadata``."""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """The images of a folder and of all folders in it.

    The class of an image is the first folder of its path, in Unicode's composed form (NFC); an
    image that lies directly in the folder has none. A table that was given says it instead. A
    folder that augcli made has the labels of its manifest, and one with a metadata file of Hugging
    Face (``metadata.csv``, ``.jsonl``, ``.parquet``) has those of that. Hidden files and folders,
    outputs of augcli inside the folder, and pipes, sockets and devices are skipped.

    Attributes:
        folder: The folder, absolute.
        out: A folder that is never read, wherever it lies.
        follow_links: Whether symbolic links that lead out of the folder are followed.
        layout: What the folders are: ``classes``; ``splits``, which hold folders of classes;
            ``flat``, which say nothing; or ``auto``, the first or the second by their names.
        given: The folder as it was given, for messages.
        choice: The table that gives the labels in the place of folders, and how it is read.
    """

    folder: str
    out: str | None = None
    follow_links: bool = False
    layout: Layout = "auto"
    given: str = ""
    choice: TableChoice = field(default_factory=TableChoice)

    def list(self) -> Sources:
        """Return all images, sorted by path.

        Raises:
            InputError: The folder is missing, is not a folder, can't be read, holds no image,
                or holds splits.
        """
        folder, given = self.folder, self.given or self.folder
        kind = kind_of_input(folder, given)
        if not kind:
            raise InputError(f"INPUT {given} does not exist; give a folder of images")
        if kind == "file":
            raise InputError(
                f"INPUT {given} is not a folder; give the folder that holds the images"
            )
        sources = Sources(real_place(folder))
        walk = self._walk(sources)
        images = sorted(walk.files())
        for path, size, modified in images:
            sources.paths.append(path)
            sources.sizes.append(size)
            sources.modified.append(modified)
        if not images and not sources.refused:
            known = " ".join(sorted(EXTENSIONS))
            skipped = "".join(f"; {text}" for text in sources.skipped_in_words())
            raise InputError(
                f"INPUT {sources.root} holds no image{skipped}; augcli reads files named {known}"
            )
        if self.choice.table:
            return self._labelled(sources, [self.choice.table])
        if not take_labels_of_output(sources, given):
            tables = self._tables_inside(sources, walk.tops)
            if tables:
                try:
                    return self._labelled(sources, tables, inside=True)
                except NoColumn as error:
                    sources.found.append(f"{error}; the folders are the classes")
            self._set_classes(sources, walk.tops)
        sources.are_many = sources.are_many or self.choice.multi_label
        return sources

    def _walk(self, sources: Sources) -> Walk | ObjectWalk:
        """Return what finds the images."""
        if is_url(self.folder):
            return ObjectWalk(sources.root, self.out or "", sources)
        out = os.path.realpath(self.out) if self.out and os.path.isdir(self.out) else ""
        inode = os.stat(out).st_ino if out else 0
        return Walk(sources.root, out, inode, self.follow_links, sources)

    def _set_classes(self, sources: Sources, tops: dict[str, int]) -> None:
        """Take splits and classes from the folders."""
        if self.layout == "flat":
            sources.set_classes([""] * len(sources.paths))
            return
        self._set_splits(sources, splits_of_folders(sources.paths))
        if sources.splits:
            sources.set_classes(class_of(path.partition("/")[2]) for path in sources.paths)
            return
        sources.set_classes(map(class_of, sources.paths))
        sources.notices += _notices(sources, tops)

    def _set_splits(self, sources: Sources, named: Sequence[str]) -> None:
        """Take the splits from the top folders, where the layout has any.

        Args:
            sources: All of them.
            named: Folders that are splits by their names.
        """
        splits = named if self.layout == "auto" else []
        if self.layout == "splits":
            splits = sorted({path.partition("/")[0] for path in sources.paths if "/" in path})
        if not splits:
            return
        # A loose image beside the folders belongs to none of them.
        tops = [path.partition("/")[0] if "/" in path else "" for path in sources.paths]
        sources.set_splits(tops, splits)
        counts = Counter(sources.split(index) for index in range(len(sources)))
        words = ", ".join(f"{name} ({counts[name]:,})" for name in splits)
        sources.found.append(f"splits: {words}; `layout` classes takes them for classes")

    def _tables_inside(self, sources: Sources, tops: dict[str, int]) -> Sequence[str]:
        """Return the metadata of Hugging Face in the folder or in those of its splits, by path."""
        if self.layout in ("classes", "flat"):
            return []
        folders = ["", *(f"{name}/" for name in sorted(tops) if split_kind(name))]
        for ending in METADATA_ENDINGS:
            names = [f"{folder}metadata.{ending}" for folder in folders]
            found = [name for name in names if is_file(f"{sources.root}/{name}")]
            if found:
                return found
        return []

    def _labelled(
        self, sources: Sources, tables: Sequence[str], *, inside: bool = False
    ) -> Sources:
        """Return the sources with what tables say of them.

        Args:
            sources: All of them.
            tables: The files; the names in one that lies inside are relative to its folder.
            inside: Whether they were found in the folder.

        Raises:
            InputError: A table can't be read or does not fit.
            NoColumn: One that was found is no table of labels.
        """
        labelling = Labelling(sources, (sources.root, self.folder), self.choice)
        hashes = []
        try:
            for table in tables:
                given = f"{sources.root}/{table}" if inside else table
                subject, data = read_labels(given, is_input=inside or self.choice.is_input)
                labelling.add(subject, data, table.rpartition("/")[0] if inside else "")
                hashes.append(hashlib.sha256(data).hexdigest())
            labelled = labelling.finish()
        except InputError as error:
            if not inside or isinstance(error, NoColumn):
                raise
            raise InputError(f"{error}; or give `layout` classes to take the folders") from None
        labelled.labels_sha256 = "-".join(hashes)
        if not labelled.splits:
            # What the table says of classes, the folders need not say.
            self._set_splits(labelled, splits_of_folders(labelled.paths, of_classes=False))
        return labelled

    def adopt(self, sources: Sources) -> None:
        """Do nothing: each source is a file."""

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        return read_image(f"{self.folder}/{source.path}", source, max_bytes)


def kind_of_input(place: str, given: str) -> Kind:
    """Return what INPUT is.

    Raises:
        InputError: The service of a URL doesn't say.
    """
    try:
        return kind_of(place)
    except OSError as error:
        raise InputError(f"INPUT {given} can't be read: {error.strerror}") from None


def read_image(path: str, source: Source, max_bytes: int) -> bytes:
    """Return the bytes of an image file; see :meth:`augcli.data.stores.sources.Store.read`.

    Args:
        path: The file.
        source: As it was listed.
        max_bytes: Most bytes that it may have.
    """
    content = read_checked(path, max_bytes, check_kind)
    # Windows rounds the times that it lists.
    is_changed = os.name != "nt" and source.stamp != stamp(content.size, content.modified)
    if is_changed or not content.is_steady:
        raise SourceChanged(0, CHANGED)
    return content.data


def check_kind(head: bytes, size: int, max_bytes: int) -> None:
    """Refuse a large file that is no picture, and any that is too large.

    Raises:
        UnreadableImage: It is one of these.
    """
    kind = readable_kind(head)
    if size > max_bytes:
        raise too_large(kind.name, size, max_bytes)


def class_of(path: str) -> str:
    """Return the class of an image by the first folder of its path; empty without a folder.

    Example:
        >>> class_of("cat/deep/a.jpg"), class_of("a.jpg"), class_of("cafe\u0301/a.jpg")
        ('cat', '', 'café')
    """
    top, slash, _ = path.partition("/")
    return unicodedata.normalize("NFC", top) if slash else ""


def _notices(sources: Sources, tops: dict[str, int]) -> Iterator[str]:
    """Yield what a person should know of the classes."""
    for name in sorted(set(tops) - {path.partition("/")[0] for path in sources.paths}):
        why = (
            f"all its files ({tops[name]:,}) were skipped" if tops[name] else "its folder is empty"
        )
        yield f"class {name!r} has no image: {why}"
    loose = [path for path in sources.paths if "/" not in path]
    if loose and sources.classes:
        yield f"images beside the class folders have no label: {len(loose):,}, first {loose[0]!r}"
