"""Heat maps in arrays, to look up those of a whole batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from augcli.rng import digests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import NDArray


class MapArrays(NamedTuple):
    """Heat maps in arrays, which processes can share: about 114 bytes for a map of 7 x 7 cells.

    Attributes:
        keys: uint64 (n,): hashes of the names, sorted.
        order: int64 (n,): where the map of each of them is.
        maps: float16 (n, h, w).
    """

    keys: NDArray[np.uint64]
    order: NDArray[np.int64]
    maps: NDArray[np.float16]

    @classmethod
    def of(cls, names: Sequence[str], maps: NDArray[np.float16]) -> Self:
        """Return the arrays for maps float16 (n, h, w) in the order of their names."""
        keys = np.frombuffer(digests(names, 8), "<u8")
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order, maps)

    def find(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return the maps of some names, float32 (len(names), h, w).

        Raises:
            KeyError: There is no map of a name.

        Example:
            >>> arrays = MapArrays.of(["a"], np.ones((1, 2, 2), np.float16))
            >>> arrays.find(["a", "a"]).shape
            (2, 2, 2)
        """
        return self.maps[self.places(names)].astype(np.float32)

    def places(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return where the maps of some names are, int64 (len(names),).

        Names are compared by 64 bits of a hash: that another name has those of one that is
        there has a probability below 2**-40 with ten million maps.

        Raises:
            KeyError: There is no map of a name.
        """
        wanted = np.frombuffer(digests(names, 8), "<u8")
        places = np.searchsorted(self.keys, wanted)
        places[places == len(self.keys)] = 0
        missing = self.keys[places] != wanted if len(self.keys) else np.ones(len(names), bool)
        if missing.any():
            raise KeyError(names[int(missing.argmax())])
        return self.order[places]
