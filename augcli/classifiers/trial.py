"""Trying a scorer before its file gets its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.attention.device import first_line
from augcli.attention.model_file import ModelFileError
from augcli.attention.scorer import Scorer
from augcli.errors import ScorerError, UnreadableImage

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.classifiers.read import Classifier
    from augcli.pixels.frame import HeatMap, Image

SIDE = 96


class WrongInBatches(ScorerError):
    """The scorer fails for several images at once, or gives other maps than for one."""


def try_out(classifier: Classifier, path: Path, grid: int, *, batches: bool) -> Scorer:
    """Load a scorer as every command does, and check the heat maps of three images.

    Args:
        classifier: What it was made of, for messages.
        path: The scorer.
        grid: Rows and columns of its heat maps.
        batches: Whether it must take several images at once.

    Raises:
        WrongInBatches: ``batches`` is set, and the scorer can't be loaded or is wrong in batches.
        ScorerError: It can't be loaded, or its maps are of no use.
    """
    try:
        scorer = Scorer(path, grid=grid)
    except ModelFileError as error:
        text = f"the scorer made of it is refused: it {error.problem}"
        raise WrongInBatches(text) if batches else classifier.refused(text) from None
    pictures = trial_pictures()
    question = "are `preset` and `layer` right?"
    try:
        maps = [scorer.heat_map(picture) for picture in pictures]
    except UnreadableImage as error:
        raise classifier.refused(
            f"the scorer made of it fails: {error.reason}; {question}"
        ) from None
    if any(np.ptp(heat_map) == 0 for heat_map in maps) and grid > 1:
        raise classifier.refused(
            f"the scorer made of it gives the same score to every cell; {question}"
        )
    if grid > 1 and all(np.array_equal(maps[0], heat_map) for heat_map in maps[1:]):
        raise classifier.refused(
            f"the scorer made of it gives the same heat map for every image; {question}"
        )
    if batches:
        _check_batches(scorer, pictures, maps)
    return scorer


def trial_pictures() -> list[Image]:
    """Return three images uint8 (96, 96, 3): a disc, its mirror image, and waves.

    Example:
        >>> [picture.shape for picture in trial_pictures()]
        [(96, 96, 3), (96, 96, 3), (96, 96, 3)]
    """
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = np.full((SIDE, SIDE, 3), (60, 90, 40), np.uint8)
    disc[(rows - 30) ** 2 + (columns - 64) ** 2 < 20**2] = (230, 120, 20)
    waves = 128 + 100 * np.sin(rows[..., None] / (3, 5, 8)) * np.cos(columns[..., None] / 4)
    return [disc, np.ascontiguousarray(disc[:, ::-1]), waves.astype(np.uint8)]


def _check_batches(scorer: Scorer, pictures: list[Image], maps: list[HeatMap]) -> None:
    """Check that images scored at once get the maps that they get one by one."""
    try:
        together = scorer.heat_maps(pictures)
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        raise WrongInBatches(first_line(error)) from None
    # The last bits may depend on the size of a batch: far less than two images differ by.
    close = [
        np.abs(heat_map - other).max() <= np.ptp(heat_map) / 50
        for heat_map, other in zip(maps, together, strict=True)
    ]
    if not all(close):
        raise WrongInBatches("other maps in a batch")
