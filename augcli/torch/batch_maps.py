"""Heat maps of the pictures of a batch, and their best cells: by name, or as they came along."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.attention.heat_map_file import HeatMaps
from augcli.errors import ParameterError
from augcli.pixels.batches import best_cells
from augcli.pixels.heat_maps import pool_maps
from augcli.torch.libraries import Shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from augcli.attention.map_arrays import MapArrays

NAMES_KEPT = 100_000
"""Names whose place in the file is kept, about 10 MB; places of others are found by hashing."""
PIECE = 4096
"""Maps whose best cells are chosen at a time, so that what is in between stays small."""


class Cells(NamedTuple):
    """The best cells of all stored maps.

    Attributes:
        chosen: bool (n, grid, grid).
    """

    chosen: NDArray[np.bool_]


class NamedMaps:
    """Heat maps by the names of pictures.

    Args:
        heat_maps: A file of ``augcli heatmaps``, what was read of it, or a mapping of names to
            arrays float32 (h, w); None where batches bring their own.

    Raises:
        HeatMapsError: The file can't be used.
    """

    def __init__(
        self, heat_maps: HeatMaps | Mapping[str, Any] | str | os.PathLike[str] | None
    ) -> None:
        if isinstance(heat_maps, str | os.PathLike):
            heat_maps = HeatMaps.load(heat_maps)
        self._stored: Shared[MapArrays] | None = None
        self._mapping: Mapping[str, Any] | None = None
        self._best: dict[tuple[int, int], Shared[Cells]] = {}
        self._places: dict[str, int] = {}
        if isinstance(heat_maps, HeatMaps):
            self._stored = Shared(heat_maps.table())
        else:
            self._mapping = heat_maps

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the places that this process has found."""
        return {**self.__dict__, "_places": {}}

    def choose(self, grid: int, count: int) -> None:
        """Choose the best cells of all stored maps, which no batch then has to do.

        Raises:
            ParameterError: The maps are too small.
        """
        if self._stored:
            maps = self._stored.arrays.maps
            pieces = (
                best_cells(_pooled(maps[start : start + PIECE].astype(np.float32), grid), count)
                for start in range(0, len(maps), PIECE)
            )
            none = np.zeros((0, grid, grid), np.bool_)
            self._best[grid, count] = Shared(Cells(np.concatenate([none, *pieces])))

    def maps(self, names: Sequence[str], grid: int) -> NDArray[np.float32]:
        """Return heat maps float32 (len(names), grid, grid).

        Raises:
            ParameterError: A map is missing or too small.
        """
        if self._stored:
            places = self._found(names)
            return _pooled(self._stored.arrays.maps[places].astype(np.float32), grid)
        if self._mapping is None:
            raise ParameterError(
                "heat_maps",
                "is missing, but the method needs heat maps: give the file that augcli "
                "heatmaps makes, or samples with a heat map each",
            )
        try:
            found = [np.asarray(self._mapping[name], np.float32) for name in names]
        except KeyError as error:
            raise _missing(error) from None
        return _pooled(np.stack(found), grid)

    def best(self, names: Sequence[str], grid: int, count: int) -> NDArray[np.bool_]:
        """Return the best cells bool (len(names), grid, grid); see :meth:`maps`."""
        known = self._best.get((grid, count))
        if known is None:
            return best_cells(self.maps(names, grid), count)
        return known.arrays.chosen[self._found(names)]

    def _found(self, names: Sequence[str]) -> list[int]:
        """Return the places of stored maps; a name is hashed once, and not again in each epoch."""
        assert self._stored
        try:
            return [self._places[name] for name in names]
        except KeyError:
            pass
        try:
            places: list[int] = self._stored.arrays.places(names).tolist()
        except KeyError as error:
            raise _missing(error) from None
        if len(self._places) < NAMES_KEPT:
            self._places.update(zip(names, places, strict=True))
        return places


@dataclass(frozen=True)
class BatchMaps:
    """The heat maps of a batch.

    Attributes:
        names: Of its pictures.
        own: Those that came with it, (n, h, w); None where they are looked up by name.
        named: Where they are looked up.
    """

    names: Sequence[str]
    own: NDArray[Any] | None
    named: NamedMaps

    def maps(self, indices: NDArray[np.int64], grid: int) -> NDArray[np.float32]:
        """Return heat maps float32 (n, grid, grid) of some pictures.

        Raises:
            ParameterError: A heat map is missing or too small.
        """
        if self.own is not None:
            return _pooled(self.own[indices].astype(np.float32), grid)
        return self.named.maps(self._names(indices), grid)

    def one(self, index: int, grid: int) -> NDArray[np.float32]:
        """Return the heat map float32 (grid, grid) of one picture; see :meth:`maps`."""
        return np.asarray(self.maps(np.array([index]), grid)[0])

    def best(self, indices: NDArray[np.int64], grid: int, count: int) -> NDArray[np.bool_]:
        """Return the best cells bool (n, grid, grid) of some pictures; see :meth:`maps`."""
        if self.own is not None:
            return best_cells(self.maps(indices, grid), count)
        return self.named.best(self._names(indices), grid, count)

    def _names(self, indices: NDArray[np.int64]) -> list[str]:
        return [self.names[index] for index in indices.tolist()]


def _pooled(maps: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
    if min(maps.shape[1:]) < grid:
        raise ParameterError(
            "heat_maps",
            f"are {maps.shape[1]} x {maps.shape[2]}, but the method needs {grid} x {grid}",
        )
    return pool_maps(maps, grid)


def _missing(error: KeyError) -> ParameterError:
    return ParameterError(
        "heat_maps",
        f"has no heat map of {error.args[0]!r}; names are paths relative to the folder "
        "that augcli heatmaps was given",
    )
