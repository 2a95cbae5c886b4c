"""Jobs: one source, its donor, one output; the shards they come in; what all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.attention.map_spec import MapSpec
    from augcli.data.codecs.formats import Wanted, WantedSubsampling
    from augcli.data.manifest import Failure
    from augcli.files import Fsync
    from augcli.pixels.frame import Frame
    from augcli.plan.parts import Made
    from augcli.recipes.chain import Chain


class Source(NamedTuple):
    """A source as a job needs it: path relative to INPUT, class, identity of its content."""

    path: str
    label: str
    identity: str


def source_identity(size: int, modified: int) -> str:
    """Return what tells a source from a changed one: bytes and time of the last change."""
    return f"{size}-{modified}"


class Job(NamedTuple):
    """One output to be made.

    Attributes:
        identity: Hash of all that the output depends on.
        base: The source that receives.
        donors: The source that gives, and those that step in for it, in order.
        more: Whether the ring has more donors than these.
    """

    identity: str
    base: Source
    donors: tuple[Source, ...]
    more: bool


@dataclass(slots=True)
class Task:
    """One shard, as it is handed to a worker.

    Attributes:
        shard: Its name.
        copy: Copy number.
        fingerprint: Hash of all its jobs.
        jobs: What is to be made.
        kept: What is there already and stays.
        failed: Failures that stay.
        obsolete: Outputs of an earlier run; those that are not made again are removed.
        sources: Path and identity of the bases, for copy 0.
        sources_before: The same, as the earlier part recorded them.
        avoid: Reason by path of sources that ended a worker.
        careful: Whether each source is announced before it is touched.
    """

    shard: str
    copy: int
    fingerprint: str
    jobs: list[Job]
    kept: list[Made] = field(default_factory=list)
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    stood_in: dict[str, str] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    sources_before: dict[str, str] = field(default_factory=dict)
    avoid: dict[str, str] = field(default_factory=dict)
    careful: bool = False


class MapStorage(NamedTuple):
    """Where heat maps of sources are kept.

    Attributes:
        file: A file of ``augcli heatmaps``, only read; None without.
        table: Beginning of the name of the table for this run; empty without.
        images: About how many images there are.
        elsewhere: What the parent's scorer keeps, where that one scores the sources; None where
            the workers do.
    """

    file: Path | None = None
    table: str = ""
    images: int = 0
    elsewhere: MapSpec | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a worker needs to know once.

    Attributes:
        folder: INPUT, absolute.
        out: OUT, absolute.
        chain: What is done to each source.
        frame: Height and width of the outputs, or None for the source's own.
        format: File format of the outputs.
        quality: JPEG and WebP quality, 1 to 100.
        subsampling: Of the colours in JPEG.
        png_level: Compression of PNG, 0 to 9.
        originals: Whether and how sources come along.
        max_pixels: Larger images are refused.
        model: The scorer; None for the shipped one.
        fsync: When outputs are forced to the disk.
        grid: Rows and columns of the largest heat map; 0 where nothing is scored.
        keeping: Where heat maps of sources are kept.
    """

    folder: str
    out: str
    chain: Chain
    frame: Frame | None
    format: Wanted
    quality: int
    subsampling: WantedSubsampling
    png_level: int
    originals: Literal["none", "encode", "copy"]
    max_pixels: int
    model: Path | None
    fsync: Fsync
    grid: int
    keeping: MapStorage = field(default_factory=MapStorage)
