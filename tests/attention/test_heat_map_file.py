"""Files and tables of heat maps: they return what was stored, and refuse what is damaged."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from augcli import HeatMaps
from augcli.attention.heat_map_file import KEY_BYTES, About, save_maps
from augcli.attention.map_table import PROBES, MapTable
from augcli.errors import HeatMapsError
from augcli.pixels.heat_maps import pool_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NAMES = ["a/ü.jpg", "b/new\nline.png", "c.jpg"]


def random_maps(count: int, rows: int = 7, columns: int = 7) -> NDArray[np.float32]:
    """Maps as scorers give them: float32, of values that float16 represents exactly."""
    maps = np.random.default_rng(count).normal(size=(count, rows, columns))
    return maps.astype(np.float16).astype(np.float32)


def keys(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, KEY_BYTES), np.uint8)


def saved(
    path: Path,
    maps: NDArray[np.float32],
    *,
    names: list[str] = NAMES,
    grid: int = 7,
    poolable: bool = True,
) -> Path:
    save_maps(path, About("ab" * 32, grid, poolable), names, keys(len(maps)), maps)
    return path


def test_gives_each_map_by_its_name_and_by_its_content(tmp_path: Path) -> None:
    maps = random_maps(3)
    heat_maps = HeatMaps.load(saved(tmp_path / "m.npz", maps))
    assert list(heat_maps) == NAMES
    assert {name: one.tolist() for name, one in heat_maps.items()} == dict(
        zip(NAMES, maps.tolist(), strict=True)
    )
    for key, one in zip(keys(3), maps, strict=True):
        stored = heat_maps.find(key.tobytes())
        assert stored is not None
        assert stored.tolist() == one.tolist()
    assert heat_maps.find(b"?" * KEY_BYTES) is None
    with pytest.raises(KeyError):
        heat_maps["d.jpg"]


def test_distinguishes_keys_with_the_same_beginning(tmp_path: Path) -> None:
    hashes = np.zeros((3, KEY_BYTES), np.uint8)
    hashes[:, -1] = [5, 6, 7]
    maps = random_maps(3)
    save_maps(tmp_path / "m.npz", About("", 7, True), NAMES, hashes, maps)
    heat_maps = HeatMaps.load(tmp_path / "m.npz")
    for key, one in zip(hashes, maps, strict=True):
        stored = heat_maps.find(key.tobytes())
        assert stored is not None
        assert stored.tolist() == one.tolist()


@pytest.mark.parametrize("grid", [1, 3, 7, 11, 14])
def test_averages_to_any_smaller_grid_when_the_maps_are_the_scorers_own(
    tmp_path: Path, grid: int
) -> None:
    maps = random_maps(3, 14, 16)
    heat_maps = HeatMaps.load(saved(tmp_path / "m.npz", maps), grid)
    assert heat_maps["c.jpg"].tolist() == pool_map(maps[2], grid).tolist()
    assert heat_maps["c.jpg"].dtype == np.float32


@pytest.mark.parametrize(("grid", "poolable"), [(8, True), (6, False)])
def test_refuses_a_grid_that_the_maps_do_not_serve(
    tmp_path: Path, grid: int, poolable: bool
) -> None:
    path = saved(tmp_path / "m.npz", random_maps(3), poolable=poolable)
    with pytest.raises(HeatMapsError, match=f"for a grid of 7, not {grid}"):
        HeatMaps.load(path, grid)


def test_reads_a_file_without_images(tmp_path: Path) -> None:
    assert dict(HeatMaps.load(saved(tmp_path / "m.npz", random_maps(0), names=[]))) == {}


def test_is_an_npz_that_numpy_reads(tmp_path: Path) -> None:
    maps = random_maps(3)
    with np.load(saved(tmp_path / "m.npz", maps)) as arrays_in_file:
        assert arrays_in_file["maps"].tolist() == maps.tolist()
        assert arrays_in_file["maps"].dtype == np.float16
        assert bytes(arrays_in_file["paths"]).decode().split("\0")[:-1] == NAMES


def test_writes_the_same_bytes_again_and_leaves_nothing_else(tmp_path: Path) -> None:
    first = saved(tmp_path / "a.npz", random_maps(3)).read_bytes()
    assert saved(tmp_path / "b.npz", random_maps(3)).read_bytes() == first
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b.npz"]


def rewritten(path: Path, **changed: Any) -> None:
    with np.load(path) as arrays_in_file:
        arrays = {**arrays_in_file, **changed}
    np.savez(path, **{name: one for name, one in arrays.items() if one is not None})


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def compress(path: Path) -> None:
    with np.load(path) as arrays_in_file:
        np.savez_compressed(path, **arrays_in_file)


def nan() -> NDArray[np.float32]:
    maps = random_maps(3)
    maps[1, 2, 3] = np.nan
    return maps


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no heat maps"),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "flipped bit": flip,
    "another zip": lambda path: zipfile.ZipFile(path, "w").close(),
    "compressed": compress,
    "without hashes": lambda path: rewritten(path, hashes=None),
    "float64": lambda path: rewritten(path, maps=np.zeros((3, 7, 7))),
    "other count": lambda path: rewritten(path, maps=random_maps(2)),
    "flat maps": lambda path: rewritten(path, maps=np.zeros((3, 49), np.float16)),
    "small maps": lambda path: rewritten(path, maps=random_maps(3, 6, 7)),
    "fewer paths": lambda path: rewritten(path, paths=np.frombuffer(b"a\0", np.uint8)),
    "paths not UTF-8": lambda path: rewritten(path, paths=np.frombuffer(b"\xff\0" * 3, np.uint8)),
    "NaN": lambda path: rewritten(path, maps=nan()),
    "objects": lambda path: rewritten(path, maps=np.array([None, 1, "x"])),
    "about nothing": lambda path: rewritten(path, about=np.frombuffer(b"[]", np.uint8)),
    "newer": lambda path: rewritten(path, about=np.frombuffer(b'{"format": 2}', np.uint8)),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_refuses_a_file_that_is_damaged_or_something_else(tmp_path: Path, how: str) -> None:
    path = saved(tmp_path / "m.npz", random_maps(3))
    DAMAGE[how](path)
    with pytest.raises(HeatMapsError, match="is not a whole file of heat maps"):
        HeatMaps.load(path)


@pytest.mark.parametrize("name", ["missing.npz", "folder"])
def test_names_a_file_that_can_not_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(HeatMapsError, match=f"{name}: can't be read"):
        HeatMaps.load(tmp_path / name)


def table_at(folder: Path, images: int = 10) -> MapTable:
    return MapTable(str(folder / "maps"), "ab" * 32, (2, 3), images)


def test_a_table_returns_what_another_process_stored(tmp_path: Path) -> None:
    maps = random_maps(200, 2, 3)
    with table_at(tmp_path, 200) as writer, table_at(tmp_path, 200) as reader:
        for key, one in zip(keys(200), maps, strict=True):
            assert reader.get(key.tobytes()) is None
            writer.put(key.tobytes(), one)
            found = reader.get(key.tobytes())
            assert found is not None
            assert found.tolist() == one.tolist()
    with table_at(tmp_path, 200) as again:
        assert all(again.get(key.tobytes()) is not None for key in keys(200))


def test_a_full_table_loses_maps_and_is_never_wrong(tmp_path: Path) -> None:
    maps = random_maps(500, 2, 3)
    with table_at(tmp_path) as table:
        for key, one in zip(keys(500), maps, strict=True):
            table.put(key.tobytes(), one)
        stored_maps = [table.get(key.tobytes()) for key in keys(500)]
    right = [
        stored is None or stored.tolist() == heat_map.tolist()
        for stored, heat_map in zip(stored_maps, maps, strict=True)
    ]
    assert all(right)
    assert 80 <= sum(one is not None for one in stored_maps) <= 80 + PROBES


@pytest.mark.parametrize("how", ["cut", "flip", "zeros"])
def test_a_damaged_record_counts_as_missing_and_is_written_again(tmp_path: Path, how: str) -> None:
    key, heat_map = b"k" * KEY_BYTES, random_maps(1, 2, 3)[0]
    with table_at(tmp_path) as table:
        table.put(key, heat_map)
        path = Path(table.path)
        content = bytearray(path.read_bytes())
        if how == "cut":
            content = content[:-5]
        elif how == "flip":
            content[-20] ^= 1
        else:
            content[-20:] = bytes(20)
        path.write_bytes(content)
        assert table.get(key) is None
        table.put(key, heat_map)
        stored = table.get(key)
        assert stored is not None
        assert stored.tolist() == heat_map.tolist()


def test_maps_are_pickled_by_the_path_of_their_file(tmp_path: Path) -> None:
    heat_maps = HeatMaps.load(saved(tmp_path / "m.npz", random_maps(3)))
    before = len(pickle.dumps(heat_maps))
    expected = dict(heat_maps)
    assert heat_maps.find(bytes(32)) is None
    heat_maps.table()
    again = pickle.dumps(heat_maps)
    assert len(again) == before < 1000
    there = pickle.loads(again)
    assert list(there) == list(expected)
    assert all(np.array_equal(there[name], expected[name]) for name in expected)


def test_a_file_that_was_replaced_is_not_opened_again(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.npz", random_maps(3))
    pickled = pickle.dumps(HeatMaps.load(path))
    saved(path, random_maps(4), names=[*NAMES, "d.jpg"])
    with pytest.raises(HeatMapsError, match="was replaced while it was used"):
        pickle.loads(pickled)


def test_many_maps_are_found_by_name_at_once(tmp_path: Path) -> None:
    heat_maps = HeatMaps.load(
        saved(tmp_path / "m.npz", random_maps(5), names=[*NAMES, "d.jpg", "e.jpg"])
    )
    names = [*list(heat_maps)[::-1], next(iter(heat_maps))]
    found = heat_maps.table().find(names)
    assert np.array_equal(found, np.stack([heat_maps[name] for name in names]))
    with pytest.raises(KeyError, match="nobody"):
        heat_maps.table().find([names[0], "nobody"])
    empty = HeatMaps.load(saved(tmp_path / "e.npz", random_maps(0), names=[]))
    with pytest.raises(KeyError, match="nobody"):
        empty.table().find(["nobody"])


def test_a_flipped_map_is_that_of_the_flipped_picture() -> None:
    heat_map = np.arange(49, dtype=np.float32).reshape(7, 7)
    assert np.array_equal(HeatMaps.flip(heat_map), heat_map[:, ::-1])
    assert np.array_equal(HeatMaps.flip(heat_map, "vertical"), heat_map[::-1])


def test_a_cropped_map_averages_what_is_left() -> None:
    heat_map = np.arange(49, dtype=np.float32).reshape(7, 7)
    assert np.array_equal(HeatMaps.crop(heat_map, (0, 0, 70, 70), (70, 70)), heat_map)
    right = HeatMaps.crop(heat_map, (30, 20, 70, 60), (70, 70), grid=4)
    assert np.array_equal(right, heat_map[2:6, 3:7])
    half = HeatMaps.crop(heat_map, (5, 0, 15, 10), (70, 70), grid=1)
    assert half.tolist() == [[0.5]]
    # Beyond the picture there is nothing to see.
    padded = HeatMaps.crop(np.ones((2, 2), np.float32), (-10, 0, 10, 20), (20, 20))
    assert padded.tolist() == [[0, 1], [0, 1]]
    with pytest.raises(ValueError, match="is empty"):
        HeatMaps.crop(heat_map, (5, 0, 5, 10), (70, 70))
