"""Heat maps in a worker: stored ones where a source is scored as it is, else computed.

A map is stored by the content of the source's file. So it serves only where the picture that is
scored is the source itself, at most resized to the size of the outputs; what earlier steps of a
chain made of it is another picture for each copy and each seed.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

from augcli.attention.heat_map_file import HeatMaps
from augcli.attention.map_table import MapTable
from augcli.attention.scorer import Scorer
from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import pool_map
from augcli.work.events import Scored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from augcli.attention.map_spec import MapSpec
    from augcli.pixels.frame import HeatMap, Image
    from augcli.recipes.decisions import Score
    from augcli.work.settings import MapStorage


FINER = 4
"""Times more rows and columns than the scorer looks at, below which no picture is reduced."""


class SourceMaps:
    """Gives the heat maps of a worker.

    Args:
        model: The scorer; None for the shipped one.
        grid: Rows and columns of the largest heat map; 0 where nothing is scored.
        frame: Height and width of the outputs, or None for the source's own.
        storage: Where maps are stored.

    Raises:
        ScorerError: The scorer can't be used.
        HeatMapsError: The file of heat maps can't be used.
    """

    def __init__(
        self, model: Path | None, grid: int, frame: Frame | None, storage: MapStorage
    ) -> None:
        self._missing: list[str] = []
        self._model = model
        self._grid = grid
        self._frame = frame
        self._storage = storage
        self._file = HeatMaps.open(storage.file) if storage.file and grid else None
        self._table: MapTable | None = None
        self._loaded: Scorer | None = None
        if grid and not storage.elsewhere:
            # At once: a scorer that can't be used is refused before the run.
            self._loaded = Scorer(model, grid=grid)

    def score_of(self, path: str, data: bytes, image: Image) -> Score:
        """Return what gives the heat map of a source, and of what is made of it.

        Args:
            path: The source, relative to INPUT.
            data: The bytes of its file.
            image: uint8 (H, W, 3): the picture as it is before the first step.
        """
        if not self.are_stored:
            return self._score
        key = self.key(data)

        def score(picture: Image, grid: int) -> HeatMap:
            if picture is image and self._spec.serves(grid):
                return pool_map(self._map_of(path, key, image), grid)
            return self._score(picture, grid)

        return score

    @property
    def are_stored(self) -> bool:
        """Whether maps are looked for in a file or a table before they are computed."""
        return self._file is not None or bool(self._storage.table)

    def is_quicker_in_group(self, image: Image) -> bool:
        """Return whether :meth:`in_group` takes less time for a picture than its heat map alone."""
        return self._scorer.is_quicker_in_group(image)

    def in_group(self, pictures: list[Image], grid: int) -> list[HeatMap]:
        """Return the heat maps of pictures: the same as each would get alone.

        Args:
            pictures: uint8 (H, W, 3), each :meth:`is_quicker_in_group`.
            grid: Rows and columns of the maps.

        Raises:
            NotScored: The scorer fails for one of them.
            MemoryError: There is not enough memory.
        """
        return self._scorer.heat_maps(pictures, grid)

    def scored(self, data: bytes, decoded: Callable[[Frame], Image]) -> Scored:
        """Return the heat map of a source; it is decoded only if its map is not stored.

        Args:
            data: The bytes of its file.
            decoded: Gives the picture, at least as large as asked for if it is.

        Raises:
            UnreadableImage: The scorer gives numbers that are not finite.
        """
        key = self.key(data)
        stored = self._stored(key)
        if stored is not None:
            return Scored(key, stored, new=False)
        height, width = self._spec.fit.frame
        picture = decoded(Frame(FINER * height, FINER * width))
        fitted = self._spec.fit.fitted(picture)
        if self._storage.elsewhere:
            return Scored(key, None, new=True, picture=fitted)
        return Scored(key, self._computed(fitted), new=True)

    def take_missing(self) -> tuple[str, ...]:
        """Return the sources that were wanted since the last call and are not in the file."""
        missing = tuple(dict.fromkeys(self._missing))
        self._missing.clear()
        return missing

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

    @functools.cached_property
    def _spec(self) -> MapSpec:
        return self._storage.elsewhere or self._scorer.map_spec

    def _score(self, picture: Image, grid: int) -> HeatMap:
        return self._scorer.heat_map(picture, grid)

    def _map_of(self, path: str, key: bytes, image: Image) -> HeatMap:
        heat_map = self._stored(key, path)
        if heat_map is None:
            heat_map = self._computed(self._scorer.fit().fitted(image))
            if self._storage.table:
                self._opened().put(key, heat_map)
        return heat_map

    def _stored(self, key: bytes, path: str = "") -> HeatMap | None:
        """Return a stored map; note the path of a source whose map is not in the file."""
        if self._file is not None:
            heat_map = self._file.find(key)
            if heat_map is not None:
                return heat_map
            if path:
                self._missing.append(path)
        return self._opened().get(key) if self._storage.table else None

    def _computed(self, fitted: Image) -> HeatMap:
        # One by one: for some networks the last bits depend on the size of a batch.
        return self._scorer.checked(self._scorer.storable_maps([fitted])[0])

    def _opened(self) -> MapTable:
        if not self._table:
            spec = self._spec
            storage = self._storage
            self._table = MapTable(storage.table, spec.sha256, spec.map_shape, storage.images)
        return self._table
