"""The options for making a scorer of a classifier, each declared once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from augcli.augmentations.size import parse_size
from augcli.errors import ParameterError
from augcli.params import ByName, Param, check

if TYPE_CHECKING:
    from collections.abc import Collection

SMOOTH, CENTRE = 1.2, 0.2
"""Defaults of ``smooth`` and ``centre``: the best of those tried, see docs/scorers.md."""

Numbers = tuple[float, ...]


def numbers_in(text: str) -> Numbers:
    """Return the numbers in a text such as ``0,0,0``, ``[0, 1]``, ``0..1`` or ``224x224``.

    Raises:
        ValueError: A word in it is no finite number.

    Example:
        >>> numbers_in("-1..1"), numbers_in("[0.5, 0.25]"), numbers_in("224x192")
        ((-1.0, 1.0), (0.5, 0.25), (224.0, 192.0))
    """
    numbers = tuple(float(word) for word in re.split(r"\.\.|[\s,x\[\]()]+", text) if word)
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(text)
    return numbers


def _numbers(value: Any, counts: Collection[int], expected: str) -> Numbers:
    try:
        numbers = numbers_in(value if isinstance(value, str) else ",".join(map(str, value)))
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) not in counts:
        raise ValueError(f"is {value!r}, but must be {expected}")
    return numbers


def parse_range(value: Any) -> Numbers:
    """Return what pixel values 0 and 255 become, from text such as ``0..1`` or from a pair.

    Raises:
        ValueError: It is not two different numbers.

    Example:
        >>> parse_range("-1..1"), parse_range((0, 255))
        ((-1.0, 1.0), (0.0, 255.0))
    """
    low, high = _numbers(value, {2}, "two numbers, such as 0..1 or 0..255")
    if low == high:
        raise ValueError(f"is {value!r}, but its ends must differ")
    return (low, high)


def parse_mean(value: Any) -> Numbers:
    """Return a number for each channel: three, such as ``0.5,0.5,0.5``, or one for grey images.

    Raises:
        ValueError: It is not that many numbers.

    Example:
        >>> parse_mean("0.485, 0.456, 0.406"), parse_mean(0.5)
        ((0.485, 0.456, 0.406), (0.5,))
    """
    given = [value] if isinstance(value, int | float) else value
    expected = "three numbers, such as 0.485,0.456,0.406, or one where the classifier takes grey"
    return _numbers(given, {1, 3}, f"{expected} images")


def parse_std(value: Any) -> Numbers:
    """Return a positive number for each channel; see :func:`parse_mean`.

    Raises:
        ValueError: It is not that many positive numbers.

    Example:
        >>> parse_std([0.25, 0.25, 0.25])
        (0.25, 0.25, 0.25)
    """
    numbers = parse_mean(value)
    if min(numbers) <= 0:
        raise ValueError(f"is {value!r}, but must be positive")
    return numbers


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(ByName):
    """How a classifier becomes a scorer."""

    out: Annotated[Path, Param("File for the scorer.", short="-o", group="output")] = Path(
        "scorer.onnx"
    )
    map: Annotated[
        Literal["l2", "mean", "cam", "tokens"],
        Param(
            "What becomes the heat map: l2 (length of the features in each cell), mean (of the "
            "features), cam (class activation map) or tokens (for a transformer: similarity of "
            "each patch to the whole image)."
        ),
    ] = "l2"
    grid: Annotated[int, Param("Rows and columns of the heat map.", 1, 64)] = 7
    smooth: Annotated[
        float | None,
        Param(
            "Standard deviation of a Gaussian that blurs the heat map; 0 for none "
            f"[default: {SMOOTH}].",
            0,
            10,
            "cells",
        ),
    ] = None
    centre: Annotated[
        float | None,
        Param(
            "Weight of the middle, added to a heat map whose highest value is 1; 0 for none "
            f"[default: {CENTRE}].",
            0,
            10,
        ),
    ] = None
    raw: Annotated[
        bool, Param("The plain map, as in papers: not blurred, no weight for the middle.")
    ] = False
    layer: Annotated[
        str | None,
        Param(
            "Tensor to take for the feature map [default: the last one before the pooling].",
            group="input",
        ),
    ] = None
    output: Annotated[
        str | None,
        Param("Output with the class scores, where the classifier has several.", group="input"),
    ] = None
    preset: Annotated[
        Literal["imagenet", "tf", "caffe", "unit"] | None,
        Param(
            "How pixels are scaled: imagenet (0..1, minus mean, divided by deviation: "
            "torchvision, most of timm), tf (-1..1: many of Keras), caffe (BGR, 0..255, minus "
            "mean: ResNet and VGG of Keras) or unit (0..1) [default: what the file says].",
            group="input",
        ),
    ] = None
    size: Annotated[
        str | None,
        Param(
            "Size to which images are squashed [default: the classifier's, else 224x224].",
            parse=parse_size,
            metavar="WxH|N",
            group="input",
        ),
    ] = None
    range: Annotated[
        Numbers | None,
        Param(
            "What pixel values 0 and 255 become.",
            parse=parse_range,
            metavar="LOW..HIGH",
            group="input",
        ),
    ] = None
    mean: Annotated[
        Numbers | None,
        Param(
            "Subtracted after that, for each channel; one number for a classifier of grey images.",
            parse=parse_mean,
            metavar="A,B,C",
            group="input",
        ),
    ] = None
    std: Annotated[
        Numbers | None,
        Param(
            "Divided by after that, for each channel; one number for a classifier of grey images.",
            parse=parse_std,
            metavar="A,B,C",
            group="input",
        ),
    ] = None
    order: Annotated[
        Literal["RGB", "BGR"] | None, Param("Order of the channels.", group="input")
    ] = None
    allow_external_data: Annotated[
        bool,
        Param(
            "Read weights from other files too, in the folder of the classifier only.",
            group="input",
        ),
    ] = False
    max_model_size: Annotated[
        int, Param("Refuse larger classifiers.", 1, 2000, "MB", group="input")
    ] = 2000
    overwrite: Annotated[
        bool, Param("Replace the scorer that is there; no other file is replaced.", group="output")
    ] = False

    def __post_init__(self) -> None:
        check(self)
        for name in ("smooth", "centre"):
            if self.raw and getattr(self, name) is not None:
                raise ParameterError("raw", f"is the plain map: leave out `{name}`, or `raw`")

    @property
    def blur(self) -> float:
        """Standard deviation of the blur in cells; 0 for none."""
        return 0.0 if self.raw else SMOOTH if self.smooth is None else self.smooth

    @property
    def middle(self) -> float:
        """Weight of the middle; 0 for none."""
        return 0.0 if self.raw else CENTRE if self.centre is None else self.centre
