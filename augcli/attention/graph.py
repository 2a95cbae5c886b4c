"""One ONNX graph that computes heat maps: loaded, checked, and run on images of its size.

:mod:`augcli.attention.scorer` says what such a graph takes and gives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.device import CPU, first_line, open_session
from augcli.attention.input_spec import InputSpec, ramp
from augcli.attention.model_file import ModelFileError
from augcli.errors import AugcliError, NotScored
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
MOST_CELLS = 1 << 20
"""Cells of the largest map that is taken: 1024 x 1024."""
OUT_OF_MEMORY = re.compile(r"bad.?alloc|failed to allocate|out of memory", re.IGNORECASE)
"""What onnxruntime says where memory is short."""


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
        fixed = shape[0] if isinstance(shape[0], int) else 0
        self.batch = fixed if fixed > 0 else batch
        sides = shape[1:3] if pixels else shape[2:]
        self.flexible = not any(isinstance(side, int) for side in sides)
        try:
            self.metadata = self._session.get_modelmeta().custom_metadata_map
            self.input_spec = InputSpec.read(self.metadata, sides, pixels=pixels)
        except ValueError as error:
            raise self.refused(f"has unusable metadata: {error}") from None
        self.native = self._try_out()
        self._map_of = {self.input_spec.frame: self.native}

    def scores(self, fitted: list[Image]) -> NDArray[np.float32]:
        """Return the maps of images that all have one size.

        Args:
            fitted: uint8 (h, w, 3), RGB; of the size ``input_spec.frame``, or of any size for a
                flexible graph.

        Returns:
            float32 (N, rows, columns). They may hold NaN or infinity.

        Raises:
            NotScored: The graph fails for one of them, or gives a map of another size than usual.
            MemoryError: There is not enough memory.
        """
        tensors = [self.input_spec.tensor(image) for image in fitted]
        inputs = np.stack(tensors) if len(tensors) > 1 else tensors[0][None]
        if self._device == CPU:
            return self._run(inputs)
        # Full batches only: a GPU may sum in another order for another size.
        # The padding is a picture of the batch: the graph may fail for a black one.
        padding = np.repeat(inputs[-1:], -len(inputs) % self.batch, axis=0)
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
            except (NotScored, MemoryError):  # the graph can't be run on an input that small
                continue
            if min(scores.shape[1:]) >= grid:
                self._map_of[smaller] = Frame(*scores.shape[1:])
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
        """Return the maps (N, rows, columns) of a batch; errors are those of :meth:`scores`."""
        try:
            scores = np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)
        except (AugcliError, MemoryError):
            raise
        except Exception as error:  # onnxruntime has a class for each cause and no common base
            reason = first_line(error)
            if OUT_OF_MEMORY.search(reason):
                raise MemoryError from None
            raise self._not_scored(f"fails for it ({reason})") from None
        sides = inputs.shape[1:3] if self.input_spec.pixels else inputs.shape[2:]
        usual = self._map_of.get(Frame(*sides), scores.shape[-2:])
        count = len(inputs)
        if scores.shape not in ((count, *usual), (count, 1, *usual)):
            raise self._not_scored(f"gives {scores.shape} for it, not {(count, *usual)}")
        return scores.reshape(count, *usual)

    def _not_scored(self, problem: str) -> NotScored:
        return NotScored(f"the scorer {self.path.name} {problem}")

    def _try_out(self) -> Frame:
        """Run the graph once, so that a wrong one is refused at once; return its map's size."""
        height, width = self.input_spec.frame
        inputs = self.input_spec.tensor(ramp(self.input_spec.frame))[None]
        try:
            scores = np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)
        except AugcliError:
            raise
        except Exception as error:
            reason = first_line(error)
            raise self.refused(f"can't be run on {height} x {width}: {reason}") from None
        shape = scores.shape
        rank_fits = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if not rank_fits or shape[0] != 1:
            is_classifier = " (a classifier? augcli scorer prepare makes a scorer of one)"
            hint = is_classifier if len(shape) == 2 else ""
            raise self.refused(f"gives {shape}, not (1, h, w) or (1, 1, h, w){hint}")
        if not 0 < shape[-2] * shape[-1] <= MOST_CELLS:
            raise self.refused(f"gives maps of {shape[-2]} x {shape[-1]} cells")
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
