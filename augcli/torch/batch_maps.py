"""Heat maps of the pictures of a batch: those that came with it, or by their names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.heat_map_file import HeatMaps
from augcli.errors import ParameterError
from augcli.pixels.heat_maps import pool_maps
from augcli.torch.libraries import Shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from augcli.attention.map_arrays import MapArrays

NAMES_KEPT = 100_000
"""Names whose place in the file is kept, about 10 MB; places of others are found by hashing."""


class BatchMaps:
    """Where the heat maps of batches come from.

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
        self._named: Mapping[str, Any] | None = None
        self._places: dict[str, int] = {}
        if isinstance(heat_maps, HeatMaps):
            self._stored = Shared(heat_maps.table())
        else:
            self._named = heat_maps

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the places that this process has found."""
        return {**self.__dict__, "_places": {}}

    def find(
        self, names: Sequence[str], grid: int, own: NDArray[Any] | None
    ) -> NDArray[np.float32]:
        """Return the heat maps float32 (n, grid, grid) of some pictures.

        Args:
            names: Of the pictures.
            grid: Rows and columns wanted.
            own: Those that came with the batch, (n, h, w), where any came.

        Raises:
            ParameterError: A heat map is missing or too small.
        """
        try:
            if own is not None:
                found = np.asarray(own, np.float32)
            elif self._stored:
                found = self._read(self._stored.arrays, names)
            elif self._named is not None:
                found = np.stack([np.asarray(self._named[name], np.float32) for name in names])
            else:
                raise ParameterError(
                    "heat_maps",
                    "is missing, but the method needs heat maps: give the file that augcli "
                    "heatmaps makes, or samples with a heat map each",
                )
        except KeyError as error:
            raise ParameterError(
                "heat_maps",
                f"has no heat map of {error.args[0]!r}; names are paths relative to the folder "
                "that augcli heatmaps was given",
            ) from None
        if min(found.shape[1:]) < grid:
            raise ParameterError(
                "heat_maps",
                f"are {found.shape[1]} x {found.shape[2]}, but the method needs {grid} x {grid}",
            )
        return pool_maps(found, grid)

    def _read(self, arrays: MapArrays, names: Sequence[str]) -> NDArray[np.float32]:
        """Return stored maps; a name is hashed once, and not again in each epoch."""
        known = self._places
        try:
            places = [known[name] for name in names]
        except KeyError:
            places = arrays.places(names).tolist()
            if len(known) < NAMES_KEPT:
                known.update(zip(names, places, strict=True))
        return arrays.maps[places].astype(np.float32)
