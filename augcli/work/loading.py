"""Loading: sources decoded, with the steps before the mixer done, each once for both roles."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.manifest import NO_MEMORY
from augcli.errors import UnreadableImage
from augcli.recipes.decisions import Subject
from augcli.work.reading import SourceFailed, stage_of

if TYPE_CHECKING:
    from augcli.data.codecs.formats import Subsampling
    from augcli.pixels.frame import HeatMap, Image
    from augcli.plan.jobs import Source
    from augcli.recipes.chain import Chain, Result
    from augcli.recipes.decisions import Score
    from augcli.work.reading import Reader

WINDOW = 3
"""Sources in memory where they are mixed: a base was the donor of the job before."""


@dataclass(slots=True)
class LoadedSource:
    """A source decoded, with the steps before the mixer done.

    Attributes:
        source: Which one.
        data: The bytes of its file, where the originals are copied.
        original: The decoded picture, resized where outputs are.
        result: After the steps before the mixer.
        notes: What decoding had to simplify.
        subsampling: Of the colours in JPEG, where outputs are to have that of the source.
        grey: Whether its file stores greys only.
        score: Returns the heat map of the original, and of what is made of it.
        heat_maps: By number of rows and columns, those that were needed.
    """

    source: Source
    data: bytes
    original: Image
    result: Result
    notes: tuple[str, ...]
    subsampling: Subsampling
    grey: bool
    score: Score
    heat_maps: dict[int, HeatMap] = field(default_factory=dict)

    def heat_map(self, grid: int) -> HeatMap:
        """Return the heat map float32 (grid, grid) of the result, computed once.

        Raises:
            SourceFailed: The scorer can't score it.
        """
        if grid not in self.heat_maps:
            try:
                self.heat_maps[grid] = self.score(self.result.image, grid)
            except UnreadableImage as error:
                raise SourceFailed(self.source.path, "score", error.reason) from None
            except MemoryError:
                raise SourceFailed(self.source.path, "memory", NO_MEMORY) from None
        return self.heat_maps[grid]


class Loader:
    """Loads sources, and keeps the last few in memory where they are mixed.

    Args:
        reader: Reads and scores them.
        chain: What is done to them.
        with_data: Whether the bytes of their files are wanted too.
    """

    def __init__(self, reader: Reader, chain: Chain, *, with_data: bool) -> None:
        self._reader = reader
        self._chain = chain
        self._with_data = with_data
        self._window: OrderedDict[tuple[str, int], LoadedSource | SourceFailed] = OrderedDict()

    def load(self, source: Source, copy: int) -> LoadedSource:
        """Return a source decoded and led up to the mixer, from memory if it is there.

        Raises:
            SourceFailed: It can't be used.
        """
        if self._chain.mixer_at is None:
            # It has one role only. The memory of its picture is at once that of the next.
            return self._load(source, copy)
        key = (source.path, copy)
        loaded = self._window.get(key)
        if loaded is None:
            try:
                loaded = self._load(source, copy)
            except SourceFailed as error:
                loaded = error
            self._window[key] = loaded
            if len(self._window) > WINDOW:
                self._window.popitem(last=False)
        if isinstance(loaded, SourceFailed):
            raise loaded
        return loaded

    def _load(self, source: Source, copy: int) -> LoadedSource:
        reader, path = self._reader, source.path
        data = reader.read(path, source.stamp)
        decoded = reader.decoded(data, path)
        image = reader.sized(decoded.image)
        score = reader.maps.score_of(path, reader.scored_bytes(data), image)
        try:
            result = self._chain.lead(image, self._chain.chance(Subject(path, copy), score))
        except UnreadableImage as error:
            raise SourceFailed(path, stage_of(error), error.reason) from None
        return LoadedSource(
            source,
            data if self._with_data else b"",
            image,
            result,
            decoded.notes,
            decoded.subsampling,
            decoded.grey,
            score,
        )
