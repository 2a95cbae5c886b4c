"""Heat maps of a batch: the same maps and cells, wherever they come from."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from augcli.attention.heat_map_file import About, HeatMaps, save_maps
from augcli.errors import ParameterError
from augcli.pixels.batches import best_cells
from augcli.torch import batch_maps
from augcli.torch.batch_maps import BatchMaps, NamedMaps

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [f"cat/{number:02d}.jpg" for number in range(20)]


@pytest.fixture
def stored(tmp_path: Path) -> HeatMaps:
    """A file of heat maps, some of whose scores are equal."""
    maps = np.random.default_rng(0).integers(0, 9, (len(NAMES), 7, 7)).astype(np.float16)
    hashes = np.zeros((len(NAMES), 32), np.uint8)
    path = tmp_path / "maps.npz"
    save_maps(path, About("00" * 32, 7, True), NAMES, hashes, maps)
    return HeatMaps.load(path)


@pytest.mark.parametrize(("grid", "count"), [(7, 6), (7, 49), (5, 3), (1, 1)])
def test_a_file_a_mapping_and_a_batch_of_maps_give_the_same(
    grid: int, count: int, stored: HeatMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several pieces, of which the last is shorter.
    monkeypatch.setattr(batch_maps, "PIECE", 8)
    order = np.random.default_rng(1).permutation(len(NAMES))[:9]
    expected = NamedMaps(dict(stored)).maps([NAMES[index] for index in order], grid)
    chosen = NamedMaps(stored)
    chosen.choose(grid, count)
    own = np.stack([stored[name] for name in NAMES])
    for maps in (
        BatchMaps(NAMES, None, NamedMaps(stored)),
        BatchMaps(NAMES, None, chosen),
        BatchMaps(NAMES, own, NamedMaps(None)),
    ):
        for _ in range(2):
            assert np.array_equal(maps.maps(order, grid), expected)
            assert np.array_equal(maps.best(order, grid, count), best_cells(expected, count))


def test_a_name_that_is_missing_is_refused_also_beside_names_that_were_found(
    stored: HeatMaps,
) -> None:
    maps = NamedMaps(stored)
    maps.choose(7, 6)
    maps.best(NAMES, 7, 6)
    for names in (["dog.jpg"], [*NAMES[:3], "dog.jpg"]):
        with pytest.raises(ParameterError, match=r"has no heat map of 'dog\.jpg'"):
            maps.best(names, 7, 6)


def test_places_of_a_bounded_number_of_names_are_kept(
    stored: HeatMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_maps, "NAMES_KEPT", 5)
    maps = NamedMaps(stored)
    before = len(pickle.dumps(maps))
    for start in (0, 4, 8, 12, 16):
        names = NAMES[start : start + 4]
        assert np.array_equal(maps.maps(names, 7), np.stack([stored[name] for name in names]))
    assert len(maps._places) == 8
    assert len(pickle.dumps(maps)) == before


def test_maps_that_are_too_small_are_refused_before_the_first_batch(stored: HeatMaps) -> None:
    with pytest.raises(ParameterError, match="are 7 x 7, but the method needs 8 x 8"):
        NamedMaps(stored).choose(8, 6)
