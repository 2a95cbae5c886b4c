"""Trying a scorer out before anybody relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.attention.device import first_line
from augcli.attention.scorer import Scorer
from augcli.errors import ScorerError, UnreadableImage

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.classifiers.read import Classifier
    from augcli.pixels.frame import HeatMap, Image

SIDE = 96


class WrongInBatches(ScorerError):
    """The scorer gives other maps, or none, for several images at once."""


def try_out(classifier: Classifier, path: Path, grid: int, *, batches: bool) -> Scorer:
    """Load a scorer as every command does and look at heat maps of it.

    Args:
        classifier: What it was made of, for messages.
        path: The scorer.
        grid: Rows and columns of its heat maps.
        batches: Whether it is to take several images at once.

    Raises:
        WrongInBatches: It does not, or can't be loaded where it is to do so.
        ScorerError: It can't be loaded, or its maps are of no use.
    """
    try:
        scorer = Scorer(path, grid=grid)
    except ScorerError as error:
        found = str(error).removeprefix(f"--model {path}: ")
        text = f"the scorer made of it is refused: it {found}"
        raise WrongInBatches(text) if batches else classifier.refused(text) from None
    pictures = trial_pictures()
    try:
        alone = [scorer.heat_map(one) for one in pictures]
    except UnreadableImage:
        raise classifier.refused(
            "the scorer made of it gives NaN or infinity; are --preset and --layer right?"
        ) from None
    if any(np.ptp(one) == 0 for one in alone) and grid > 1:
        raise classifier.refused(
            "the scorer made of it gives the same score to every cell; are --preset and --layer "
            "right?"
        )
    if grid > 1 and all(np.array_equal(alone[0], one) for one in alone[1:]):
        raise classifier.refused(
            "the scorer made of it gives the same heat map for every picture; are --preset and "
            "--layer right?"
        )
    if batches:
        _check_batches(scorer, pictures, alone)
    return scorer


def trial_pictures() -> list[Image]:
    """Return three pictures uint8 (96, 96, 3): a disc, its mirror image, and waves.

    Example:
        >>> [one.shape for one in trial_pictures()]
        [(96, 96, 3), (96, 96, 3), (96, 96, 3)]
    """
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = np.full((SIDE, SIDE, 3), (60, 90, 40), np.uint8)
    disc[(rows - 30) ** 2 + (columns - 64) ** 2 < 20**2] = (230, 120, 20)
    waves = 128 + 100 * np.sin(rows[..., None] / (3, 5, 8)) * np.cos(columns[..., None] / 4)
    return [disc, np.ascontiguousarray(disc[:, ::-1]), waves.astype(np.uint8)]


def _check_batches(scorer: Scorer, pictures: list[Image], alone: list[HeatMap]) -> None:
    try:
        together = scorer.heat_maps(pictures)
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        raise WrongInBatches(first_line(error)) from None
    # The last bits may depend on the size of a batch; one image's map is not another's.
    close = [
        np.abs(one - other).max() <= np.ptp(one) / 50
        for one, other in zip(alone, together, strict=True)
    ]
    if not all(close):
        raise WrongInBatches("other maps in a batch")
