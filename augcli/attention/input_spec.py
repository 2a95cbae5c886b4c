"""What a scorer takes as input: read from its file's metadata, and made of an image."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.files import parse_json
from augcli.pixels.frame import Frame
from augcli.pixels.planes import planes
from augcli.pixels.resize import fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Image

DEFAULT_SIDE = 224
MOST_PIXELS = 4096 * 4096
"""Of the largest input of a scorer."""
LARGEST = 1e9
"""Of the numbers that say how pixels are scaled, so that float32 holds the results."""
SMALL = 64
"""Pixels of the longer side up to which an image is small: it is scored at a smaller size."""


@dataclass(frozen=True)
class InputSpec:
    """What a scorer takes as input.

    Attributes:
        frame: Height and width to which an image is squashed.
        bgr: Whether the channels are in the order blue, green, red.
        scale: float32 (3, 1, 1), multiplied with pixel values 0 to 255.
        offset: float32 (3, 1, 1), added after that.
        pixels: Whether the graph takes pixels unscaled, uint8 (h, w, 3); ``scale`` and
            ``offset`` are not used then.
    """

    frame: Frame
    bgr: bool
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    pixels: bool = False

    @classmethod
    def read(cls, metadata: Mapping[str, str], sides: list[Any], *, pixels: bool) -> InputSpec:
        """Read the metadata of a graph.

        Args:
            metadata: Texts by key; see :mod:`augcli.attention.scorer` for the keys.
            sides: Height and width of the graph's input; a side is free where it is no number.
            pixels: Whether the input is uint8 (N, h, w, 3), and not float32 (N, 3, h, w).

        Raises:
            ValueError: A key has a wrong value.
        """
        fixed = [side if isinstance(side, int) else DEFAULT_SIDE for side in sides]
        height, width = _numbers(metadata, "input_size", fixed, 2)
        low, high = _numbers(metadata, "range", [0, 1], 2)
        mean = np.array(_numbers(metadata, "mean", [0, 0, 0], 3))
        std = np.array(_numbers(metadata, "std", [1, 1, 1], 3))
        order = _value(metadata, "channel_order", "RGB")
        if order not in ("RGB", "BGR"):
            raise ValueError(f"augcli.channel_order is {_shown(order)}, but must be RGB or BGR")
        if not (height >= 1 and width >= 1 and (std >= 1 / LARGEST).all()):
            raise ValueError("augcli.input_size and augcli.std must be positive")
        if height * width > MOST_PIXELS:
            raise ValueError(
                f"its input has {height:.0f} x {width:.0f} pixels, but may have {MOST_PIXELS:,}"
            )
        scale = ((high - low) / 255 / std).reshape(3, 1, 1).astype(np.float32)
        offset = ((low - mean) / std).reshape(3, 1, 1).astype(np.float32)
        return cls(Frame(int(height), int(width)), order == "BGR", scale, offset, pixels)

    def tensor(self, fitted: Image) -> NDArray[np.float32] | Image:
        """Return the graph's input for one image.

        Args:
            fitted: uint8 (h, w, 3), RGB, already at the size at which it is scored.

        Returns:
            float32 (3, h, w), or uint8 (h, w, 3) for a graph that takes pixels unscaled.
        """
        if self.pixels:
            return fitted[..., ::-1] if self.bgr else fitted
        if self._factor:
            # A tenth of the time of the general case below.
            return planes(fitted, self._factor, swap=self.bgr)
        channels = fitted[..., ::-1] if self.bgr else fitted
        values = channels.transpose(2, 0, 1).astype(np.float32)
        values *= self.scale
        values += self.offset
        return values

    @functools.cached_property
    def _factor(self) -> float:
        """The scale where all channels share it and nothing is added, else 0."""
        shared = (self.scale == self.scale[0]).all() and not self.offset.any()
        return float(self.scale[0, 0, 0]) if shared else 0.0


def _numbers(
    metadata: Mapping[str, str], key: str, default: Sequence[float], count: int
) -> list[float]:
    values = _value(metadata, key, default)
    if not (isinstance(values, list | tuple) and len(values) == count and all(map(_fits, values))):
        raise ValueError(f"augcli.{key} is {_shown(values)}, but must be {count} numbers")
    return [float(value) for value in values]


def _fits(value: Any) -> bool:
    """Return whether a value is a number of usual size; NaN and infinity are not."""
    return type(value) in (int, float) and abs(value) <= LARGEST


def _value(metadata: Mapping[str, str], key: str, default: Any) -> Any:
    text = metadata.get(f"augcli.{key}")
    try:
        return default if text is None else parse_json(text.encode("utf-8"))
    except ValueError:
        raise ValueError(f"augcli.{key} is {_shown(text)}, which is not JSON") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


class Fit(NamedTuple):
    """The size to which images are squashed before they are scored.

    Attributes:
        frame: Height and width for most images.
        small: The same for images of at most 64 pixels; None where they are no exception.
    """

    frame: Frame
    small: Frame | None = None

    def fitted(self, image: Image) -> Image:
        """Return an image uint8 (H, W, 3), resized to the size at which it is scored."""
        is_small = self.small and max(image.shape[:2]) <= SMALL
        return fit(image, self.small if self.small and is_small else self.frame)


def ramp(frame: Frame) -> Image:
    """Return a picture uint8 (H, W, 3) for trying a scorer: it gets brighter from top to bottom."""
    values = np.linspace(0, 255, frame.height * frame.width * 3).astype(np.uint8)
    return values.reshape(*frame, 3)
