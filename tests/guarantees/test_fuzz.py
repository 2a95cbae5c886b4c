"""Broken pictures end neither a run nor a worker, and nothing comes out of them unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import figures_of
from tests.guarantees.fuzz import MAX_PIXELS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("count", "workers"), [(300, 0), (60, 1)], ids=["here", "in a worker"])
def test_each_is_decoded_as_pillow_decodes_it_or_refused(
    tmp_path: Path, count: int, workers: int
) -> None:
    figures = figures_of("fuzz", tmp_path, count, 3, workers)
    assert figures["pictures"] == count == figures["made"] + figures["refused"]
    assert min(figures["made"], figures["refused"]) > count // 10
    # What the libraries themselves take, and some copies of a picture of MAX_PIXELS.
    assert figures["peak_mib"] < 250 + 20 * 3 * MAX_PIXELS / 2**20
