"""A file of heat maps, so that no image is scored twice.

It is an uncompressed NumPy ``.npz`` with these arrays, all in the order of the paths:

======== ============================ ====================================================
name     type                         content
======== ============================ ====================================================
maps     float16 (n, h, w)            one map for each image
hashes   uint8 (n, 32)                SHA-256 of each image's file
paths    uint8 (bytes,)               paths relative to INPUT, UTF-8, each ended by a NUL
about    uint8 (bytes,)               JSON: format, scorer (its SHA-256), grid, poolable
======== ============================ ====================================================

A scorer rounds every map to 16 bits, so that cells and label weights are the same with and
without the file.
"""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import numpy as np

from augcli.attention.map_arrays import MapArrays
from augcli.attention.stored_array import Stored, stored_array
from augcli.errors import HeatMapsError, Stopped
from augcli.files import open_file, open_pieces, parse_json, publish_file
from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import crop_map, pool_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.pixels.frame import HeatMap

FORMAT = 1
ARRAYS = ("about", "paths", "hashes", "maps")
KEY_BYTES = 32
MOST_ABOUT = 1 << 16
"""Bytes of what a file says about its maps."""
LARGEST_GRID = 64
LONGEST_PATH = 4096
"""Bytes of a path that systems take, with the zero at its end."""
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(KeyError, TypeError, ValueError, OverflowError),
)
"""What reading raises where the file is damaged or not a file of heat maps."""


class About(NamedTuple):
    """What a file says about its heat maps.

    Attributes:
        scorer: SHA-256 that identifies the scorer.
        grid: Rows and columns for which the maps were made.
        poolable: Whether maps for smaller grids can be averaged from them.
    """

    scorer: str
    grid: int
    poolable: bool


class HeatMaps(Mapping[str, "HeatMap"]):
    """Heat maps by file name, read from a file that ``augcli heatmaps`` wrote.

    A map is read from disk when it is looked up, so that many processes can share a large file.
    Looking one up raises :class:`augcli.errors.Stopped` where the file is cut short meanwhile.
    Pickled, it is the path of its file: another process opens it anew.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_maps(
        ...         f"{folder}/maps.npz",
        ...         About("00" * 32, 7, True),
        ...         ["cat/a.jpg"],
        ...         np.zeros((1, 32), np.uint8),
        ...         np.ones((1, 7, 7), np.float16),
        ...     )
        ...     maps = HeatMaps.load(f"{folder}/maps.npz")
        ...     list(maps), maps["cat/a.jpg"].shape
        (['cat/a.jpg'], (7, 7))
    """

    def __init__(
        self,
        about: About,
        paths: Stored,
        hashes: Stored,
        maps: Stored,
        grid: int | None = None,
    ) -> None:
        self.about = about
        self.grid = grid or about.grid
        self._paths = paths
        self._hashes = hashes
        self._maps = maps

    @classmethod
    def load(cls, path: str | os.PathLike[str], grid: int | None = None) -> HeatMaps:
        """Open a file of heat maps and check all of it.

        Args:
            path: The file.
            grid: Rows and columns that its maps shall have; those of the file when None.

        Raises:
            HeatMapsError: The file can't be read, is damaged, is not a file of heat maps, or its
                maps can't be averaged to the grid.
        """
        heat_maps = cls.open(path, check=True)
        if grid and not heat_maps.serves(grid):
            raise HeatMapsError(
                f"{path}: holds maps for a grid of {heat_maps.about.grid}, not {grid}"
            )
        heat_maps.grid = grid or heat_maps.grid
        return heat_maps

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, check: bool = False) -> HeatMaps:
        """Open a file of heat maps.

        Args:
            path: The file.
            check: Whether to read all of it and check its content.

        Raises:
            HeatMapsError: The file can't be read, is damaged, or is not a file of heat maps.
        """
        try:
            pieces = open_pieces(path)
            with open_file(path) as file, zipfile.ZipFile(file) as archive:
                # Before anything is read: a few bytes of other entries can unpack to any size.
                if sorted(archive.namelist()) != sorted(f"{name}.npy" for name in ARRAYS):
                    raise ValueError("it has other entries")
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise ValueError("it is compressed")
                if check and archive.testzip():
                    raise ValueError("it is damaged")
                arrays = {
                    name: stored_array(file, pieces, archive.getinfo(f"{name}.npy"))
                    for name in ARRAYS
                }
                if arrays["about"].size > MOST_ABOUT:
                    raise ValueError("it says too much about its maps")
            heat_maps = cls(
                _about(arrays["about"].whole()), arrays["paths"], arrays["hashes"], arrays["maps"]
            )
            heat_maps._check(whole=check)
        except Stopped:
            raise HeatMapsError(
                f"{path}: is not a whole file of heat maps (it is cut short); make it with augcli "
                "heatmaps"
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise HeatMapsError(f"{path}: can't be read ({reason})") from None
        except _DAMAGED as error:
            raise HeatMapsError(
                f"{path}: is not a whole file of heat maps ({error}); make it with augcli heatmaps"
            ) from None
        return heat_maps

    def __reduce__(self) -> tuple[Any, tuple[str, int, About, int]]:
        """Pickle by the path of the file: nothing that was read of it is carried along."""
        return (_opened_again, (os.path.abspath(self.path), self.grid, self.about, len(self)))

    @property
    def path(self) -> str:
        """The file."""
        return self._maps.path

    def __getitem__(self, name: str) -> HeatMap:
        """Return the map float32 (grid, grid) of an image, by its path relative to INPUT."""
        return pool_map(self._maps.row(self._index[name]).astype(np.float32), self.grid)

    def __iter__(self) -> Iterator[str]:
        """Yield the paths, sorted."""
        return iter(self._index)

    def __len__(self) -> int:
        return self._maps.shape[0]

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns of the maps as they are stored."""
        return (self._maps.shape[1], self._maps.shape[2])

    def serves(self, grid: int) -> bool:
        """Return whether heat maps of ``grid`` rows and columns follow from the stored maps."""
        is_smaller = grid <= min(self.map_shape)
        return grid == self.about.grid or (self.about.poolable and is_smaller)

    @staticmethod
    def flip(
        heat_map: HeatMap, direction: Literal["horizontal", "vertical"] = "horizontal"
    ) -> HeatMap:
        """Return the heat map of the mirrored picture.

        Args:
            heat_map: float32 (grid, grid).
            direction: horizontal (left and right are swapped) or vertical.

        Example:
            >>> HeatMaps.flip(np.float32([[1, 2], [3, 4]])).tolist()
            [[2.0, 1.0], [4.0, 3.0]]
        """
        mirrored = heat_map[:, ::-1] if direction == "horizontal" else heat_map[::-1]
        return np.ascontiguousarray(mirrored)

    @staticmethod
    def crop(
        heat_map: HeatMap,
        box: tuple[float, float, float, float],
        size: tuple[int, int],
        grid: int | None = None,
    ) -> HeatMap:
        """Return the heat map of a part of a picture, which may be resized afterwards.

        Args:
            heat_map: float32 (h, w) of the whole picture.
            box: (x0, y0, x1, y1) of the part in pixels, half-open; what lies beyond the picture,
                where it is padded, scores 0.
            size: Height and width of the whole picture in pixels.
            grid: Rows and columns wanted; those of the heat map when None.

        Raises:
            ValueError: The box is empty.

        Example:
            >>> HeatMaps.crop(np.float32([[1, 2], [3, 4]]), (0, 0, 16, 32), (32, 32)).tolist()
            [[1.0, 1.0], [3.0, 3.0]]
        """
        x0, y0, x1, y1 = box
        if not (x0 < x1 and y0 < y1):
            raise ValueError(f"the box {box} is empty: it must be (x0, y0, x1, y1)")
        return crop_map(heat_map, box, Frame(*size), grid or len(heat_map))

    def table(self) -> MapArrays:
        """Return all maps as arrays, to look up many of them at once; see :class:`MapArrays`."""
        names = self._names.split("\0")[:-1]
        return MapArrays.of(names, self._maps.whole())

    def find(self, key: bytes) -> NDArray[np.float32] | None:
        """Return the stored map of an image, float32 of ``map_shape``, or None where it is missing.

        Args:
            key: SHA-256 of the image's file.
        """
        order, starts = self._by_hash
        start = np.uint64(int.from_bytes(key[:8], "big"))
        position = int(starts.searchsorted(start))
        while position < len(order) and starts[position] == start:
            index = int(order[position])
            if self._hashes.row_bytes(index) == key:
                return self._maps.row(index).astype(np.float32)
            position += 1
        return None

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self._names.split("\0")[:-1])}

    @property
    def _names(self) -> str:
        return self._paths.whole().tobytes().decode("utf-8")

    @cached_property
    def _by_hash(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The images in the order of their hashes, and the beginnings of these hashes."""
        hashes = self._hashes.whole()
        starts = np.ascontiguousarray(hashes[:, :8]).view(">u8").ravel().astype(np.uint64)
        order = np.argsort(starts, kind="stable")
        return order, starts[order]

    def _check(self, *, whole: bool) -> None:
        types = [array.dtype.str for array in (self._paths, self._hashes, self._maps)]
        shape = self._maps.shape
        dimensions = len(self._paths.shape), len(shape)
        if types != ["|u1", "|u1", "<f2"] or dimensions != (1, 3):
            raise ValueError("its arrays have other types or shapes")
        count = shape[0]
        if self._hashes.shape != (count, KEY_BYTES):
            raise ValueError("its arrays have other types or shapes")
        for array in (self._paths, self._hashes, self._maps):
            array.check_end()
        if not self.serves(self.about.grid) or min(self.map_shape) < self.about.grid:
            raise ValueError("its maps are smaller than its grid")
        if whole and self._paths.size > count * LONGEST_PATH:
            raise ValueError("its paths are longer than paths can be")
        if whole and self._names.count("\0") != count:
            raise ValueError("it has another number of paths than of maps")
        if whole and not all(np.isfinite(maps).all() for maps in self._maps.in_pieces()):
            raise ValueError("it holds maps with NaN or infinity")


def _opened_again(path: str, grid: int, about: About, count: int) -> HeatMaps:
    """Open a file in another process."""
    heat_maps = HeatMaps.open(path)
    if (heat_maps.about, len(heat_maps)) != (about, count):
        raise HeatMapsError(f"{path}: was replaced while it was used; start again")
    heat_maps.grid = grid
    return heat_maps


def save_maps(
    path: str | os.PathLike[str],
    about: About,
    paths: list[str],
    hashes: NDArray[np.uint8],
    maps: NDArray[np.float16] | NDArray[np.float32],
) -> None:
    """Write a file of heat maps under a temporary name, then rename it.

    Args:
        path: The file.
        about: What the file says about the maps.
        paths: Relative to INPUT, sorted.
        hashes: uint8 (n, 32), SHA-256 of each image's file.
        maps: float16 (n, h, w), or float32 of values that float16 represents exactly.
    """
    arrays = {
        "about": _bytes(json.dumps({"format": FORMAT, **about._asdict()})),
        "paths": _bytes("".join(f"{name}\0" for name in paths)),
        "hashes": hashes,
        "maps": maps.astype("<f2", copy=False),
    }

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in arrays.items():
                # ZipInfo has a fixed time, so that the same maps give the same bytes.
                entry = zipfile.ZipInfo(f"{name}.npy")
                with archive.open(entry, "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    publish_file(path, write)


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def _about(array: NDArray[Any]) -> About:
    if array.dtype != np.uint8 or array.size > MOST_ABOUT:
        raise ValueError("what it says about its maps is no text")
    fields = parse_json(array.tobytes())
    if fields["format"] != FORMAT:
        raise ValueError(f"its format is {fields['format']}, and this version reads {FORMAT}")
    scorer, grid, poolable = (fields[name] for name in About._fields)
    types = [type(value) for value in (scorer, grid, poolable)]
    if types != [str, int, bool] or not 1 <= grid <= LARGEST_GRID:
        raise ValueError("what it says about its maps is of other types")
    return About(scorer, grid, poolable)
