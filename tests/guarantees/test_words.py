"""Broken scorers, label tables, recipes and options are refused, never met with a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import figures_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

COUNT = 100


def test_each_is_used_or_refused_in_a_sentence(tmp_path: Path) -> None:
    figures = figures_of("words", tmp_path, COUNT)
    assert [figures[kind] for kind in ("scorer", "labels", "recipe", "config")] == [COUNT // 4] * 4
    assert figures["exit 2"] > COUNT // 4
    assert figures["exit 0"] > 5
    assert figures.keys() <= {"scorer", "labels", "recipe", "config", "exit 0", "exit 2"}


@pytest.mark.parametrize("key", ["labels", "out"])
def test_path_with_a_nul_is_refused(cli: Cli, photos: Path, tmp_path: Path, key: str) -> None:
    path = tmp_path / "options.toml"
    path.write_text(f'{key} = "a\\u0000b"\n')
    end = cli("cutout", photos, "--config", path)
    assert (end.code, end.err) == (
        2,
        f"augcli: {key} in {path}: holds a NUL character, which no path can\n",
    )


def test_options_nested_beyond_measure_are_refused(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "options.toml").write_text("copies = " + "[" * 5000)
    end = cli("cutout", photos, "--config", tmp_path / "options.toml")
    assert (end.code, " is not TOML: " in end.err) == (2, True)
