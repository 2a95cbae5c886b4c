"""The scorer: an ONNX network that gives the heat map of an image.

A scorer has one input and one output. The input is float32 (N, 3, height, width), or uint8
(N, height, width, 3): pixels as they are, which is quickest. The output is (N, h, w) or
(N, 1, h, w) and is area-averaged to the grid. What the input expects is read from the file's
metadata, JSON texts under these keys; the last three don't concern uint8:

===================== ========================= ==========================================
key                   default                   meaning
===================== ========================= ==========================================
augcli.input_size     the graph's, or [224,224] height and width to which images are squashed
augcli.channel_order  "RGB"                     or "BGR"
augcli.range          [0, 1]                    what pixel values 0 and 255 become
augcli.mean           [0, 0, 0]                 subtracted after that, per channel
augcli.std            [1, 1, 1]                 divided by after that, per channel
===================== ========================= ==========================================

A graph whose height and width are not fixed gets images of at most 64 pixels at the smallest
input that still gives a map of the grid's size, so that small images don't pay for large ones.
"""

from __future__ import annotations

import functools
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.device import AUTO, CPU, GPUS, first_line, open_session, providers
from augcli.attention.expected import KEPT_TYPE, Expected, Fit, Kept, ramp
from augcli.attention.model_file import file_sha256, shipped_model
from augcli.errors import ParameterError, ScorerError, UnreadableImage
from augcli.pixels.frame import Frame
from augcli.pixels.grid import pool_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.pixels.frame import HeatMap, Image

TRIES = 4
"""Sizes that are tried to find the smallest input."""
BATCH = 64
"""Images of a full batch on a GPU."""


class Scorer:
    """One ONNX network, loaded and checked, that gives heat maps.

    Args:
        path: The ONNX file; the shipped one when None.
        grid: Rows and columns of the largest heat map that will be asked for.
        device: Where it runs; see :func:`augcli.attention.device.open_session`.
        batch: Images that are scored at once on a GPU, where the last batch is filled up.

    Attributes:
        sha256: Of the file.
        flexible: Whether the graph takes images of any size.
        map_shape: Rows and columns of the maps that :meth:`kept_maps` gives.

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
        self._fits: dict[int, Fit] = {}
        self.sha256 = file_sha256(self.path)
        self._session = open_session(self.path, device)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise self._refused(f"has {len(inputs)} inputs and {len(outputs)} outputs, not 1 and 1")
        try:
            shape, self._input = inputs[0].shape, inputs[0].name
        except UnicodeDecodeError:
            raise self._refused("names its input in bytes that are not UTF-8") from None
        pixels = inputs[0].type == "tensor(uint8)"
        channels = shape[-1 if pixels else 1] if len(shape) == 4 else 0
        # Dimensions that are not fixed have a name instead of a number.
        fits = channels == 3 or isinstance(channels, str | None)
        if not (pixels or inputs[0].type == "tensor(float)") or not fits:
            raise self._refused(f"takes {inputs[0].type} {shape}")
        self.batch = shape[0] if isinstance(shape[0], int) else batch
        sides = shape[1:3] if pixels else shape[2:]
        self.flexible = not any(isinstance(side, int) for side in sides)
        try:
            metadata = self._session.get_modelmeta().custom_metadata_map
            self.expected = Expected.read(metadata, sides, pixels=pixels)
        except ValueError as error:
            raise self._refused(f"has unusable metadata: {error}") from None
        self._try_out()

    def heat_map(self, image: Image, grid: int | None = None) -> HeatMap:
        """Return the heat map of an image.

        Args:
            image: uint8 (H, W, 3), RGB.
            grid: Rows and columns wanted, at most those asked for when loading.

        Returns:
            float32 (grid, grid).

        Raises:
            UnreadableImage: The scorer gives numbers that are not finite.
        """
        return self.heat_maps([image], grid)[0]

    def heat_maps(self, images: list[Image], grid: int | None = None) -> list[HeatMap]:
        """Return the heat map of each image; see :meth:`heat_map`."""
        grid = grid or self.grid
        fit = self.fit(grid)
        maps: list[HeatMap] = []
        # Neighbours of one size go together: only a flexible graph has two sizes.
        for _, group in itertools.groupby(map(fit.fitted, images), key=np.shape):
            kept = self.kept_maps(list(group), grid)
            maps += [pool_map(self.checked(one), grid) for one in kept]
        return maps

    def kept_maps(self, fitted: list[Image], grid: int | None = None) -> NDArray[np.float32]:
        """Return maps that are worth keeping, of images that are fitted already.

        All maps of one scorer have one shape, :attr:`map_shape`: that of the graph's output,
        from which any grid that is not larger can be averaged; or the grid's for a flexible
        graph, whose output depends on the image and the grid.

        Args:
            fitted: uint8 (h, w, 3), RGB, all of one size, as ``fit().fitted`` gives them.
            grid: Rows and columns from a flexible graph, if not those of :attr:`map_shape`.

        Returns:
            float32 (N, h, w), rounded to the 16 bits of :data:`KEPT_TYPE`, so that a map is the
            same computed or kept; not checked to be finite.
        """
        maps = self._run(fitted)
        if self.flexible:
            maps = np.stack([pool_map(one, grid or self.grid) for one in maps])
        with np.errstate(over="ignore"):
            return maps.astype(KEPT_TYPE).astype(np.float32)

    @property
    def kept(self) -> Kept:
        """What must be known to keep maps, and to use kept ones without the scorer."""
        return Kept(self.sha256, self.grid, self.flexible, self.map_shape, self.fit())

    def fit(self, grid: int | None = None) -> Fit:
        """Return to which size images are squashed for a map of ``grid`` rows and columns."""
        grid = grid or self.grid
        if self.flexible and grid not in self._fits:
            self._fits[grid] = Fit(self.expected.frame, self._smallest(grid))
        return self._fits.get(grid) or Fit(self.expected.frame)

    def checked(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores.

        Raises:
            UnreadableImage: They are not finite.
        """
        if not np.isfinite(scores).all():
            raise UnreadableImage(f"the scorer {self.path.name} gives NaN or infinity for it")
        return scores

    def _run(self, fitted: list[Image]) -> NDArray[np.float32]:
        """Return scores float32 (N, h, w) for images of one size."""
        tensors = [self.expected.tensor(image) for image in fitted]
        inputs = np.stack(tensors) if len(tensors) > 1 else tensors[0][None]
        if self.device == CPU:
            return self._scores(inputs)
        # Full batches only: a GPU may sum in another order for another size.
        lacking = np.zeros((-len(inputs) % self.batch, *inputs.shape[1:]), inputs.dtype)
        filled = np.concatenate([inputs, lacking])
        batches = np.split(filled, len(filled) // self.batch)
        return np.concatenate([self._scores(one) for one in batches])[: len(inputs)]

    def _scores(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        scores = np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)
        return scores.reshape(len(inputs), *scores.shape[-2:])

    def _try_out(self) -> None:
        """Run the network once, so that a wrong one is refused before a run and not in it."""
        height, width = self.expected.frame
        inputs = self.expected.tensor(ramp(self.expected.frame))[None]
        try:
            scores = np.asarray(self._session.run(None, {self._input: inputs})[0])
        except Exception as error:
            reason = first_line(error)
            raise self._refused(f"can't be run on {height} x {width}: {reason}") from None
        shape = scores.shape
        rank_fits = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if not rank_fits or shape[0] != 1:
            raise self._refused(f"gives {shape}, not (1, h, w) or (1, 1, h, w)")
        if min(shape[-2:]) < self.grid:
            raise self._refused(
                f"gives {shape[-2]} x {shape[-1]} scores, too few for a grid of {self.grid}"
            )
        if not np.isfinite(scores).all():
            raise self._refused("gives heat maps with NaN or infinity")
        self._native = Frame(*shape[-2:])
        self.map_shape = Frame(self.grid, self.grid) if self.flexible else self._native

    def _smallest(self, grid: int) -> Frame | None:
        """Return the smallest input for a map of ``grid`` rows and columns; None for the usual."""
        frame = self.expected.frame
        # Pixels of the input for each row and column of the map.
        strides = [-(-side // cells) for side, cells in zip(frame, self._native, strict=True)]
        for more in range(TRIES):
            found = Frame(*((grid + more) * stride for stride in strides))
            if found.height >= frame.height or found.width >= frame.width:
                return None
            try:
                scores = self._scores(self.expected.tensor(ramp(found))[None])
            except Exception:  # the graph can't be run on an input that small
                continue
            if min(scores.shape[-2:]) >= grid:
                return found
        return None

    def _refused(self, found: str) -> ScorerError:
        return ScorerError(
            f"--model {self.path}: {found.rstrip()}; a scorer is an ONNX file with one input, "
            "float32 (N, 3, H, W) or uint8 (N, H, W, 3), and one heat map (N, h, w) as output"
        )


def on_device(device: str, path: Path | None, grid: int) -> Scorer | None:
    """Return a scorer on a GPU, or None where the processor is to score.

    Args:
        device: ``auto`` takes a GPU where one really works; an explicit device must work.
        path: The ONNX file; the shipped one when None.
        grid: Rows and columns of the largest heat map that will be asked for.

    Raises:
        ScorerError: The scorer can't be used.
        ParameterError: An explicit device can't be used.
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
def _loaded(path: Path, _modified: int, grid: int) -> Scorer:
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

    Example:
        >>> heat_map(np.zeros((30, 40, 3), np.uint8)).dtype
        dtype('float32')
    """
    path = shipped_model() if model is None else Path(model)
    modified = path.stat().st_mtime_ns if path.exists() else 0
    return _loaded(path, modified, grid).heat_map(image)
