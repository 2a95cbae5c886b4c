"""Outputs never lie among sources, sources never among outputs, and no folder is walked twice."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

import pytest

from augcli.data.stores.folder import FolderStore
from tests.photos import class_folders, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.fixture
def out(cli: Cli, tmp_path: Path) -> Path:
    """An output with the classes ``photos`` and ``cat``; the first has a folder ``photos``."""
    photos = class_folders(tmp_path / "input", {"photos": 2, "cat": 2})
    shutil.copytree(photos / "photos", photos / "photos/photos")
    out = tmp_path / "out"
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 0
    return out


def test_an_out_that_holds_input_is_refused(cli: Cli, out: Path) -> None:
    before = tree(out)
    for folder in (out / "photos", out / "photos/photos"):
        for more in ((), ("--overwrite",)):
            end = cli("cutout", folder, "--out", out, *more)
            assert (end.code, end.out) == (2, "")
            assert "holds INPUT, whose images the outputs would join" in end.err
    assert tree(out) == before


@needs_links
def test_an_out_that_holds_input_is_refused_by_any_path(
    cli: Cli, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(out)
    before = tree(out)
    for folder, target in (
        (tmp_path / "link/photos", out),
        (out / "photos", tmp_path / "link"),
        (out / "photos", out / "cat" / ".."),
    ):
        end = cli("cutout", folder, "--out", target, "--overwrite")
        assert (end.code, end.out) == (2, "")
        assert "holds INPUT" in end.err
    assert tree(out) == before


def test_an_out_inside_an_output_is_refused(cli: Cli, photos: Path, out: Path) -> None:
    before = tree(out)
    for folder, target in (
        (photos, out / "more"),
        (photos, out / "photos"),
        (photos, out / "photos/deep/er"),
        (out, out / "more"),
    ):
        end = cli("cutout", folder, "--out", target)
        assert (end.code, end.out) == (2, "")
        assert "an output of augcli, whose images the outputs would join" in end.err or (
            "holds files that augcli did not make" in end.err
        )
    # The default lies beside INPUT.
    end = cli("cutout", out / "photos")
    assert (end.code, "an output of augcli" in end.err) == (2, True)
    assert tree(out) == before


def test_a_class_of_an_output_is_no_input_without_a_table(
    cli: Cli, out: Path, tmp_path: Path
) -> None:
    end = cli("cutout", out / "photos", "--out", tmp_path / "more")
    assert (
        end.code,
        f"which augcli made: only the table there has the labels; give {out}" in (end.err),
    ) == (2, True)
    names = [path.relative_to(out / "photos").as_posix() for path in out.glob("photos/**/*.*")]
    table = tmp_path / "labels.csv"
    table.write_text("file_name,label\n" + "".join(f"{name},cat\n" for name in names))
    assert cli("cutout", out / "photos", "--labels", table, "--out", tmp_path / "more").code == 0


@pytest.mark.parametrize("lost", ["run.json", "damaged", "parts.jsonl.gz"])
def test_outputs_inside_input_are_no_sources(
    cli: Cli, photos: Path, tmp_path: Path, lost: str
) -> None:
    out = photos / "out"
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 0
    if lost == "damaged":
        (out / "run.json").write_text("{")
    else:
        (out / lost).unlink()
    found = FolderStore(str(photos)).list()
    assert {path.partition("/")[0] for path in found.paths} == {"cat", "dog", "emu"}
    assert found.skipped["folder", "an output of augcli"] == 1


def test_outputs_of_a_run_that_never_ended_are_no_sources(photos: Path) -> None:
    (photos / "out/cat").mkdir(parents=True)
    (photos / "out/.augcli").mkdir()
    shutil.copy(next(photos.glob("cat/*")), photos / "out/cat")
    assert len(FolderStore(str(photos)).list()) == 9


def test_overlays_do_not_join_sources_or_outputs(
    cli: Cli, photos: Path, scorer: Path, out: Path, tmp_path: Path
) -> None:
    inner = class_folders(tmp_path / "whole/inner", {"inner": 2})
    before = tree(tmp_path)
    maps = ("--model", scorer, "--out", tmp_path / "maps.npz")
    for folder, overlay in (
        (photos, photos),
        (photos, photos / "new/er"),
        (inner, tmp_path / "whole"),
        (photos, out),
        (photos, out / "cat"),
    ):
        end = cli("heatmaps", folder, *maps, "--overlay", overlay)
        assert (end.code, end.out) == (2, "")
        assert "`overlay`" not in end.err
        assert "--overlay" in end.err
    assert tree(tmp_path) == before


@needs_links
def test_overlays_follow_no_link(cli: Cli, photos: Path, scorer: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "cat").symlink_to(photos / "cat")
    before = tree(photos)
    command = ("heatmaps", photos, "--model", scorer, "--out", tmp_path / "maps.npz")
    end = cli(*command, "--overlay", overlay)
    assert (end.code, "cat is a symbolic link" in end.err) == (3, True)
    assert tree(photos) == before
    (overlay / "cat").unlink()
    assert cli(*command, "--overlay", overlay).code == 0
    assert sorted(path.name for path in overlay.iterdir()) == ["cat", "dog", "emu"]


def test_a_file_that_came_meanwhile_is_not_replaced(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import augcli.run.heatmaps

    out = tmp_path / "maps.npz"
    collect = augcli.run.heatmaps._collect

    def slow(*arguments: object) -> None:
        collect(*arguments)  # type: ignore[arg-type]
        out.write_bytes(b"mine")

    monkeypatch.setattr(augcli.run.heatmaps, "_collect", slow)
    end = cli("heatmaps", photos, "--model", scorer, "--out", out)
    assert (end.code, out.read_bytes()) == (2, b"mine")


@pytest.mark.parametrize("name", ["out", "recipe"])
def test_no_command_replaces_a_source(
    cli: Cli, photos: Path, scorer: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    photo = next(photos.glob("cat/*"))
    before = tree(photos)
    monkeypatch.chdir(photos.parent)
    commands: dict[str, list[tuple[object, ...]]] = {
        "out": [
            ("cutout", photos, "--overwrite", "--out", photo),
            ("cutout", photos, "--overwrite", "--out", photos / "cat"),
            ("cutout", photos, "--overwrite", "--out", photos),
            ("heatmaps", photos, "--model", scorer, "--overwrite", "--out", photo),
            ("heatmaps", photos, "--model", scorer, "--overwrite", "--out", photos / "cat"),
            ("scorer", "prepare", scorer, "--preset", "unit", "--overwrite", "-o", photo),
        ],
        "recipe": [("recipe", "init", "erase", "-o", photo)],
    }
    for command in commands[name]:
        end = cli(*command)
        assert (end.code, end.out) == (2, "")
    assert tree(photos) == before


@needs_links
def test_folders_with_links_to_one_another_are_walked_once(tmp_path: Path) -> None:
    """With two links to the next folder at each of 21 levels there are 2**21 paths."""
    folder = class_folders(tmp_path / "input", {"cat": 1})
    for level in range(21):
        (tmp_path / f"deep/{level}").mkdir(parents=True)
        shutil.copy(next(folder.glob("cat/*")), tmp_path / f"deep/{level}/{level}.jpg")
        for side in ("a", "b"):
            (tmp_path / f"deep/{level}/{side}").symlink_to(tmp_path / f"deep/{level + 1}")
    (folder / "links").symlink_to(tmp_path / "deep/0")
    begun = time.monotonic()
    found = FolderStore(str(folder), follow_links=True).list()
    assert time.monotonic() - begun < 10
    expected = ["links/" + "a/" * level + f"{level}.jpg" for level in range(21)]
    assert found.paths == sorted([*found.paths[:1], *expected])
    assert found.skipped["link", "its folder is read already"] == 20
    # The last level's links lead nowhere.
    assert found.skipped.total() == 22


@needs_links
def test_a_folder_is_read_by_its_own_path_in_any_order_of_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = class_folders(tmp_path / "input", {"cat": 1, "dog": 1})
    for name in ("a-link", "z-link", "cat/link"):
        (folder / name).symlink_to(folder / "dog")
    (folder / "y").symlink_to(tmp_path / "outside")
    (folder / "x").symlink_to(tmp_path / "outside")
    shutil.copytree(folder / "cat", tmp_path / "outside", symlinks=True)
    real = os.scandir

    class Backwards:
        def __init__(self, path: str) -> None:
            with real(path) as scan:
                self._entries = sorted(scan, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self._entries

        def __exit__(self, *_: object) -> None:
            pass

    found = FolderStore(str(folder), follow_links=True).list()
    monkeypatch.setattr(os, "scandir", Backwards)
    again = FolderStore(str(folder), follow_links=True).list()
    assert found.paths == again.paths
    assert [path.rpartition("/")[0] for path in found.paths] == ["cat", "dog", "x"]
    assert found.skipped == {("link", "its folder is read already"): 5}
