"""Paths in one block of memory: what a list of texts gives, at every place and in every slice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.stores.packed_paths import PackedPaths

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
PATHS = st.lists(NAMES | st.just("caf\udcff/a.jpg"), max_size=40)


@given(PATHS, st.data())
def test_packed_paths_are_like_a_list(paths: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(paths)))
    packed = PackedPaths(paths[:cut])
    packed.extend(paths[cut:])
    assert packed == paths
    assert list(packed) == paths
    assert [packed[index] for index in range(-len(paths), len(paths))] == paths * 2
    chosen = data.draw(st.slices(len(paths)))
    assert packed[chosen] == paths[chosen]


@pytest.mark.parametrize("index", [1, -2])
def test_a_place_beyond_the_paths_is_an_error(index: int) -> None:
    with pytest.raises(IndexError):
        PackedPaths(["a"])[index]
