"""Sets that grow, shrink, break and are repaired: OUT is always that of a run that begins anew."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from augcli.data.output import FOLDED_PARTS, output_files
from augcli.data.stores.folder import FolderStore
from augcli.plan.parts import Parts
from tests.photos import class_folders, picture, read, rows, save, times, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from augcli.data.stores.sources import Source
    from tests.conftest import Cli


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what makes sources unreadable, and all others readable again."""
    hidden: set[str] = set()
    real = FolderStore.read

    def refusing(self: FolderStore, source: Source, **options: Any) -> bytes:
        if source.path in hidden:
            raise PermissionError(13, "Permission denied")
        return real(self, source, **options)

    monkeypatch.setattr(FolderStore, "read", refusing)

    def set_hidden(*paths: str) -> None:
        hidden.clear()
        hidden.update(paths)

    return set_hidden


def assert_as_anew(cli: Cli, command: list[object], out: Path) -> None:
    """Compare OUT with that of the same command in a new folder."""
    fresh = out.with_name(f"{out.name}-fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    cli(*command, "--out", fresh)
    there, anew = tree(out), tree(fresh)
    # It also names outputs that were removed since.
    del there[FOLDED_PARTS], anew[FOLDED_PARTS]
    assert there == anew
    found = cli("verify", out, "--against", command[1])
    assert (found.code, found.err) == (0, "")


@pytest.fixture
def command(scorer: Path, photos: Path) -> list[object]:
    options = ["--model", scorer, "--top-n", 9, "--format", "png", "--workers", 0]
    return ["cutmix", photos, *options]


def test_a_set_that_grows_is_cut_into_more_shards(
    cli: Cli, command: list[object], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command += ["--copies", 2]
    class_folders(photos, {"fox": 30}, side=10)
    cli(*command, "--out", out)
    before, few = times(out), stored_parts(out)
    class_folders(photos, {"new": 60}, side=10)
    cli(*command, "--out", out)
    many = stored_parts(out)
    assert ({shard[-5:] for shard in few}, {shard[-5:] for shard in many}) == ({"00002"}, {"00008"})
    # Only pictures with a new donor are made again.
    old = [row for row in rows(out) if not row["source_a"].startswith("new/")]
    stay = [row for row in old if not row["source_b"].startswith("new/")]
    assert stay
    assert all(times(out)[row["file_name"]] == before[row["file_name"]] for row in stay)
    assert_as_anew(cli, command, out)


def stored_parts(out: Path) -> list[str]:
    return [stored.shard for stored in Parts(output_files(str(out))).read()]


@pytest.mark.parametrize("retry", [[], ["--retry-failed"]])
def test_a_source_that_can_be_read_again_gives_what_it_would_have_given(
    cli: Cli,
    command: list[object],
    hide: Callable[..., None],
    tmp_path: Path,
    retry: list[object],
) -> None:
    out = tmp_path / "out"
    hide("cat/001.png", "dog/000.jpg")
    assert cli(*command, "--out", out).code == 1
    hide()
    assert cli(*command, "--out", out, *retry).code == 0
    assert_as_anew(cli, command, out)


def test_the_only_other_source_is_tried_again(
    cli: Cli, command: list[object], hide: Callable[..., None], tmp_path: Path
) -> None:
    two = class_folders(tmp_path / "two", {"a": 1, "b": 1}, side=20)
    command[1] = two
    out = tmp_path / "out"
    hide("b/000.jpg")
    assert cli(*command, "--out", out).code == 1
    assert [row["stage"] for row in rows(out, "errors.csv")] == ["donor", "read"]
    hide()
    assert cli(*command, "--out", out).code == 0
    assert_as_anew(cli, command, out)


def test_a_stand_in_stays_while_the_broken_donor_stays_broken(
    cli: Cli, command: list[object], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name in ("cat/001.png", "dog/000.jpg", "emu/000.jpg"):
        (photos / name).write_bytes(b"broken")
    assert cli(*command, "--out", out).code == 1
    before = times(out)
    assert cli(*command, "--out", out).code == 1
    assert times(out) == before
    save(photos / "dog/new.png", picture(5, 20, 20))
    assert cli(*command, "--out", out).code == 1
    assert_as_anew(cli, command, out)
    save(photos / "emu/000.jpg", picture(6, 20, 20))
    assert cli(*command, "--out", out).code == 1
    assert_as_anew(cli, command, out)


def test_many_broken_donors_are_remembered(cli: Cli, command: list[object], tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "many", {"a": 1, "b": 12, "c": 1}, side=20)
    for path in (photos / "b").iterdir():
        path.write_bytes(b"broken")
    command[1] = photos
    out = tmp_path / "out"
    assert cli(*command, "--out", out).code == 1
    before = times(out)
    assert "nothing to do" in cli(*command, "--out", out).err
    assert times(out) == before
    assert_as_anew(cli, command, out)


def test_a_mean_colour_is_estimated_again_where_images_were_missing(
    cli: Cli, photos: Path, hide: Callable[..., None], tmp_path: Path
) -> None:
    command: list[object] = ["cutout", photos, "--workers", 0, "--format", "png"]
    out = tmp_path / "out"
    save(photos / "cat/002.png", read(photos / "cat/001.png") // 4 + 190)
    hide("cat/002.png")
    assert cli(*command, "--out", out).code == 1
    hide()
    assert cli(*command, "--out", out).code == 0
    assert_as_anew(cli, command, out)


def test_estimates_of_a_grown_set_are_refreshed_where_that_is_asked_for(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    command: list[object] = ["cutout", photos, "--workers", 0, "--format", "png"]
    out = tmp_path / "out"
    cli(*command, "--out", out)
    save(photos / "cat/002.png", read(photos / "cat/001.png") // 4 + 190)
    grown = cli(*command, "--out", out)
    assert "the mean colour of the first run stays" in grown.err
    assert "--refresh-estimates" in grown.err
    assert cli(*command, "--out", out, "--refresh-estimates").code == 0
    assert_as_anew(cli, command, out)
    before = times(out)
    assert "nothing to do" in cli(*command, "--out", out).err
    assert times(out) == before


@pytest.mark.parametrize("state", ["missing", "empty", "unlistable"])
def test_a_folder_that_has_no_images_now_stops_the_run(
    cli: Cli,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    command: list[object] = ["cutout", photos, "--workers", 0, "--fill", "black"]
    out = tmp_path / "out"
    cli(*command, "--out", out)
    before = tree(out)
    if state == "unlistable":
        real = os.scandir

        def refusing(path: Any = ".") -> Any:
            if str(path) == f"{photos}/emu":
                raise OSError(5, "Input/output error")
            return real(path)

        monkeypatch.setattr(os, "scandir", refusing)
    else:
        shutil.rmtree(photos / "emu")
        if state == "empty":
            (photos / "emu").mkdir()
    stopped = cli(*command, "--out", out)
    assert stopped.code == 3
    reason = {
        "missing": "is missing",
        "empty": "holds none",
        "unlistable": "can't be listed: Input/output error",
    }
    assert f"{photos / 'emu'} held images in the run before, but now {reason[state]}" in stopped.err
    assert tree(out) == before
    accepted = cli(*command, "--out", out, "--accept-missing")
    assert accepted.code == (1 if state == "unlistable" else 0)
    assert not (out / "emu").exists()


def test_two_sources_with_the_same_name_keep_apart(cli: Cli, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for number, stem in enumerate(("a!&& $", "a!@%*#", "b", "c")):
        save(photos / f"cat/{stem}.png", picture(number, 12, 12))
    out = tmp_path / "out"
    command: list[object] = ["cutout", photos, "--fill", "black", "--workers", 0]
    (photos / "cat/a!@%*#.png").rename(tmp_path / "later.png")
    cli(*command, "--out", out)
    (tmp_path / "later.png").rename(photos / "cat/a!@%*#.png")
    cli(*command, "--out", out)
    assert len({row["file_name"] for row in rows(out)}) == 4
    assert_as_anew(cli, command, out)
