"""The folder store: pictures of a folder, one folder for each class."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from augcli.data.codecs.formats import EXTENSIONS, readable_kind
from augcli.data.manifest import MANIFEST, read_rows
from augcli.data.run_record import RECORD, RunRecord
from augcli.data.stores.sources import MOST_BYTES, SourceChanged, Sources, stamp
from augcli.data.stores.walk import Walk
from augcli.errors import InputError, UnreadableImage
from augcli.files import open_file, read_checked, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

Layout = Literal["auto", "classes"]

SPLIT = re.compile(
    r"train(ing)?|val(id(ation)?)?|test(ing)?|dev|eval(uation)?|fold[-_ ]?\d+", re.IGNORECASE
)
"""Names of folders that hold a part of a data set and not a class."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class FolderStore:
    """The images of a folder and of all folders in it.

    The class of an image is the first folder of its path, in Unicode's composed form (NFC); an
    image that lies directly in the folder has none. A folder that augcli made has the labels of
    its manifest. Hidden files and folders, outputs of augcli inside the folder, and pipes,
    sockets and devices are skipped.

    Attributes:
        folder: The folder.
        out: A folder that is never read, wherever it lies.
        follow_links: Whether symbolic links that lead out of the folder are followed.
        layout: ``auto`` refuses folders of splits (``train``, ``val``, …), ``classes`` takes
            them for classes.
    """

    folder: str
    out: str | None = None
    follow_links: bool = False
    layout: Layout = "auto"

    def list(self) -> Sources:
        """Return all images, sorted by path.

        Raises:
            InputError: The folder is missing, is not a folder, can't be read, holds no image,
                or holds splits.
        """
        folder = self.folder
        if not os.path.lexists(folder):
            raise InputError(f"INPUT {folder} does not exist; give a folder of images")
        if not os.path.isdir(folder):
            raise InputError(
                f"INPUT {folder} is not a folder; give the folder that holds the images"
            )
        sources = Sources(os.path.realpath(folder))
        out = os.path.realpath(self.out) if self.out and os.path.isdir(self.out) else ""
        inode = os.stat(out).st_ino if out else 0
        walk = Walk(sources.place, out, inode, self.follow_links, sources)
        images = sorted(walk.files())
        for path, size, modified in images:
            sources.paths.append(path)
            sources.sizes.append(size)
            sources.modified.append(modified)
        if not images and not sources.refused:
            known = " ".join(sorted(EXTENSIONS))
            skipped = "".join(f"; {text}" for text in sources.skipped_in_words())
            raise InputError(
                f"INPUT {sources.place} holds no image{skipped}; augcli reads files named {known}"
            )
        made_by_augcli = self._labels_of_output(sources)
        if not made_by_augcli:
            if self.layout == "auto":
                _check_splits(sources)
            sources.set_classes(map(_class_of, sources.paths))
            sources.notices += _notices(sources, walk.tops)
        return sources

    def read(self, path: str, stamp: str = "", *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        content = read_checked(f"{self.folder}/{path}", max_bytes, _check_kind)
        # Windows rounds the times that it lists.
        is_changed = stamp and os.name != "nt" and stamp != _stamp(content.size, content.modified)
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
            record = RunRecord.from_json(read_json(f"{sources.place}/{RECORD}"))
        except (OSError, ValueError):
            return False
        what = f"INPUT {self.folder} was made by augcli, but"
        if record.state != "complete":
            raise InputError(f"{what} its run is not complete; run that command again first")
        try:
            table = open_file(f"{sources.place}/{MANIFEST}")
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


_stamp = stamp


def _check_kind(head: bytes, size: int, max_bytes: int) -> None:
    """Refuse a large file that is no picture, and any that is too large.

    Raises:
        UnreadableImage: It is one of these.
    """
    kind = readable_kind(head)
    if size > max_bytes:
        raise UnreadableImage(
            f"{kind.name} of {size:,} bytes; at most {max_bytes:,} are allowed (`max_bytes`)"
        )


def _class_of(path: str) -> str:
    """Return the class of an image by the first folder of its path; empty without a folder.

    Example:
        >>> _class_of("cat/deep/a.jpg"), _class_of("a.jpg"), _class_of("cafe\u0301/a.jpg")
        ('cat', '', 'café')
    """
    top, slash, _ = path.partition("/")
    return unicodedata.normalize("NFC", top) if slash else ""


def _check_splits(sources: Sources) -> None:
    """Refuse folders of splits: pairs would cross them.

    Raises:
        InputError: Two or more folders are named like splits and hold folders.
    """
    splits = []
    previous = ""
    for path in sources.paths:
        top, _, rest = path.partition("/")
        if top != previous and "/" in rest and SPLIT.fullmatch(top):
            splits.append(top)
            previous = top
    if len(splits) > 1:
        names = ", ".join(splits[:SHOWN]) + (", …" if len(splits) > SHOWN else "")
        best = next((name for name in splits if name.lower().startswith("train")), splits[0])
        raise InputError(
            f"INPUT {sources.place} holds splits of a data set ({names}), which must not be mixed "
            f"with one another; give {os.path.join(sources.place, best)}, or `layout` classes if "
            "they are classes"
        )


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
