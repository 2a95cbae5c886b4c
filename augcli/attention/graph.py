"""One ONNX graph that scores: loaded, checked, and run on pictures of its size.

What it is to be like, and what its metadata says, is in :mod:`augcli.attention.scorer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.device import CPU, first_line, open_session
from augcli.attention.expected import Expected, ramp
from augcli.errors import ScorerError
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from augcli.pixels.frame import Image

TRIES = 4
"""Sizes that are tried to find the smallest input."""
BATCH = 64
"""Images of a full batch on a GPU."""


class Graph:
    """One ONNX graph, loaded and tried out.

    Args:
        path: The ONNX file.
        device: Where it runs; see :func:`augcli.attention.device.open_session`.
        batch: Images that are scored at once on a GPU, where the last batch is filled up.

    Attributes:
        path: The ONNX file.
        metadata: Texts by their keys, as the file has them.
        expected: What it expects of its input.
        flexible: Whether it takes images of any size.
        native: Rows and columns of its map for an input of the expected size.
        batch: Images that it scores at once on a GPU.

    Raises:
        ScorerError: The file is missing, is not ONNX, or does not give heat maps.
        ParameterError: The device can't be used.
    """

    def __init__(self, path: Path, device: str = CPU, batch: int = BATCH) -> None:
        self.path = path
        self._device = device
        self._session = open_session(path, device)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise self.refused(f"has {len(inputs)} inputs and {len(outputs)} outputs, not 1 and 1")
        try:
            shape, self._input = inputs[0].shape, inputs[0].name
        except UnicodeDecodeError:
            raise self.refused("names its input in bytes that are not UTF-8") from None
        pixels = inputs[0].type == "tensor(uint8)"
        channels = shape[-1 if pixels else 1] if len(shape) == 4 else 0
        # Dimensions that are not fixed have a name instead of a number.
        fits = channels == 3 or isinstance(channels, str | None)
        if not (pixels or inputs[0].type == "tensor(float)") or not fits:
            raise self.refused(f"takes {inputs[0].type} {shape}")
        self.batch = shape[0] if isinstance(shape[0], int) else batch
        sides = shape[1:3] if pixels else shape[2:]
        self.flexible = not any(isinstance(side, int) for side in sides)
        try:
            self.metadata = self._session.get_modelmeta().custom_metadata_map
            self.expected = Expected.read(self.metadata, sides, pixels=pixels)
        except ValueError as error:
            raise self.refused(f"has unusable metadata: {error}") from None
        self.native = self._try_out()

    def scores(self, fitted: list[Image]) -> NDArray[np.float32]:
        """Return the maps of pictures of one size.

        Args:
            fitted: uint8 (h, w, 3), RGB; of the expected size, or of any for a flexible graph.

        Returns:
            float32 (N, rows, columns); not checked to be finite.
        """
        tensors = [self.expected.tensor(image) for image in fitted]
        inputs = np.stack(tensors) if len(tensors) > 1 else tensors[0][None]
        if self._device == CPU:
            return self._run(inputs)
        # Full batches only: a GPU may sum in another order for another size.
        lacking = np.zeros((-len(inputs) % self.batch, *inputs.shape[1:]), inputs.dtype)
        filled = np.concatenate([inputs, lacking])
        batches = np.split(filled, len(filled) // self.batch)
        return np.concatenate([self._run(one) for one in batches])[: len(inputs)]

    def smallest(self, grid: int) -> Frame | None:
        """Return the smallest input for a map of ``grid`` rows and columns; None for the usual.

        Only a flexible graph has one.
        """
        frame = self.expected.frame
        # Pixels of the input for each row and column of the map.
        strides = [-(-side // cells) for side, cells in zip(frame, self.native, strict=True)]
        for more in range(TRIES if self.flexible else 0):
            found = Frame(*((grid + more) * stride for stride in strides))
            if found.height >= frame.height or found.width >= frame.width:
                return None
            try:
                scores = self._run(self.expected.tensor(ramp(found))[None])
            except Exception:  # the graph can't be run on an input that small
                continue
            if min(scores.shape[-2:]) >= grid:
                return found
        return None

    def refused(self, found: str) -> ScorerError:
        """Return the error for a graph in which something else was found than there should be."""
        return ScorerError(
            f"--model {self.path}: {found.rstrip()}; a scorer is an ONNX file with one input, "
            "float32 (N, 3, H, W) or uint8 (N, H, W, 3), and one heat map (N, h, w) as output"
        )

    def _run(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        scores = np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)
        return scores.reshape(len(inputs), *scores.shape[-2:])

    def _try_out(self) -> Frame:
        """Run the graph once, so that a wrong one is refused before a run and not in it."""
        height, width = self.expected.frame
        inputs = self.expected.tensor(ramp(self.expected.frame))[None]
        try:
            scores = np.asarray(self._session.run(None, {self._input: inputs})[0])
        except Exception as error:
            reason = first_line(error)
            raise self.refused(f"can't be run on {height} x {width}: {reason}") from None
        shape = scores.shape
        rank_fits = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if not rank_fits or shape[0] != 1:
            classes = " (a classifier? augcli scorer prepare makes a scorer of one)"
            hint = classes if len(shape) == 2 else ""
            raise self.refused(f"gives {shape}, not (1, h, w) or (1, 1, h, w){hint}")
        if not np.isfinite(scores).all():
            raise self.refused("gives heat maps with NaN or infinity")
        return Frame(*shape[-2:])
