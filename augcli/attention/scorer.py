"""The scorer: an ONNX network that gives the heat map of an image.

A scorer has one input and one output. The input is float32 (N, 3, height, width), or uint8
(N, height, width, 3): unscaled pixels, which is fastest. The output is (N, h, w) or
(N, 1, h, w) and is area-averaged to the grid. The file's metadata says how an image becomes the
input: JSON texts under these keys, of which the last three are not used for uint8:

===================== ========================= ==========================================
key                   default                   meaning
===================== ========================= ==========================================
augcli.input_size     the graph's, or [224,224] height and width to which images are squashed
augcli.channel_order  "RGB"                     or "BGR"
augcli.range          [0, 1]                    what pixel values 0 and 255 become
augcli.mean           [0, 0, 0]                 subtracted after that, per channel
augcli.std            [1, 1, 1]                 divided by after that, per channel
===================== ========================= ==========================================

Where the graph's height and width are not fixed, images of at most 64 pixels are scored at the
smallest input that still gives a map of the grid's size, which takes less time. The shipped scorer
has a second, smaller graph for them.
"""

from __future__ import annotations

import functools
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from augcli.attention.device import AUTO, CPU, GPUS, providers
from augcli.attention.graph import BATCH, Graph
from augcli.attention.input_spec import SMALL, Fit
from augcli.attention.map_spec import MapSpec
from augcli.attention.map_table import STORED_TYPE
from augcli.attention.model_file import (
    changed_at,
    scorer_sha256,
    shipped_model,
    shipped_small_model,
)
from augcli.errors import NotScored, ParameterError, ScorerError
from augcli.pixels.array_checks import check_image
from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import pool_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.pixels.frame import HeatMap, Image


class Scorer:
    """Computes heat maps with one ONNX graph, or with the two that augcli ships.

    Args:
        path: The ONNX file; the shipped one when None.
        grid: Rows and columns of the largest heat map that will be asked for.
        device: Where it runs; see :func:`augcli.attention.device.open_session`.
        batch: Images that are scored at once on a GPU; the last batch is padded to this number.

    Attributes:
        path: The ONNX file.
        grid: Rows and columns of the largest heat map.
        device: Where it runs.
        sha256: Identifies the file or files; see :func:`augcli.attention.model_file.scorer_sha256`.
        batch: Images that are scored at once on a GPU.
        flexible: Whether the graph takes images of any size.
        map_shape: Rows and columns of the maps that :meth:`storable_maps` gives.

    Raises:
        ScorerError: The file is missing, is not ONNX, or does not give heat maps.
        ParameterError: The device can't be used.

    Example:
        >>> scorer = Scorer()
        >>> scorer.heat_map(np.zeros((30, 40, 3), np.uint8)).shape
        (7, 7)
    """

    def __init__(
        self, path: Path | None = None, *, grid: int = 7, device: str = CPU, batch: int = BATCH
    ) -> None:
        self.path = path or shipped_model()
        self.grid = grid
        self.device = device
        self.sha256 = scorer_sha256(path)
        self._fits: dict[int, Fit] = {}
        self._graph = Graph(self.path, device, batch)
        self._has_small = path is None
        self.batch = self._graph.batch
        self.flexible = self._graph.flexible
        native = self._graph.native
        if min(native) < grid:
            raise self._graph.refused(
                f"gives {native.height} x {native.width} scores, too few for a grid of {grid}"
            )
        self.map_shape = Frame(grid, grid) if self.flexible else native

    def heat_map(self, image: Image, grid: int | None = None) -> HeatMap:
        """Return the heat map of an image.

        Args:
            image: uint8 (H, W, 3), RGB.
            grid: Rows and columns of the map, at most :attr:`grid`; that many when None.

        Returns:
            float32 (grid, grid).

        Raises:
            NotScored: The scorer fails, or gives numbers that are not finite.
            MemoryError: There is not enough memory.
        """
        grid = grid or self.grid
        fitted = self.fit(grid).fitted(image)
        return pool_map(self.checked(self.storable_maps([fitted], grid)[0]), grid)

    def heat_maps(self, images: list[Image], grid: int | None = None) -> list[HeatMap]:
        """Return the heat map of each image; see :meth:`heat_map`."""
        grid = grid or self.grid
        fit = self.fit(grid)
        maps: list[HeatMap] = []
        # Only a flexible graph has two sizes; images of one size are scored together.
        for _, group in itertools.groupby(map(fit.fitted, images), key=np.shape):
            storable = self.checked(self.storable_maps(list(group), grid))
            maps += [pool_map(scores, grid) for scores in storable]
        return maps

    def is_quicker_in_group(self, image: Image) -> bool:
        """Return whether an image takes less time together with others, and gets the same map.

        That is known of the shipped graph for small images, which computes in whole numbers. For
        other graphs the last bits may depend on the size of a batch.
        """
        return self._has_small and max(image.shape[:2]) <= SMALL

    def storable_maps(self, fitted: list[Image], grid: int | None = None) -> NDArray[np.float32]:
        """Return maps as they are stored, of images that are resized already.

        All stored maps of one scorer have one shape, :attr:`map_shape`. It is that of the graph's
        output, from which any smaller grid can be averaged. The output of a flexible graph depends
        on the image and the grid: there it is the shape of the grid.

        Args:
            fitted: uint8 (h, w, 3), RGB, all of one size, as ``fit().fitted`` gives them.
            grid: Rows and columns from a flexible graph, if not those of :attr:`map_shape`.

        Returns:
            float32 (N, h, w), rounded to the 16 bits of :data:`STORED_TYPE`, so that a computed map
            and a stored one are equal. They may hold NaN or infinity.

        Raises:
            NotScored: The scorer fails for one of the images.
            MemoryError: There is not enough memory.
        """
        graph = self._graph
        if self._has_small and fitted[0].shape[:2] == self._small.input_spec.frame:
            graph = self._small
        maps = graph.scores(fitted)
        if self.flexible:
            maps = np.stack([pool_map(scores, grid or self.grid) for scores in maps])
        with np.errstate(over="ignore"):
            return maps.astype(STORED_TYPE).astype(np.float32)

    @property
    def map_spec(self) -> MapSpec:
        """What must be known to store maps, and to use stored ones without this scorer."""
        return MapSpec(self.sha256, self.grid, self.flexible, self.map_shape, self.fit())

    def fit(self, grid: int | None = None) -> Fit:
        """Return the size to which images are squashed for a map of ``grid`` rows and columns."""
        grid = grid or self.grid
        if grid not in self._fits:
            small = self._small.input_spec.frame if self._has_small else self._graph.smallest(grid)
            self._fits[grid] = Fit(self._graph.input_spec.frame, small)
        return self._fits[grid]

    def checked(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of one image, or of several, unchanged.

        Raises:
            NotScored: They hold NaN or infinity.
        """
        if not np.isfinite(scores).all():
            raise NotScored(f"the scorer {self.path.name} gives NaN or infinity for it")
        return scores

    @functools.cached_property
    def _small(self) -> Graph:
        return Graph(shipped_small_model(), self.device, self.batch)


def on_device(device: str, path: Path | None, grid: int) -> Scorer | None:
    """Return a scorer on a GPU, or None for the processor.

    Args:
        device: ``cpu`` for the processor, ``auto`` for a GPU if one works, or the name of a device,
            which then must work.
        path: The ONNX file; the shipped one when None.
        grid: Rows and columns of the largest heat map that will be asked for.

    Raises:
        ScorerError: The scorer can't be used.
        ParameterError: The device that was named can't be used.
    """
    if device == CPU:
        return None
    if device != AUTO:
        return Scorer(path, grid=grid, device=device)
    for name in GPUS:
        if name in providers():
            try:
                return Scorer(path, grid=grid, device=name)
            except (ParameterError, ScorerError):
                continue
    return None


@functools.lru_cache(maxsize=4)
def _loaded(path: Path, _changed: tuple[int, ...], grid: int) -> Scorer:
    return Scorer(path, grid=grid)


def heat_map(
    image: Image, *, model: str | os.PathLike[str] | None = None, grid: int = 7
) -> HeatMap:
    """Return the heat map of an image: higher means more of the object.

    Args:
        image: uint8 (H, W, 3), RGB.
        model: Path of an ONNX scorer; the shipped one when None.
        grid: Rows and columns of the heat map.

    Returns:
        float32 (grid, grid).

    Raises:
        ScorerError: The scorer is missing, is not ONNX, or does not give heat maps.
        TypeError: The image is no NumPy array.
        ValueError: It is an array of another shape or type.

    Example:
        >>> heat_map(np.zeros((30, 40, 3), np.uint8)).dtype
        dtype('float32')
    """
    check_image(image)
    path = shipped_model() if model is None else Path(model)
    return _loaded(path, changed_at(path), grid).heat_map(image)
