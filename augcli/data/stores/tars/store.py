"""The store of tar archives: shards of WebDataset, read in place."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from augcli.data.splits import split_kind, splits_of_folders
from augcli.data.stopping import FULL
from augcli.data.stores.folder import check_kind, class_of
from augcli.data.stores.output_labels import (
    output_record,
    take_labels_of_output,
)
from augcli.data.stores.sources import MOST_BYTES, Source, SourceChanged, Sources
from augcli.data.stores.tars.members import TarDamaged, TarHeaders
from augcli.data.stores.tars.sample_labels import (
    LONGEST_TEXT,
    SampleLabels,
    class_names,
    files_beside,
)
from augcli.data.stores.tars.samples import TarSamples
from augcli.data.stores.tars.shards import Shards, shard_of, stem_of
from augcli.errors import InputError, Stopped
from augcli.files import (
    HEAD_BYTES,
    JSON_LIMIT,
    NotUnpacked,
    Spool,
    SpoolFull,
    compression,
    open_pieces,
    read_json,
    shown,
    size_and_change,
    unpacked,
)
from augcli.rng import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from augcli.data.labels import Label
    from augcli.data.stores.folder import Layout
    from augcli.files import Pieces

MOST_OPEN = 64
"""Archives that each process has open."""
LARGE = 1 << 20
"""Bytes of an image that is read only if its beginning is that of a picture."""
MOST_TIMES = 20
"""How many times larger an archive may be when it is unpacked: pictures hardly shrink."""
MOST_MORE = 64 << 20
"""Bytes that it may have beyond that."""
INFOS = ("_info.json", "info.json")
"""Where timm describes the splits of shards."""


class TarStore:
    """The images of tar archives, by the rules of WebDataset.

    Plain archives are read where they are. Compressed ones are unpacked when they are listed, into
    a temporary folder that is removed with this store; workers read it by its path.

    Args:
        shards: The archives.
        given: INPUT as it was given, for messages.
        layout: ``flat`` and ``classes`` take no archive for a split, ``splits`` takes each for one.
        spooled: The temporary folder; empty where there is none.
    """

    def __init__(
        self, shards: Shards, given: str, layout: Layout = "auto", spooled: str = ""
    ) -> None:
        self._shards = shards
        self._given = given
        self._layout = layout
        self._spooled = spooled
        self._spool: Spool | None = None
        self._opened: OrderedDict[str, tuple[Pieces, str]] = OrderedDict()

    def __reduce__(self) -> tuple[type[TarStore], tuple[Any, ...]]:
        """Pickle what reading needs: a worker lists nothing."""
        return type(self), (
            self._shards._replace(names=()),
            self._given,
            self._layout,
            self._spooled,
        )

    def list(self) -> Sources:
        """Return all images, sorted by path: ``<archive>/<name in it>``.

        Raises:
            InputError: There are none, or files beside the archives can't be used.
            Stopped: There is no room to unpack a compressed archive.
        """
        root = shown(self._shards.root)
        # Those of an output are in its manifest.
        labels = None if output_record(root) else SampleLabels(class_names(root))
        listing = _Listing(Sources(root, in_containers=True), labels)
        for name in self._shards.names:
            self._list_shard(name, listing)
        sources = listing.sources
        if not sources.paths:
            refused = "; ".join(f"{path}: {reason}" for path, reason in sources.refused[:1])
            why = refused or "; ".join(sources.skipped_in_words()) or "its archives are empty"
            raise InputError(f"INPUT {self._given} holds no image that can be used: {why}")
        if not take_labels_of_output(sources, self._given):
            self._label(listing)
        sources.are_unpacked = self._spool is not None
        sources.notices += listing.notices()
        return sources

    def adopt(self, sources: Sources) -> None:
        """Unpack compressed archives; see :meth:`augcli.data.stores.sources.Store.adopt`."""
        for name in sources.containers:
            file = open_pieces(self._shards.path(name))
            size, _ = file.status()
            if kind := compression(file.read(0, min(6, size))):
                self._unpacked(name, file, size, kind)

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        name = shard_of(source.path)
        pieces, original = self._opened.get(name) or self._open(name)
        start = int(source.where)
        size = int(source.stamp.partition("-")[0])
        try:
            if size > LARGE or size > max_bytes:
                check_kind(pieces.read(start, min(size, HEAD_BYTES)), size, max_bytes)
            data = pieces.read(start, size)
        except EOFError:
            data = b""
        # After it was read, so that it was the same before as well.
        modified = size_and_change(original)[1] if original else pieces.status()[1]
        if source.stamp != f"{size}-{modified}-{start}" or len(data) != size:
            raise SourceChanged(0, "the archive changed during the run; run again")
        return data

    def _open(self, name: str) -> tuple[Pieces, str]:
        """Return an archive, and the compressed one that it was unpacked from, if it was."""
        path = self._shards.path(name)
        spooled = f"{self._spooled}/{_spooled_name(name)}"
        is_spooled = bool(self._spooled) and os.path.exists(spooled)
        found = (open_pieces(spooled), path) if is_spooled else (open_pieces(path), "")
        while len(self._opened) >= MOST_OPEN:
            self._opened.popitem(last=False)
        self._opened[name] = found
        return found

    def _list_shard(self, name: str, listing: _Listing) -> None:
        """Add the images of an archive; what is wrong with it is noted."""
        sources = listing.sources
        try:
            file = open_pieces(self._shards.path(name))
            size, modified = file.status()
            kind = compression(file.read(0, min(6, size)))
            if kind:
                file = self._unpacked(name, file, size, kind)
                size, _ = file.status()
        except (OSError, EOFError, NotUnpacked) as error:
            why = (error.strerror if isinstance(error, OSError) else "") or str(error)
            sources.refused.append((name, f"the archive can't be read: {why}"))
            return
        headers = TarHeaders(file.read, size)

        def refuse(path: str, reason: str) -> None:
            shown = f"{name}/{path}".encode("utf-8", "backslashreplace").decode("utf-8")
            sources.refused.append((shown, reason))

        samples = TarSamples(headers, listing.labels, refuse, sources.skipped)
        found = []
        try:
            for sample in samples.samples():
                number = listing.number(sample.label)
                found.append((f"{name}/{sample.name}", sample.start, sample.size, number))
            if not headers.has_end:
                listing.endless.append(name)
        except (TarDamaged, OSError, EOFError) as error:
            why = (error.strerror if isinstance(error, OSError) else "") or str(error)
            used = f"; samples used before that: {len(found):,}"
            sources.refused.append((name, f"{why}{used}"))
        found.sort()
        listing.several += samples.several
        listing.counts.append((name, len(found)))
        sources.paths.extend(path for path, _, _, _ in found)
        sources.starts.extend([start for _, start, _, _ in found])
        sources.sizes.extend([size for _, _, size, _ in found])
        sources.modified.extend([modified] * len(found))
        sources.label_of.extend([number for _, _, _, number in found])
        if found:
            sources.containers.append(name)

    def _unpacked(self, name: str, file: Pieces, size: int, kind: str) -> Pieces:
        """Unpack an archive into the temporary folder.

        Raises:
            NotUnpacked: It is damaged.
            OSError: It can't be read, or unpacks to too much.
            Stopped: There is no room for it.
        """
        try:
            if self._spool is None:
                self._spool = Spool()
                self._spooled = self._spool.path
            spooled = _spooled_name(name)
            most = MOST_TIMES * size + MOST_MORE
            self._spool.write(spooled, unpacked(file, size, kind), most)
        except (SpoolFull, OSError) as error:
            if isinstance(error, OSError) and error.errno not in FULL:
                raise
            place = os.path.dirname(self._spooled) or "the temporary folder"
            raise Stopped(
                f"{place} has no room to unpack {name} of INPUT; make room, let TMPDIR name "
                "another folder, or give archives that are not compressed"
            ) from None
        return open_pieces(f"{self._spooled}/{spooled}")

    def _label(self, listing: _Listing) -> None:
        """Give the images their splits and classes."""
        sources = listing.sources
        labels = list(listing.numbers)
        label_of = sources.label_of
        splits = self._splits_of_shards(listing)
        if any(label.weights for label in labels) or self._layout == "flat":
            sources.set_labels(labels[number] for number in label_of)
        else:
            inside = _inside(sources.paths)
            if not splits and self._layout != "classes" and splits_of_folders(inside):
                splits = [path.partition("/")[0] for path in inside]
                inside = [path.partition("/")[2] for path in inside]
            sources.set_classes([class_of(path) for path in inside])
            if sources.classes:
                sources.notices.append("no sample has a label: its folder in the archive is one")
        if splits:
            sources.set_splits(splits, [])
            counts = [0] * len(sources.splits)
            for number in sources.split_of:
                counts[number] += 1
            words = ", ".join(
                f"{name} ({count:,})" for name, count in zip(sources.splits, counts, strict=True)
            )
            sources.notices.append(f"splits: {words}; `layout` classes takes them for one set")

    def _splits_of_shards(self, listing: _Listing) -> Sequence[str]:
        """Return the split of each image by the name of its archive, none where there are none.

        Raises:
            InputError: All should have one, but an archive's name has none.
        """
        if self._layout in ("flat", "classes"):
            return []
        names = [name for name, _ in listing.counts]
        described = _described_splits(self._shards.root)
        found = [described.get(name) or _split_of(name) for name in names]
        different = set(found) - {""}
        if not all(found) and (self._layout == "splits" or len(different) > 1):
            odd = names[found.index("")]
            if self._layout == "splits":
                raise InputError(
                    f"`layout` splits: the name of {odd} has none such as train or val"
                )
            listing.sources_notices.append(
                f"some archives are named as splits ({', '.join(sorted(different))}), but {odd} is "
                "not: all are one set"
            )
            return []
        if len(different) < 2 and self._layout != "splits":
            return []
        return [
            split
            for split, (_, count) in zip(found, listing.counts, strict=True)
            for _ in range(count)
        ]


@dataclass(slots=True)
class _Listing:
    """What was found while archives are listed.

    Attributes:
        sources: Takes the images; ``label_of`` are places in ``numbers``.
        labels: Reads labels; None where a manifest gives them.
        numbers: The different labels, numbered.
        counts: Each archive with its number of images.
        several: How many samples have several images.
        endless: Archives without the mark of an end.
        sources_notices: What a person should know of splits.
    """

    sources: Sources
    labels: SampleLabels | None
    numbers: dict[Label, int] = field(default_factory=dict)
    counts: list[tuple[str, int]] = field(default_factory=list)
    several: int = 0
    endless: list[str] = field(default_factory=list)
    sources_notices: list[str] = field(default_factory=list)

    def number(self, label: Label) -> int:
        """Return the number of a label."""
        return self.numbers.setdefault(label, len(self.numbers))

    def notices(self) -> list[str]:
        """Return what a person should know."""
        found = [*self.sources_notices]
        if self.labels and self.labels.numbered:
            found.append(
                "classes are numbers; a classes.txt beside the archives, with a name on each line, "
                "names them"
            )
        if self.labels and self.labels.descriptions:
            found.append(
                f"{self.labels.descriptions:,} samples have a txt of several lines or more than "
                f"{LONGEST_TEXT} characters, which is taken for no label"
            )
        if self.several:
            found.append(
                f"{self.several:,} samples have several images: that called jpg is used, else "
                "jpeg, png, webp, or the first"
            )
        if self.endless:
            found.append(
                f"archives without the mark at the end of a tar: {len(self.endless):,}, first "
                f"{self.endless[0]}; they may be cut off"
            )
        return found


def _spooled_name(name: str) -> str:
    return f"{digest(name, size=16).hex()}.tar"


def _split_of(shard: str) -> str:
    """Return the split that the name of an archive, or a folder above it, has; empty without.

    Example:
        >>> _split_of("imagenet-train-0001.tar"), _split_of("val/0.tar"), _split_of("cats-0.tar")
        ('train', 'val', '')
    """
    *folders, name = shard.split("/")
    above = next((folder for folder in folders if split_kind(folder)), "")
    words = {word for word in re.split(r"[-_. ]+", stem_of(name)) if split_kind(word)}
    return above or (words.pop() if len(words) == 1 else "")


def _inside(paths: Iterable[str]) -> list[str]:
    """Return the paths of images in their archives, without a folder that holds all the others."""
    inside = [path[len(shard_of(path)) + 1 :] for path in paths]
    tops = {path.partition("/")[0] for path in inside}
    if len(tops) == 1 and all(path.count("/") > 1 for path in inside):
        return [path.partition("/")[2] for path in inside]
    return inside


def _described_splits(root: str) -> dict[str, str]:
    """Return the split of each archive that timm's ``_info.json`` names.

    Raises:
        InputError: There is one that can't be read.
    """
    for path in files_beside(root, INFOS):
        try:
            info = read_json(path, JSON_LIMIT)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} describes the archives, but can't be read ({error}); fix or remove it"
            ) from None
        splits = info.get("splits") if isinstance(info, dict) else None
        if isinstance(splits, dict):
            return {file: split for split, about in splits.items() for file in _file_names(about)}
    return {}


def _file_names(about: Any) -> list[str]:
    files = about.get("filenames") if isinstance(about, dict) else None
    return [file for file in files if isinstance(file, str)] if isinstance(files, list) else []
