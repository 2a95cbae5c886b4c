"""What must be known of a scorer to store its heat maps, and to use stored ones without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from augcli.attention.input_spec import Fit
    from augcli.pixels.frame import Frame


class MapSpec(NamedTuple):
    """What must be known of a scorer to store its heat maps, and to use stored ones without it.

    The fields have the names and meanings of those of :class:`augcli.attention.scorer.Scorer`.

    Attributes:
        sha256: Identifies the scorer.
        grid: Rows and columns of the largest heat map that will be asked for.
        flexible: Whether the scorer's graph takes images of any size.
        map_shape: Rows and columns of a stored map.
        fit: The size to which images are squashed before they are scored.
    """

    sha256: str
    grid: int
    flexible: bool
    map_shape: Frame
    fit: Fit

    def serves(self, grid: int) -> bool:
        """Return whether a heat map of ``grid`` rows and columns follows from a stored map.

        A map of a flexible graph serves only the grid for which it was made; any other can be
        averaged to each grid that is not larger than itself.
        """
        return grid == self.grid if self.flexible else grid <= min(self.map_shape)
