"""The folder store: pictures of a folder, one folder for each class."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from augcli.data.codecs.formats import EXTENSIONS, readable_kind
from augcli.data.manifest import MANIFEST, read_rows
from augcli.data.run_record import RECORD, RunRecord
from augcli.data.splits import splits_of_folders
from augcli.data.stores.sources import MOST_BYTES, Source, SourceChanged, Sources, stamp
from augcli.data.stores.walk import Walk
from augcli.errors import InputError, UnreadableImage
from augcli.files import open_file, read_checked, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

Layout = Literal["auto", "classes", "splits", "flat"]


@dataclass(frozen=True, slots=True)
class FolderStore:
    """The images of a folder and of all folders in it.

    The class of an image is the first folder of its path, in Unicode's composed form (NFC); an
    image that lies directly in the folder has none. A folder that augcli made has the labels of
    its manifest. Hidden files and folders, outputs of augcli inside the folder, and pipes,
    sockets and devices are skipped.

    Attributes:
        folder: The folder, absolute.
        out: A folder that is never read, wherever it lies.
        follow_links: Whether symbolic links that lead out of the folder are followed.
        layout: What the folders are: ``classes``; ``splits``, which hold folders of classes;
            ``flat``, which say nothing; or ``auto``, the first or the second by their names.
        given: The folder as it was given, for messages.
    """

    folder: str
    out: str | None = None
    follow_links: bool = False
    layout: Layout = "auto"
    given: str = ""

    def list(self) -> Sources:
        """Return all images, sorted by path.

        Raises:
            InputError: The folder is missing, is not a folder, can't be read, holds no image,
                or holds splits.
        """
        folder, given = self.folder, self.given or self.folder
        if not os.path.lexists(folder):
            raise InputError(f"INPUT {given} does not exist; give a folder of images")
        if not os.path.isdir(folder):
            raise InputError(
                f"INPUT {given} is not a folder; give the folder that holds the images"
            )
        sources = Sources(os.path.realpath(folder))
        out = os.path.realpath(self.out) if self.out and os.path.isdir(self.out) else ""
        inode = os.stat(out).st_ino if out else 0
        walk = Walk(sources.root, out, inode, self.follow_links, sources)
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
        made_by_augcli = self._labels_of_output(sources)
        if not made_by_augcli:
            self._set_classes(sources, walk.tops)
        return sources

    def _set_classes(self, sources: Sources, tops: dict[str, int]) -> None:
        """Take splits and classes from the folders."""
        if self.layout == "flat":
            sources.set_classes([""] * len(sources.paths))
            return
        splits = []
        if self.layout == "auto":
            splits = splits_of_folders(sources.paths)
        elif self.layout == "splits":
            splits = sorted({path.partition("/")[0] for path in sources.paths if "/" in path})
        if not splits:
            sources.set_classes(map(class_of, sources.paths))
            sources.notices += _notices(sources, tops)
            return
        sources.set_splits([path.partition("/")[0] for path in sources.paths], splits)
        sources.set_classes(class_of(path.partition("/")[2]) for path in sources.paths)
        counts = Counter(sources.split(index) for index in range(len(sources)))
        words = ", ".join(f"{name} ({counts[name]:,})" for name in splits)
        sources.notices.append(f"splits: {words}; `layout` classes takes them for classes")

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        content = read_checked(f"{self.folder}/{source.path}", max_bytes, check_kind)
        # Windows rounds the times that it lists.
        is_changed = os.name != "nt" and source.stamp != stamp(content.size, content.modified)
        if is_changed or not content.is_steady:
            raise SourceChanged(0, "changed during the run; run again")
        return content.data

    def _labels_of_output(self, sources: Sources) -> bool:
        """Give the images of an output of augcli the labels of its manifest.

        Returns:
            Whether the folder is one.

        Raises:
            InputError: Its run is not complete, or its manifest can't be read or is of other
                images.
        """
        try:
            record = RunRecord.from_json(read_json(f"{sources.root}/{RECORD}"))
        except (OSError, ValueError):
            return False
        what = f"INPUT {self.given or self.folder} was made by augcli, but"
        if record.state != "complete":
            raise InputError(f"{what} its run is not complete; run that command again first")
        try:
            table = open_file(f"{sources.root}/{MANIFEST}")
            labels = {row.file_name: row.label for row in read_rows(table)}
        except (OSError, ValueError) as error:
            raise InputError(f"{what} its {MANIFEST} can't be read ({error})") from None
        wrong = next((name for name, label in labels.items() if not label.is_sound), None)
        if wrong is not None:
            raise InputError(
                f"{what} the weights of {wrong!r} in its {MANIFEST} are no shares that sum to 1; "
                "augcli verify lists such rows"
            )
        missing = [path for path in sources.paths if path not in labels]
        if missing:
            raise InputError(
                f"{what} its {MANIFEST} has no row for {len(missing)} images, first "
                f"{missing[0]!r}; remove them, or give `labels` table.csv"
            )
        sources.set_labels(labels[path] for path in sources.paths)
        return True


def check_kind(head: bytes, size: int, max_bytes: int) -> None:
    """Refuse a large file that is no picture, and any that is too large.

    Raises:
        UnreadableImage: It is one of these.
    """
    kind = readable_kind(head)
    if size > max_bytes:
        raise UnreadableImage(
            f"{kind.name} of {size:,} bytes; at most {max_bytes:,} are allowed (`max_bytes`)"
        )


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
