"""Heat maps in a worker: kept ones where a source is scored as it is, else computed.

A map is kept by the content of the source's file. So it serves only where the picture that is
scored is the source itself, at most resized to ``--size``; what earlier steps of a chain made of
it is another picture for each copy and each seed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from augcli.attention.maps import HeatMaps
from augcli.attention.scorer import Scorer
from augcli.attention.table import MapTable
from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import pool_map
from augcli.work.events import Scored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from augcli.attention.expected import MapSpec
    from augcli.pixels.frame import HeatMap, Image
    from augcli.plan.jobs import MapStorage
    from augcli.recipes.chain import Score


FINER = 4
"""Times more rows and columns than the scorer looks at, below which no picture is reduced."""


class SourceMaps:
    """Gives the heat maps of a worker.

    Args:
        model: The scorer; None for the shipped one.
        grid: Rows and columns of the largest heat map; 0 where nothing is scored.
        frame: Height and width of the outputs, or None for the source's own.
        keeping: Where maps are kept.

    Attributes:
        lacking: Sources that were wanted and are not in the file.

    Raises:
        ScorerError: The scorer can't be used.
        HeatMapsError: The file of heat maps can't be used.
    """

    def __init__(
        self, model: Path | None, grid: int, frame: Frame | None, keeping: MapStorage
    ) -> None:
        self.lacking: list[str] = []
        self._model = model
        self._grid = grid
        self._frame = frame
        self._keeping = keeping
        self._file = HeatMaps.open(keeping.file) if keeping.file and grid else None
        self._table: MapTable | None = None
        self._loaded: Scorer | None = None
        if grid and not keeping.elsewhere:
            # At once: a scorer that can't be used is told before the run.
            self._loaded = Scorer(model, grid=grid)

    def score_of(self, path: str, data: bytes, image: Image) -> Score:
        """Return what gives the heat map of a source, and of what is made of it.

        Args:
            path: The source, relative to INPUT.
            data: The bytes of its file.
            image: uint8 (H, W, 3): the picture as it is before the first step.
        """
        if not (self._file or self._keeping.table):
            return self._score
        key = self.key(data)

        def score(picture: Image, grid: int) -> HeatMap:
            if picture is image and self._kept.serves(grid):
                return pool_map(self._map_of(path, key, image), grid)
            return self._score(picture, grid)

        return score

    def scored(self, data: bytes, decoded: Callable[[Frame], Image]) -> Scored:
        """Return what can be found out about a source here; it is decoded only if need be.

        Args:
            data: The bytes of its file.
            decoded: Gives the picture, at least as large as asked for if it is.

        Raises:
            UnreadableImage: The scorer gives numbers that are not finite.
        """
        key = self.key(data)
        found = self._found(key)
        if found is not None:
            return Scored(key, found, new=False)
        height, width = self._kept.fit.frame
        picture = decoded(Frame(FINER * height, FINER * width))
        fitted = self._kept.fit.fitted(picture)
        if self._keeping.elsewhere:
            return Scored(key, None, new=True, picture=fitted)
        return Scored(key, self._computed(fitted), new=True)

    def close(self) -> None:
        """Close the table."""
        if self._table:
            self._table.close()

    def key(self, data: bytes) -> bytes:
        """Return the hash of what a map belongs to."""
        content = hashlib.sha256(data).digest()
        if self._frame is None:
            return content
        return hashlib.sha256(content + b"%dx%d" % self._frame).digest()

    @property
    def _scorer(self) -> Scorer:
        if not self._loaded:
            self._loaded = Scorer(self._model, grid=self._grid)
        return self._loaded

    @property
    def _kept(self) -> MapSpec:
        return self._keeping.elsewhere or self._scorer.map_spec

    def _score(self, picture: Image, grid: int) -> HeatMap:
        return self._scorer.heat_map(picture, grid)

    def _map_of(self, path: str, key: bytes, image: Image) -> HeatMap:
        found = self._found(key)
        if self._file and self._file.find(key) is None:
            self.lacking.append(path)
        if found is None:
            found = self._computed(self._scorer.fit().fitted(image))
            if self._keeping.table:
                self._opened().put(key, found)
        return found

    def _found(self, key: bytes) -> HeatMap | None:
        found = self._file.find(key) if self._file else None
        if found is None and self._keeping.table:
            found = self._opened().get(key)
        return found

    def _computed(self, fitted: Image) -> HeatMap:
        # One by one: for some networks the last bits depend on the size of a batch.
        return self._scorer.checked(self._scorer.storable_maps([fitted])[0])

    def _opened(self) -> MapTable:
        if not self._table:
            kept = self._kept
            keeping = self._keeping
            self._table = MapTable(keeping.table, kept.scorer, kept.shape, keeping.images)
        return self._table
