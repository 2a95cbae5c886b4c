"""What a worker needs to know: how sources are read and scored, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.sinks.opening import NOTHING_KNOWN

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.attention.map_spec import MapSpec
    from augcli.data.codecs.formats import OutputEncoding
    from augcli.data.sinks.sink import DataSet
    from augcli.data.stores.sources import Store
    from augcli.files import Fsync
    from augcli.pixels.frame import Colour, Frame
    from augcli.recipes.chain import Chain


LARGE_PIXELS = 25_000_000
"""Larger pictures have more time, in proportion."""


class MapStorage(NamedTuple):
    """Where heat maps of sources are stored.

    Attributes:
        file: A file of ``augcli heatmaps``, only read; None without.
        table: Beginning of the name of the table for this run; empty without.
        images: About how many images there are.
        elsewhere: Maps of the scorer in the parent process, where that one scores the sources;
            None where the workers do.
    """

    file: Path | None = None
    table: str = ""
    images: int = 0
    elsewhere: MapSpec | None = None


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """How sources are read and scored.

    Attributes:
        store: Where sources come from.
        max_pixels: Larger images are refused.
        max_bytes: Larger files are refused.
        white_level: Level of 16-bit images that becomes 255.
        background: Colour behind transparent pixels; None drops transparency.
        frame: Height and width of the outputs, or None for the source's own.
        model: The scorer; None for the shipped one.
        grid: Rows and columns of the largest heat map; 0 where nothing is scored.
        storage: Where heat maps are stored.
        timeout: Seconds that a worker may spend on a picture; 0 for any time.
        read_ahead: Threads that read sources before their turn; 0 for none.
    """

    store: Store
    max_pixels: int
    max_bytes: int
    frame: Frame | None
    white_level: int = FULL_WHITE
    background: Colour | None = None
    model: Path | None = None
    grid: int = 0
    storage: MapStorage = field(default_factory=MapStorage)
    timeout: float = 0
    read_ahead: int = 0

    def seconds_for(self, pixels: int) -> float:
        """Return how long a worker may be at a picture: longer if it is large.

        Example:
            >>> from augcli.data.stores.folder import FolderStore
            >>> store = FolderStore(".")
            >>> settings = ReadSettings(
            ...     store=store, max_pixels=1, max_bytes=1, frame=None, timeout=9
            ... )
            >>> settings.seconds_for(1_000_000), settings.seconds_for(50_000_000)
            (9.0, 18.0)
        """
        return self.timeout * max(1.0, pixels / LARGE_PIXELS)


@dataclass(frozen=True, kw_only=True)
class MakeSettings:
    """What is made of the sources, and where it goes.

    Attributes:
        out: OUT, absolute.
        out_identity: Device and inode of OUT.
        fsync: When outputs are forced to the disk.
        chain: What is done to each source.
        encoding: How outputs are encoded.
        copies_bytes: Whether originals are copied byte for byte.
        to: The kind of sink, see :func:`augcli.data.sinks.opening.open_sink`.
        data_set: What the sink must know of all outputs.
    """

    out: str
    out_identity: tuple[int, int]
    fsync: Fsync
    chain: Chain
    encoding: OutputEncoding
    copies_bytes: bool
    to: str = "folder"
    data_set: DataSet = NOTHING_KNOWN
