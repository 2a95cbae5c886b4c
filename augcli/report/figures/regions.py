"""Where on the frame pictures were replaced, and how much of them: measured on a sample of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from augcli.data.stopping import raise_interruption
from augcli.files import parse_json
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.manifest import Row
    from augcli.recipes.chain import Chain, Region

MEASURED: Final = 2_000
"""Rows that are measured of a larger set: shares in a histogram are then right to about 2 %."""
PLACES: Final = 14
"""Rows and columns of the map of places; twice those of the usual grid."""
LARGEST: Final = 1 << 27
"""Pixels of the largest picture that is measured; a table that somebody changed may name any."""


class Regions:
    """Measures the draws of a sample of rows, which follows from the hashes of the files.

    Args:
        chain: The steps; None where they are not known.
        rows: How many rows there are about.

    Attributes:
        measured: How many rows were.
        unreadable: Draws that the steps can't be applied with.
        areas: The share of the frame that was replaced, for each measured row.
    """

    def __init__(self, chain: Chain | None, rows: int) -> None:
        self._chain = chain
        # The first 32 bits of a hash are below this for MEASURED of so many rows.
        self._below = (MEASURED << 32) // max(rows, MEASURED)
        self._sum = np.zeros((PLACES, PLACES))
        self.measured = 0
        self.unreadable = 0
        self.areas: list[float] = []

    def add(self, row: Row) -> None:
        """Measure a row, if it belongs to the sample."""
        if self._chain is None or row.method != self._chain.name or not self._chosen(row.sha256):
            return
        frame = Frame(row.height, row.width)
        try:
            found = regions_of(self._chain, parse_json(row.draw.encode()), frame)
        except Exception as error:  # a draw that was changed by hand leads to any error
            raise_interruption(error)
            self.unreadable += 1
            return
        if found:
            share, places = covered(found)
            self.areas.append(share)
            self._sum += places
            self.measured += 1

    @property
    def places(self) -> NDArray[np.float64]:
        """float64 (14, 14): how often, of all measured rows, each place was replaced."""
        return self._sum / max(1, self.measured)

    def _chosen(self, sha256: str) -> bool:
        try:
            return int(sha256[:8], 16) < self._below
        except ValueError:
            return True


def regions_of(chain: Chain, record: Any, frame: Frame) -> list[Region]:
    """Return where the steps of a record replaced a picture.

    Raises:
        ValueError: The record is not one that the chain wrote, or the picture is too large.
    """
    if not isinstance(record, dict) or not 0 < frame.height * frame.width <= LARGEST:
        raise ValueError("not a draw of augcli")
    return chain.regions(record, frame)


def covered(regions: list[Region]) -> tuple[float, NDArray[np.float64]]:
    """Return the share of the frame that regions cover, and float64 (14, 14): that of each place.

    Example:
        >>> from augcli.recipes.chain import Region
        >>> mask = np.uint8([[1, 0], [1, 1]])
        >>> share, places = covered([Region(mask, (1, 2))])
        >>> share, float(places[0, 0]), float(places[0, 13])
        (0.375, 0.5, 0.0)
    """
    union = np.zeros(regions[0].mask.shape, np.float32)
    for mask, (part, whole), _ in regions:
        np.maximum(union, mask.astype(np.float32) * np.float32(part / whole), out=union)
    places = cv2.resize(union, (PLACES, PLACES), interpolation=cv2.INTER_AREA)
    return float(union.mean(dtype=np.float64)), np.asarray(places, np.float64)
