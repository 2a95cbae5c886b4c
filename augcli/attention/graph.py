"""One ONNX graph that computes heat maps: loaded, checked, and run on images of its size.

:mod:`augcli.attention.scorer` says what such a graph takes and gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.device import CPU, first_line, open_session
from augcli.attention.input_spec import InputSpec, ramp
from augcli.attention.model_file import ModelFileError
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from augcli.pixels.frame import Image

TRIES = 4
"""Input sizes that are tried to find the smallest usable one."""
BATCH = 64
"""Images of a full batch on a GPU."""


class Graph:
    """One ONNX graph that computes heat maps, loaded and tried once.

    Args:
        path: The ONNX file.
        device: Where it runs; see :func:`augcli.attention.device.open_session`.
        batch: Images that are scored at once on a GPU; the last batch is padded to this number.

    Attributes:
        path: The ONNX file.
        metadata: Texts by key, as they are in the file.
        input_spec: What it takes as input.
        flexible: Whether it takes images of any size.
        native: Rows and columns of its map for an image of ``input_spec.frame``.
        batch: Images that it scores at once on a GPU.

    Raises:
        ModelFileError: The file is missing, is not ONNX, or does not give heat maps.
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
        # A dimension that is not fixed has a name instead of a number.
        is_colour = channels == 3 or isinstance(channels, str | None)
        if not (pixels or inputs[0].type == "tensor(float)") or not is_colour:
            raise self.refused(f"takes {inputs[0].type} {shape}", _other_images(shape))
        self.batch = shape[0] if isinstance(shape[0], int) else batch
        sides = shape[1:3] if pixels else shape[2:]
        self.flexible = not any(isinstance(side, int) for side in sides)
        try:
            self.metadata = self._session.get_modelmeta().custom_metadata_map
            self.input_spec = InputSpec.read(self.metadata, sides, pixels=pixels)
        except ValueError as error:
            raise self.refused(f"has unusable metadata: {error}") from None
        self.native = self._try_out()

    def scores(self, fitted: list[Image]) -> NDArray[np.float32]:
        """Return the maps of images that all have one size.

        Args:
            fitted: uint8 (h, w, 3), RGB; of the size ``input_spec.frame``, or of any size for a
                flexible graph.

        Returns:
            float32 (N, rows, columns). They may hold NaN or infinity.
        """
        tensors = [self.input_spec.tensor(image) for image in fitted]
        inputs = np.stack(tensors) if len(tensors) > 1 else tensors[0][None]
        if self._device == CPU:
            return self._run(inputs)
        # Full batches only: a GPU may sum in another order for another size.
        padding = np.zeros((-len(inputs) % self.batch, *inputs.shape[1:]), inputs.dtype)
        padded = np.concatenate([inputs, padding])
        batches = np.split(padded, len(padded) // self.batch)
        return np.concatenate([self._run(batch) for batch in batches])[: len(inputs)]

    def smallest(self, grid: int) -> Frame | None:
        """Return the smallest input that gives a map of at least ``grid`` rows and columns.

        None where the graph takes one size only, or no size below ``input_spec.frame`` works.
        """
        frame = self.input_spec.frame
        # Pixels of the input for each row and column of the map.
        strides = [-(-side // cells) for side, cells in zip(frame, self.native, strict=True)]
        for more in range(TRIES if self.flexible else 0):
            smaller = Frame(*((grid + more) * stride for stride in strides))
            if smaller.height >= frame.height or smaller.width >= frame.width:
                return None
            try:
                scores = self._run(self.input_spec.tensor(ramp(smaller))[None])
            except Exception:  # the graph can't be run on an input that small
                continue
            if min(scores.shape[-2:]) >= grid:
                return smaller
        return None

    def refused(self, problem: str, hint: str = "") -> ModelFileError:
        """Return the error that says what is wrong with this graph, and what a scorer is.

        Args:
            problem: A clause whose subject is the file.
            hint: What else the message says, at its end.
        """
        return ModelFileError(
            self.path,
            f"{problem.rstrip()}; a scorer is an ONNX file with one input, float32 (N, 3, H, W) "
            f"or uint8 (N, H, W, 3), and one heat map (N, h, w) as output{hint}",
        )

    def _run(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        scores = np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)
        return scores.reshape(len(inputs), *scores.shape[-2:])

    def _try_out(self) -> Frame:
        """Run the graph once, so that a wrong one is refused at once; return its map's size."""
        height, width = self.input_spec.frame
        inputs = self.input_spec.tensor(ramp(self.input_spec.frame))[None]
        try:
            scores = np.asarray(self._session.run(None, {self._input: inputs})[0])
        except Exception as error:
            reason = first_line(error)
            raise self.refused(f"can't be run on {height} x {width}: {reason}") from None
        shape = scores.shape
        rank_fits = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if not rank_fits or shape[0] != 1:
            is_classifier = " (a classifier? augcli scorer prepare makes a scorer of one)"
            hint = is_classifier if len(shape) == 2 else ""
            raise self.refused(f"gives {shape}, not (1, h, w) or (1, 1, h, w){hint}")
        if not np.isfinite(scores).all():
            raise self.refused("gives heat maps with NaN or infinity")
        return Frame(*shape[-2:])


def _other_images(shape: Sequence[Any]) -> str:
    """Return what an input takes that is that of a classifier but of no scorer, in words."""
    if len(shape) != 4:
        return ""
    channels = {shape[1], shape[3]} & {1, 3}
    if not channels:
        return ""
    words = "grey images" if 1 in channels else "images"
    words += " with their channels last" if shape[3] in channels else ""
    return (
        f"; this file takes {words}: if it is a classifier, augcli scorer prepare makes a scorer "
        "of it"
    )
