"""The scorer: an ONNX network that gives the heat map of an image.

A scorer has one input, float32 (N, 3, height, width), and one output, (N, h, w) or
(N, 1, h, w), which is area-averaged to the grid. What it expects is read from its metadata,
JSON texts under these keys:

===================== ========================= ==========================================
key                   default                   meaning
===================== ========================= ==========================================
augcli.input_size     the graph's, or [224,224] height and width to which images are squashed
augcli.range          [0, 1]                    what pixel values 0 and 255 become
augcli.channel_order  "RGB"                     or "BGR"
augcli.mean           [0, 0, 0]                 subtracted after that, per channel
augcli.std            [1, 1, 1]                 divided by after that, per channel
===================== ========================= ==========================================
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.errors import ScorerError, UnreadableImage
from augcli.pixels.frame import Frame
from augcli.pixels.grid import pool_map
from augcli.pixels.resize import resize

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnxruntime as ort
    from numpy.typing import NDArray

    from augcli.pixels.frame import HeatMap, Image

DEFAULT_SIDE = 224


def shipped_model() -> Path:
    """Return the path of the scorer that augcli ships."""
    inside_the_wheel = Path(__file__).with_name("attention.onnx")
    if inside_the_wheel.is_file():
        return inside_the_wheel
    return Path(__file__).parents[2] / "models" / "attention.onnx"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a scorer's file.

    Raises:
        ScorerError: The file can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ScorerError(
            f"--model {path}: can't be read ({error.strerror}); give the path of an ONNX file"
        ) from None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a scorer expects of its input, read from its metadata.

    Attributes:
        frame: Height and width to which an image is squashed.
        bgr: Whether the channels are swapped.
        scale: float32 (3, 1, 1), multiplied with pixel values 0 to 255.
        offset: float32 (3, 1, 1), added after that.
    """

    frame: Frame
    bgr: bool
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]

    @classmethod
    def read(cls, metadata: Mapping[str, str], shape: list[Any]) -> Expected:
        """Read the metadata of a graph whose input has the given shape.

        Raises:
            ValueError: A key holds something else than it should.
        """
        fixed = [side if isinstance(side, int) else DEFAULT_SIDE for side in shape[2:]]
        height, width = _numbers(metadata, "input_size", fixed, 2)
        low, high = _numbers(metadata, "range", [0, 1], 2)
        mean = np.array(_numbers(metadata, "mean", [0, 0, 0], 3))
        std = np.array(_numbers(metadata, "std", [1, 1, 1], 3))
        order = _value(metadata, "channel_order", "RGB")
        if order not in ("RGB", "BGR"):
            raise ValueError(f"augcli.channel_order is {order!r}, but must be RGB or BGR")
        if not (height >= 1 and width >= 1 and (std > 0).all()):
            raise ValueError("augcli.input_size and augcli.std must be positive")
        scale = ((high - low) / 255 / std).reshape(3, 1, 1).astype(np.float32)
        offset = ((low - mean) / std).reshape(3, 1, 1).astype(np.float32)
        return cls(Frame(int(height), int(width)), order == "BGR", scale, offset)

    def tensor(self, image: Image) -> NDArray[np.float32]:
        """Return the input float32 (3, height, width) for an image uint8 (H, W, 3) RGB."""
        fitted = resize(image, self.frame)
        channels = fitted[..., ::-1] if self.bgr else fitted
        planes = channels.transpose(2, 0, 1).astype(np.float32)
        planes *= self.scale
        planes += self.offset
        return planes


def _numbers(
    metadata: Mapping[str, str], key: str, default: Sequence[float], count: int
) -> list[float]:
    found = _value(metadata, key, default)
    numbers = isinstance(found, Sequence) and all(
        isinstance(one, int | float) and np.isfinite(one) for one in found
    )
    if not numbers or len(found) != count:
        raise ValueError(f"augcli.{key} is {found!r}, but must be {count} numbers")
    return [float(one) for one in found]


def _value(metadata: Mapping[str, str], key: str, default: Any) -> Any:
    text = metadata.get(f"augcli.{key}")
    try:
        return default if text is None else json.loads(text)
    except ValueError:
        raise ValueError(f"augcli.{key} is {text!r}, which is not JSON") from None


class Scorer:
    """One ONNX network, loaded and checked, that gives heat maps.

    Args:
        path: The ONNX file; the shipped one when None.
        grid: Rows and columns of the largest heat map that will be asked for.

    Raises:
        ScorerError: The file is missing, is not ONNX, or does not give heat maps.

    Example:
        >>> scorer = Scorer()
        >>> scorer.heat_map(np.zeros((30, 40, 3), np.uint8)).shape
        (7, 7)
    """

    def __init__(self, path: Path | None = None, *, grid: int = 7) -> None:
        self.path = path or shipped_model()
        self.grid = grid
        self.sha256 = file_sha256(self.path)
        self._session = _session(self.path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise self._refused(f"has {len(inputs)} inputs and {len(outputs)} outputs, not 1 and 1")
        shape = inputs[0].shape
        # Dimensions that are not fixed have a name instead of a number.
        fits = len(shape) == 4 and (shape[1] == 3 or not isinstance(shape[1], int))
        if inputs[0].type != "tensor(float)" or not fits:
            raise self._refused(f"takes {inputs[0].type} {shape}, not float32 (N, 3, H, W)")
        self._input = inputs[0].name
        try:
            self.expected = Expected.read(self._session.get_modelmeta().custom_metadata_map, shape)
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
        batch = np.stack([self.expected.tensor(image) for image in images])
        scores = np.asarray(self._session.run(None, {self._input: batch})[0], np.float32)
        if not np.isfinite(scores).all():
            raise UnreadableImage(f"the scorer {self.path.name} gives NaN or infinity for it")
        return [pool_map(one.reshape(one.shape[-2:]), grid or self.grid) for one in scores]

    def _try_out(self) -> None:
        """Run the network once, so that a wrong one is refused before a run and not in it."""
        height, width = self.expected.frame
        ramp = np.linspace(0, 255, height * width * 3).astype(np.uint8)
        batch = self.expected.tensor(ramp.reshape(height, width, 3))[None]
        try:
            scores = np.asarray(self._session.run(None, {self._input: batch})[0])
        except Exception as error:
            reason = _first_line(error)
            raise self._refused(f"can't be run on (1, 3, {height}, {width}): {reason}") from None
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

    def _refused(self, found: str) -> ScorerError:
        return ScorerError(
            f"--model {self.path}: {found.rstrip()}; a scorer is an ONNX file with one input, "
            "float32 (N, 3, H, W), and one heat map (N, h, w) as output"
        )


def _session(path: Path) -> ort.InferenceSession:
    """Load a graph for one thread: the workers are the parallelism."""
    import onnxruntime as ort  # noqa: PLC0415 - 0.1 s that only scoring should pay

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Without the arena a worker gives back what a large batch took; 2% slower.
    options.enable_cpu_mem_arena = False
    # Graphs with 8-bit weights run 2 to 3 times faster when these are widened once, at load.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        raise ScorerError(
            f"--model {path}: is not an ONNX graph that onnxruntime can load ({_first_line(error)})"
        ) from None


def _first_line(error: Exception) -> str:
    """Return an error of onnxruntime without the advice that follows it."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


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
