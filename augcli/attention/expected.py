"""What a scorer expects of its input: read from the file's metadata, fulfilled for an image."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.pixels.frame import Frame
from augcli.pixels.planes import planes
from augcli.pixels.resize import fit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from augcli.pixels.frame import Image

DEFAULT_SIDE = 224
SMALL = 64
"""Longer side of images that a flexible graph scores at its smallest input."""


@dataclass(frozen=True)
class Expected:
    """What a scorer expects of its input, read from its metadata.

    Attributes:
        frame: Height and width to which an image is squashed.
        bgr: Whether the channels are swapped.
        scale: float32 (3, 1, 1), multiplied with pixel values 0 to 255.
        offset: float32 (3, 1, 1), added after that.
        pixels: Whether the graph takes the pixels as they are, uint8 (h, w, 3); scale and
            offset are its own business then.
    """

    frame: Frame
    bgr: bool
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    pixels: bool = False

    @classmethod
    def read(cls, metadata: Mapping[str, str], sides: list[Any], *, pixels: bool) -> Expected:
        """Read the metadata of a graph.

        Args:
            metadata: Texts by their keys.
            sides: Height and width of the graph's input; what is no number is not fixed.
            pixels: Whether it takes uint8 (N, h, w, 3), and not float32 (N, 3, h, w).

        Raises:
            ValueError: A key holds something else than it should.
        """
        fixed = [side if isinstance(side, int) else DEFAULT_SIDE for side in sides]
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
        return cls(Frame(int(height), int(width)), order == "BGR", scale, offset, pixels)

    def tensor(self, fitted: Image) -> NDArray[np.float32] | Image:
        """Return the input for an image uint8 (h, w, 3) RGB of that size, without the N."""
        if self.pixels:
            return fitted[..., ::-1] if self.bgr else fitted
        if self._factor:
            # A tenth of the time, wherever the graph itself does the arithmetic.
            return planes(fitted, self._factor, swap=self.bgr)
        channels = fitted[..., ::-1] if self.bgr else fitted
        values = channels.transpose(2, 0, 1).astype(np.float32)
        values *= self.scale
        values += self.offset
        return values

    @functools.cached_property
    def _factor(self) -> float:
        """The scale where that is one number and all there is to do, else 0."""
        alike = (self.scale == self.scale[0]).all() and not self.offset.any()
        return float(self.scale[0, 0, 0]) if alike else 0.0


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


class Fit(NamedTuple):
    """To which size images are squashed before they are scored.

    Attributes:
        frame: Height and width for most images.
        small: The same for small images, where the graph is flexible.
    """

    frame: Frame
    small: Frame | None = None

    def fitted(self, image: Image) -> Image:
        """Return an image uint8 (H, W, 3) at the size at which it is scored."""
        is_small = self.small and max(image.shape[:2]) <= SMALL
        return fit(image, self.small if self.small and is_small else self.frame)


class MapSpec(NamedTuple):
    """What must be known of a scorer to keep its maps, and to use kept ones without it.

    Attributes:
        scorer: SHA-256 of its file.
        grid: Rows and columns of the largest heat map that is asked for.
        flexible: Whether the graph takes images of any size.
        shape: Rows and columns of the maps that are kept.
        fit: To which size images are squashed for them.
    """

    scorer: str
    grid: int
    flexible: bool
    shape: Frame
    fit: Fit

    def serves(self, grid: int) -> bool:
        """Return whether a kept map can be averaged to a grid."""
        return grid == self.grid if self.flexible else grid <= min(self.shape)


def ramp(frame: Frame) -> Image:
    """Return a picture on which a scorer is tried."""
    values = np.linspace(0, 255, frame.height * frame.width * 3).astype(np.uint8)
    return values.reshape(*frame, 3)
