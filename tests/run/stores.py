"""A store of pictures in memory, as a container gives them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from augcli.data.stores.sources import MOST_BYTES, Source, Sources


@dataclass(frozen=True)
class MemoryStore:
    """Pictures by name.

    Attributes:
        root: A file or folder that is there.
        files: The bytes of each.
        classes: The class of each; that of its first folder where it is not named.
        splits: The split of each; none where it is empty.
        groups: The group of each.
    """

    root: str
    files: dict[str, bytes]
    classes: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def list(self) -> Sources:
        sources = Sources(self.root, sorted(self.files), in_containers=True)
        paths = sources.paths
        sources.sizes = array("q", [len(self.files[path]) for path in paths])
        sources.modified = array("q", [1_600_000_000_000_000_000] * len(paths))
        sources.starts = array("q", range(len(paths)))
        sources.set_classes(self.classes.get(path, path.partition("/")[0]) for path in paths)
        if self.splits:
            sources.set_splits([self.splits[path] for path in paths], [])
        if self.groups:
            sources.set_groups(self.groups.get(path, "") for path in paths)
        return sources

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        assert len(self.files[source.path]) <= max_bytes
        return self.files[source.path]
