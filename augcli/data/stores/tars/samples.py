"""Samples of WebDataset: adjacent entries of a tar archive that share a key.

The key is the path of an entry up to the first dot of its base name; the rest is its field.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.labels import Label
from augcli.data.stores.tars.members import LONGEST_NAME, TarDamaged
from augcli.data.stores.tars.sample_labels import LABEL_FIELDS, LARGEST_LABEL

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from augcli.data.stores.tars.members import Member, TarHeaders
    from augcli.data.stores.tars.sample_labels import SampleLabels

_PREFERRED = ("jpg", "jpeg", "png", "webp")
"""The image of a sample with several: the first of these, else the first in the archive."""
IS_UNLABELLED = ("sample", "without an image that augcli reads")


class Sample(NamedTuple):
    """An image of an archive with its label.

    Attributes:
        name: Of the image's entry.
        start: Position of the image in the archive.
        size: Its bytes.
        label: What it shows.
    """

    name: str
    start: int
    size: int
    label: Label


class _Group:
    """Entries that share a key, as they come."""

    __slots__ = ("fields", "images", "key", "problem", "texts")

    def __init__(self, key: str) -> None:
        self.key = key
        self.fields: set[str] = set()
        self.images: list[tuple[str, Member]] = []
        self.texts: dict[str, bytes] = {}
        self.problem = ""


class TarSamples:
    """Takes the samples of one archive.

    Args:
        headers: Of the archive.
        labels: Reads labels; None where something else gives them.
        refuse: Called with the name of an entry that can't be used, and why.
        skipped: Counts what was not considered.

    Attributes:
        several: How many samples have more than one image.
    """

    def __init__(
        self,
        headers: TarHeaders,
        labels: SampleLabels | None,
        refuse: Callable[[str, str], None],
        skipped: Counter[tuple[str, str]],
    ) -> None:
        self._headers = headers
        self._labels = labels
        self._refuse = refuse
        self._skipped = skipped
        self._seen: set[str] = set()
        self.several = 0

    def samples(self) -> Iterator[Sample]:
        """Yield the samples that can be used.

        Raises:
            TarDamaged: The archive is damaged. The sample before the damage is not used, because
                its label may be missing.
            OSError: It can't be read.
        """
        group = None
        try:
            for member in self._headers.members():
                name = member.name[2:] if member.name.startswith("./") else member.name
                above, slash, base = name.rpartition("/")
                before, dot, field = base.partition(".")
                if not dot or not before or member.kind or not is_sound(name):
                    self._pass_over(name, base, member)
                    continue
                key = f"{above}{slash}{before}"
                if group is None or key != group.key:
                    if group is not None:
                        yield from self._closed(group)
                    group = _Group(key)
                named = member if name is member.name else member._replace(name=name)
                self._add(group, field.lower(), named)
        except TarDamaged:
            if group is not None and self._headers.has_end:
                yield from self._closed(group)
            raise
        if group is not None:
            yield from self._closed(group)

    def _pass_over(self, name: str, base: str, member: Member) -> None:
        """Note an entry that is no field of a sample."""
        if base.startswith(".") or member.kind == "a folder":
            return
        if os.path.splitext(base)[1].lower() not in EXTENSIONS:
            self._skipped["entry of an archive", "no field of a sample"] += 1
        elif member.kind:
            self._refuse(name, f"is {member.kind} in the archive, not a file")
        else:
            self._refuse(name, _unsound(name))

    def _add(self, group: _Group, field: str, member: Member) -> None:
        if field in group.fields:
            group.problem = f"its sample has two entries called {field!r}; give each a key"
        group.fields.add(field)
        if f".{field.rpartition('.')[2]}" in EXTENSIONS:
            group.images.append((field, member))
        elif self._labels and field in LABEL_FIELDS:
            if member.size > LARGEST_LABEL:
                group.problem = f"its {field} has {member.size:,} bytes, too many for a label"
            else:
                group.texts[field] = self._headers.content(member)

    def _closed(self, group: _Group) -> Iterator[Sample]:
        """Yield the sample of a group, if it can be used."""
        if not group.images:
            if group.texts and group.key in self._seen:
                self._refuse(
                    group.key, "its entries do not lie side by side, so its image has no label"
                )
            else:
                self._skipped[IS_UNLABELLED] += 1
            return
        image = None if group.problem else _chosen(group.images)
        name = (image or group.images[0][1]).name
        self.several += len(group.images) > 1
        if image is None:
            fields = ", ".join(field for field, _ in group.images[:3])
            group.problem = group.problem or (
                f"its sample has several images ({fields}), because a field begins at the first "
                "dot of a name; rename them without dots"
            )
        if group.key in self._seen:
            group.problem = "the key of its sample appears twice in the archive"
        self._seen.add(group.key)
        if not group.problem and image is not None:
            try:
                label = self._labels.of(group.texts) if self._labels else Label()
            except ValueError as error:
                group.problem = str(error)
            else:
                yield Sample(name, image.start, image.size, label)
                return
        self._refuse(name, group.problem)


def is_sound(name: str) -> bool:
    """Return whether the name of an entry can be the name of a source.

    Example:
        >>> is_sound("cat/1.jpg"), is_sound("../1.jpg"), is_sound("/etc/1.jpg")
        (True, False, False)
    """
    if len(name) > LONGEST_NAME or "\0" in name or name.startswith("/"):
        return False
    # Two searches for what nearly no name has are quicker than to split each.
    if (".." in name or "//" in name or "./" in name) and not {"", ".", ".."}.isdisjoint(
        name.split("/")
    ):
        return False
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unsound(name: str) -> str:
    """Return why a name can't be the name of a source."""
    if len(name) > LONGEST_NAME:
        return f"its name has {len(name):,} characters; at most {LONGEST_NAME:,} are read"
    if name.startswith("/") or ".." in name.split("/"):
        return "its name leads out of the archive"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "the file name is not UTF-8, so no manifest can hold it; rename it"
    return "its name is no path of a file"


def _chosen(images: list[tuple[str, Member]]) -> Member | None:
    """Return the image of a sample: a field without dots before all others."""
    if len(images) == 1:
        return images[0][1]
    plain = {field: member for field, member in images if "." not in field}
    best = next((field for field in (*_PREFERRED, *plain) if field in plain), None)
    return plain[best] if best else None
