"""A result row: an output with the pictures that it was made of, and where they were replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from augcli.attention.model_file import local_scorer, scorer_sha256
from augcli.attention.scorer import Scorer
from augcli.data.codecs.decoding import decode
from augcli.data.stopping import raise_interruption
from augcli.errors import NO_MEMORY, AugcliError, NotScored, ParameterError, UnreadableImage
from augcli.files import parse_json
from augcli.pixels.frame import Frame
from augcli.report.figures.regions import regions_of
from augcli.report.pictures.thumbnails import fitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from augcli.augmentations.base import Augmentation
    from augcli.data.manifest import Row
    from augcli.data.sinks.sink import Sink
    from augcli.pixels.frame import HeatMap, Image, Mask
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions
    from augcli.run.verifying.remake import Remaker

SIDES: Final = (208, 144)
"""Pixels of the longer side of a result, and of a base or a donor, which stand beside it."""
REGION_SIDE: Final = 256
"""The same of a mask whose outline is drawn."""
OUTPUT_LIMIT: Final = 1 << 28
"""Bytes of the largest output that is shown."""


@dataclass(slots=True)
class ResultRow:
    """An output with its sources, small.

    Attributes:
        result: uint8 (H, W, 3); None where the file can't be shown.
        base: The base, where INPUT is known.
        donor: The donor, where there is one and INPUT is known.
        heat_map: float32 (grid, grid), where one decided.
        scored: Whose heat map it is: ``base`` or ``donor``.
        region: uint8 (h, w), small: 1 where the result shows something else than the base.
        donor_region: The same of the donor: 1 where it is shown.
        problems: What could not be shown, and why.
    """

    result: Image | None = None
    base: Image | None = None
    donor: Image | None = None
    heat_map: HeatMap | None = None
    scored: str = ""
    region: Mask | None = None
    donor_region: Mask | None = None
    problems: list[str] = field(default_factory=list)


class ResultRows:
    """Gives the result rows of an output folder.

    Args:
        sink: Reads its outputs.
        chain: What made them; None where that is not known.
        remaker: Reads their sources; None where INPUT is not given.
        options: Of the run; None where they are not known.
        scorer: SHA-256 of the scorer that run.json names; None where nothing was scored.
        sides: Pixels of the longer side of a result, and of a source.

    Raises:
        ParameterError: The options name another scorer.
        ScorerError: They name one that can't be used.
    """

    def __init__(
        self,
        sink: Sink,
        chain: Chain | None,
        remaker: Remaker | None,
        options: RunOptions | None,
        scorer: str | None,
        sides: tuple[int, int] = SIDES,
    ) -> None:
        self._side, self._source_side = sides
        self._sink = sink
        self._chain = chain
        self._remaker = remaker
        self._max_pixels = options.max_pixels if options else 100_000_000
        self._method = _scoring(chain)
        self._scorer: Scorer | None = None
        self.why_no_heat_maps = ""
        if remaker and self._method and options:
            self._scorer, self.why_no_heat_maps = _scorer(options, scorer, self._method.map_grid)

    def of(self, row: Row) -> ResultRow:
        """Return what can be shown of a row; never raises for what lies in a file."""
        found = ResultRow()
        try:
            data = self._sink.read(row.file_name, OUTPUT_LIMIT)
            enough = (self._side, self._side)
            image = decode(data, max_pixels=self._max_pixels, enough=enough).image
            found.result = fitted(image, self._side)
        except Exception as error:
            found.problems.append(f"the output can't be shown ({_reason(error)})")
        if self._remaker:
            self._add_sources(row, found, self._remaker)
        self._add_regions(row, found)
        return found

    def _add_sources(self, row: Row, found: ResultRow, remaker: Remaker) -> None:
        try:
            base, donor = remaker.pictures(row)
        except Exception as error:
            found.problems.append(f"a source can't be shown ({_reason(error)})")
            return
        found.base = fitted(base, self._source_side)
        found.donor = None if donor is None else fitted(donor, self._source_side)
        if not self._scorer or not self._method:
            return
        found.scored = "base" if self._method.scores == "base" or donor is None else "donor"
        picture = base if found.scored == "base" or donor is None else donor
        try:
            found.heat_map = self._scorer.heat_map(picture, self._method.map_grid)
        except (NotScored, MemoryError) as error:
            found.problems.append(f"there is no heat map ({_reason(error)})")

    def _add_regions(self, row: Row, found: ResultRow) -> None:
        if self._chain is None or row.method != self._chain.name:
            return
        try:
            regions = regions_of(
                self._chain, parse_json(row.draw.encode()), Frame(row.height, row.width)
            )
        except Exception as error:  # a draw that was changed by hand leads to any error
            raise_interruption(error)
            found.problems.append("the draw can't be read")
            return
        found.region = small_union(mask for mask, *_ in regions)
        found.donor_region = small_union(mask for *_, mask in regions if mask is not None)


def small_union(masks: Iterable[Mask]) -> Mask | None:
    """Return masks uint8 (H, W) as one, small enough to be outlined; None where there are none.

    Example:
        >>> small_union([np.uint8([[1, 0, 0]]), np.uint8([[0, 0, 1]])])
        array([[1, 0, 1]], dtype=uint8)
    """
    union: Mask | None = None
    for mask in masks:
        union = mask if union is None else np.maximum(union, mask)
    if union is None:
        return None
    height, width = union.shape
    scale = min(1.0, REGION_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(union, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _scoring(chain: Chain | None) -> Augmentation[Any] | None:
    """Return the only step of a chain, where it looks at heat maps of sources as they are."""
    if chain is None or not chain.plain:
        return None
    method = chain.augmentations[0]
    return method if method.scores else None


def _scorer(options: RunOptions, sha256: str | None, grid: int) -> tuple[Scorer | None, str]:
    """Return the scorer of a run, or why it can't be had.

    Raises:
        ParameterError: A scorer is given and is another one.
        ScorerError: A scorer is given and can't be used.
    """
    try:
        model = local_scorer(options.model)
        if scorer_sha256(model) == sha256:
            return Scorer(model, grid=grid), ""
    except (AugcliError, OSError) as error:
        if options.model:
            raise
        return None, f"the scorer of the run can't be used: {error}"
    if options.model:
        raise ParameterError("model", f"is {options.model}, which is not the scorer of the run")
    return None, "the run had another scorer; give it with `model`"


def _reason(error: Exception) -> str:
    """Return why something can't be shown.

    Raises:
        KeyboardInterrupt: A signal ended it.
    """
    raise_interruption(error)
    match error:
        case MemoryError():
            return NO_MEMORY
        case UnreadableImage():
            return error.reason
        case OSError():
            return error.strerror or str(error)
    return str(error) or type(error).__name__
