"""Cells that are copied between the pictures of a batch as pieces of one length.

Where all cells of a frame are equally wide, their rows can be cut into pieces of 8, 16 or 32 bytes.
A list of the places of these pieces then takes the place of a mask, and only what is pasted is
read: an eighth of a picture where 6 of 49 cells are.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.pixels.grid import edges

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from numpy.typing import NDArray

    from augcli.pixels.frame import Frame

LANE = 32
"""Most bytes that are copied at once."""


def new_memory(place: int, size: int) -> NDArray[np.uint8]:
    """Return memory that is used once; what gives memory again for each batch fits as well.

    Args:
        place: Number of what it is for: two that are used at the same time differ in it.
        size: How many bytes.
    """
    return np.empty(size, np.uint8)


class Lanes(NamedTuple):
    """Where the bytes of cells lie in a picture, in pieces of one length.

    Attributes:
        size: Bytes of a piece.
        image: Pieces of a picture.
        places: int64 (grid², pieces of a cell): number of each piece in the picture.
    """

    size: int
    image: int
    places: NDArray[np.int64]

    @classmethod
    @functools.lru_cache(maxsize=16)
    def of(cls, frame: Frame, planes: int, pixel: int, grid: int) -> Self | None:
        """Return how cells are cut; None where their sides don't fit any useful length.

        Args:
            frame: Height and width of the pictures.
            planes: How many planes a picture has, one after the other.
            pixel: Bytes of a pixel in a plane.
            grid: Rows and columns.

        Example:
            >>> from augcli.pixels.frame import Frame
            >>> Lanes.of(Frame(224, 224), 3, 1, 7).size, Lanes.of(Frame(32, 32), 3, 1, 7)
            (32, None)
        """
        across, down = edges(frame.width, grid) * pixel, edges(frame.height, grid)
        size = int(np.gcd.reduce(across[1:]))
        size = min(LANE, size & -size)
        heights, widths = np.diff(down), np.diff(across)
        if size < 8 or heights.min() < 1 or widths.min() != widths.max():
            return None
        row = frame.width * pixel // size
        # Cells differ in height by one row at most: the last row of a lower cell comes twice.
        rows = down[:-1, None] + np.minimum(np.arange(heights.max()), heights[:, None] - 1)
        pieces = across[:-1, None] // size + np.arange(widths[0] // size)
        plane = np.arange(planes) * (frame.height * row)
        in_rows = (rows * row)[:, None, None, :, None] + pieces[:, None, None, :]
        places = plane[:, None, None] + in_rows
        return cls(size, planes * frame.height * row, places.reshape(grid * grid, -1))

    def copy(
        self,
        bases: NDArray[Any],
        sources: NDArray[Any],
        donors: NDArray[np.int64],
        chosen: NDArray[np.bool_],
        memory: Callable[[int, int], NDArray[np.uint8]] = new_memory,
    ) -> None:
        """Copy chosen cells in place: all are read before the first is written.

        Args:
            bases: A batch, C-contiguous; changed.
            sources: The same pictures as they were, C-contiguous; may be ``bases`` itself.
            donors: int64 (N,): the index of each picture's donor.
            chosen: bool (N, grid, grid): the cells that come from the donor.
            memory: Gives memory for what is in between.
        """
        kind = np.dtype(f"V{self.size}")
        at, cells = np.nonzero(chosen.reshape(len(chosen), -1))
        from_donors, to_bases = donors[at] * self.image, at * self.image
        shape = (len(cells), self.places.shape[1])
        count = shape[0] * shape[1]
        places = memory(0, 8 * count).view(np.int64).reshape(shape)
        given = memory(1, self.size * count).view(kind).reshape(shape)
        # These modes only leave out a check of places that are right.
        np.take(self.places, cells, axis=0, out=places, mode="clip")
        places += from_donors[:, None]
        np.take(sources.reshape(-1).view(kind), places, out=given, mode="clip")
        places += (to_bases - from_donors)[:, None]
        np.put(bases.reshape(-1).view(kind), places, given, mode="clip")
