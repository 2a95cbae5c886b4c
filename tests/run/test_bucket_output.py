"""OUT in a bucket: the same outputs as in a folder, and nothing else."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.output import LOCK, STATE, OutputFolder
from augcli.errors import OutputError
from augcli.files import Url, spool
from augcli.files.owners import GONE_AFTER, HOST
from augcli.files.remote import bucket as bucket_files
from augcli.files.remote import objects, presence
from augcli.files.remote.bucket import Bucket
from tests.buckets import download, upload
from tests.command import ROOT, call, environment
from tests.guarantees.buckets import bucket_tree
from tests.photos import class_folders, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.buckets import Proxy
    from tests.conftest import Cli

METHOD = augcli.Cutout(patch=8, fill="black")


@pytest.mark.parametrize("to", ["folder", "webdataset", "parquet"])
def test_a_bucket_holds_what_a_folder_holds(
    cli: Cli, photos: Path, tmp_path: Path, every_bucket: str, to: str
) -> None:
    out = f"{every_bucket}/out"
    given = ("cutmix", photos, "--to", to, "--format", "png", "--originals", "encode")
    for place in (out, tmp_path / "out"):
        end = cli(*given, "--out", place)
        assert end.code == 0, end.err
        assert end.out == f"{place}/metadata.csv\n"
    assert bucket_tree(out) == tree(tmp_path / "out", hidden=False)
    assert set(download(out)) == {*tree(tmp_path / "out"), "run.json"}
    before = download(out)
    end = cli(*given, "--out", out)
    assert "nothing to do" in end.err
    assert download(out) == before
    end = cli("verify", out, "--against", photos)
    assert end.code == 0, end.err
    assert "18 made again, 18 of them identical" in end.out
    assert "9 of 9 made, 0 failed, 0 left" in cli("status", out).out


@pytest.mark.parametrize("to", ["folder", "webdataset"])
def test_workers_write_a_bucket(photos: Path, tmp_path: Path, bucket: str, to: str) -> None:
    out = f"{bucket}/out"
    augcli.augment(photos, METHOD, out=out, workers=2, copies=3, to=to)
    augcli.augment(photos, METHOD, out=tmp_path / "out", workers=2, copies=3, to=to)
    assert bucket_tree(out) == tree(tmp_path / "out", hidden=False)


def test_out_lies_beside_input_by_default(cli: Cli, photos: Path, any_bucket: str) -> None:
    url = upload(photos, f"{any_bucket}/photos")
    end = cli("cutout", url, "--patch", 8)
    assert end.out == f"{any_bucket}/photos-cutout/metadata.csv\n"
    end = cli("cutout", any_bucket, "--patch", 8)
    assert end.code == 2
    assert "is a whole bucket" in end.err
    assert "--out" in end.err


def test_a_set_that_changes_is_brought_up_to_date(
    photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    out = f"{any_bucket}/out"
    augcli.augment(photos, METHOD, out=out, workers=0)
    class_folders(photos, {"cat": 70, "yak": 2})
    (photos / "dog/001.png").unlink()
    augcli.augment(photos, METHOD, out=out, workers=0)
    augcli.augment(photos, METHOD, out=tmp_path / "out", workers=0)
    assert bucket_tree(out) == tree(tmp_path / "out", hidden=False)


def test_another_command_starts_over(photos: Path, tmp_path: Path, any_bucket: str) -> None:
    out = f"{any_bucket}/out"
    augcli.augment(photos, METHOD, out=out, workers=0, to="webdataset")
    with pytest.raises(OutputError, match="was made by another command"):
        augcli.augment(photos, METHOD, out=out, workers=0, seed=1)
    augcli.augment(photos, METHOD, out=out, workers=0, seed=1, overwrite=True)
    augcli.augment(photos, METHOD, out=tmp_path / "out", workers=0, seed=1)
    assert bucket_tree(out) == tree(tmp_path / "out", hidden=False)


def test_what_is_missing_or_damaged_is_made_again(cli: Cli, photos: Path, any_bucket: str) -> None:
    out = f"{any_bucket}/out"
    given = ("cutout", photos, "--patch", 8, "--fill", "black", "--out", out)
    assert cli(*given).code == 0
    before = bucket_tree(out)
    first, second, *_ = sorted(name for name in before if name.endswith(".png"))
    objects.remove([f"{out}/{first}"])
    objects.put(f"{out}/{second}", b"cut short")
    objects.put(f"{out}/cat/stray.png", b"a stray")
    end = cli("verify", out)
    assert end.code == 1
    assert all(name in end.err for name in (first, second, "cat/stray.png"))
    objects.remove([f"{out}/cat/stray.png"])
    end = cli(*given)
    assert "missing or damaged: 2 outputs" in end.err
    assert bucket_tree(out) == before


def test_splits_and_maps_of_several_copies_go_along(
    cli: Cli, tmp_path: Path, any_bucket: str, scorer: Path
) -> None:
    source = tmp_path / "set"
    for split in ("train", "val"):
        class_folders(source / split, {"cat": 3, "dog": 2})
    out = f"{any_bucket}/out"
    for place in (out, tmp_path / "out"):
        end = cli("cutmix", source, "--model", scorer, "--copies", 3, "--out", place)
        assert end.code == 0, end.err
    assert bucket_tree(out) == tree(tmp_path / "out", hidden=False)


def test_a_dry_run_writes_nothing(cli: Cli, photos: Path, any_bucket: str) -> None:
    out = f"{any_bucket}/out"
    end = cli("cutout", photos, "--patch", 8, "--out", out, "--dry-run")
    assert end.code == 0, end.err
    assert "needed" in end.err + end.out
    assert download(out) == {}


def test_only_one_run_writes_a_bucket(every_bucket: str) -> None:
    first, second = (OutputFolder(Url(f"{every_bucket}/out")) for _ in range(2))
    first.open()
    assert second.is_locked()
    with pytest.raises(OutputError, match="is in use by another run"):
        second.open()
    first.close()
    assert not objects.holds_objects(every_bucket)
    second.open()
    second.close()
    assert not objects.holds_objects(every_bucket)


@pytest.mark.parametrize(
    ("host", "process", "age", "is_taken"),
    [
        (HOST, 2**22 + 1, 10, False),
        (HOST, 1, 10, True),
        (HOST, 1, GONE_AFTER + 1, False),
        ("elsewhere", 1, 10, True),
        ("elsewhere", 1, GONE_AFTER + 1, False),
    ],
    ids=["killed here", "at work here", "restarted here", "at work there", "killed there"],
)
def test_a_run_that_was_killed_holds_no_lock_for_long(
    any_bucket: str, host: str, process: int, age: float, is_taken: bool
) -> None:
    url = f"{any_bucket}/out"
    left = {"host": host, "process": process, "time": time.time() - age}
    objects.put(f"{url}/{LOCK}-7", json.dumps(left).encode())
    output = OutputFolder(Url(url))
    assert output.is_locked() is is_taken
    if is_taken:
        with pytest.raises(OutputError, match="is in use by another run"):
            output.open()
        return
    output.open()
    assert [name for name in download(url) if name.startswith(STATE)] == [f"{LOCK}-8"]
    output.close()
    assert download(url) == {}


def test_a_run_shows_again_and_again_that_it_is_at_work(
    any_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "RENEWED_EVERY", 0.01)
    output = OutputFolder(Url(f"{any_bucket}/out"))
    output.open()
    lock = f"{any_bucket}/out/{LOCK}-1"
    written = objects.read(lock).data
    while objects.read(lock).data == written:
        time.sleep(0.005)
    output.close()
    time.sleep(0.05)
    assert download(f"{any_bucket}/out") == {}


def test_what_is_not_ours_is_refused(cli: Cli, photos: Path, any_bucket: str) -> None:
    upload(photos, f"{any_bucket}/photos")
    objects.put(f"{any_bucket}/file", b"an object")
    for out, problem in (
        (f"{any_bucket}/photos", "holds files that augcli did not make"),
        (f"{any_bucket}/file", "is not a folder"),
        ("https://example.org/out", "lies on a web server"),
        ("file:///tmp/out", "is no URL that augcli takes"),
    ):
        end = cli("cutout", photos, "--patch", 8, "--out", out)
        assert end.code == 2, end.err
        assert problem in end.err
        assert len(end.err.splitlines()) == 1
    end = cli("cutout", f"{any_bucket}/photos", "--patch", 8, "--out", any_bucket)
    assert end.code == 2
    assert "holds INPUT" in end.err


def test_an_output_in_a_bucket_is_read_back_and_mixed_again(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    out = f"{any_bucket}/out"
    for name, place in (("there", out), ("here", tmp_path / "out")):
        assert cli("cutmix", photos, "--out", place).code == 0
        end = cli("mixup", place, "--out", tmp_path / name)
        assert end.code == 0, end.err
    assert tree(tmp_path / "there", hidden=False) == tree(tmp_path / "here", hidden=False)
    assert augcli.read(out).rows == augcli.read(tmp_path / "out").rows


def test_split_and_files_of_maps_stay_on_this_machine(
    cli: Cli, photos: Path, any_bucket: str
) -> None:
    upload(photos, f"{any_bucket}/photos")
    for words in (
        ("split", f"{any_bucket}/photos", "--val", 0.5),
        ("split", photos, "--val", 0.5, "--out", f"{any_bucket}/split"),
        ("heatmaps", photos, "--out", f"{any_bucket}/maps.npz"),
    ):
        end = cli(*words)
        assert end.code == 2, end.err
        assert any_bucket in end.err
        assert len(end.err.splitlines()) == 1


def test_heat_maps_are_made_of_a_bucket(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str, scorer: Path
) -> None:
    url = upload(photos, f"{any_bucket}/photos")
    for name, place in (("there", url), ("here", photos)):
        end = cli("heatmaps", place, "--model", scorer, "--out", tmp_path / f"{name}.npz")
        assert end.code == 0, end.err
    there, here = (tmp_path / f"{name}.npz" for name in ("there", "here"))
    assert there.read_bytes() == here.read_bytes()


def test_a_bucket_that_is_not_there_stops_before_the_work(
    cli: Cli, photos: Path, bucket: str, proxy: Proxy
) -> None:
    end = cli("cutout", photos, "--patch", 8, "--out", f"{bucket}-none/out")
    assert end.code == 2
    assert "there is no bucket of this name" in end.err
    assert proxy.faults.requests["PUT"] == 1, "that of the bucket itself"


def test_a_name_that_no_object_can_have_is_a_row(
    photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    deep = photos / "cat" / "/".join(["d" * 90] * 11)
    deep.mkdir(parents=True)
    shutil.copy2(photos / "cat/000.jpg", deep / "a.jpg")
    summary = augcli.augment(photos, METHOD, out=f"{any_bucket}/out", workers=0)
    assert (summary.images, summary.failed) == (9, 1)
    assert b"too long" in objects.read(f"{any_bucket}/out/errors.csv").data


POISON = """
import os, signal, sys

def end_of(event, arguments):
    if event == "open" and str(arguments[0]).endswith("poison.jpg"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(end_of)
"""


def test_a_worker_that_dies_loses_none_of_the_shards_that_it_was_given(
    tmp_path: Path, bucket: str
) -> None:
    source = class_folders(tmp_path / "photos", {"a": 4, "b": 4})
    options = ["--patch", 5, "--fill", "black", "--copies", 4, "--workers", 1]
    assert call("cutout", source, *options, "--out", tmp_path / "clean").code == 0
    (source / "a/poison.jpg").write_bytes(b"reading me is deadly")
    (tmp_path / "sitecustomize.py").write_text(POISON)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    out = f"{bucket}/out"
    end = call("cutout", source, *options, "--out", out, env=environment(PYTHONPATH=path))
    assert end.code == 1, end.err
    made = download(out)
    assert made["errors.csv"].decode().count("a/poison.jpg") == 1
    clean = tree(tmp_path / "clean")
    pictures = {name for name in clean if "-cutout-" in name}
    assert len(pictures) == 32
    assert {name: made[name] for name in pictures} == {name: clean[name] for name in pictures}


@pytest.mark.parametrize("to", ["folder", "webdataset"])
def test_a_full_temporary_folder_is_named(
    cli: Cli,
    photos: Path,
    any_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    to: str,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    @contextlib.contextmanager
    def full(_: str) -> Iterator[None]:
        with spool.naming_folder(str(tmp_path)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield

    monkeypatch.setattr(bucket_files, "naming_folder", full)
    out = f"{any_bucket}/out"
    end = cli("cutout", photos, "--patch", 5, "--fill", "black", "--out", out, "--to", to)
    assert end.code == 3
    assert f"the temporary folder {tmp_path} has no room" in end.err
    assert "TMPDIR" in end.err
    monkeypatch.undo()


def test_parts_are_read_several_at_a_time_and_in_order(bucket: str) -> None:
    files = Bucket(f"{bucket}/out")
    names = [f"{number:03d}" for number in range(48)]
    for name in names:
        files.publish(name, name.encode())
    together = threading.Barrier(4)

    def read(name: str) -> bytes:
        together.wait(30)
        return files.read(name)

    assert list(files.in_turn(iter(names), read)) == [name.encode() for name in names]
    some = iter(files.in_turn(iter(names), files.read))
    assert next(some) == b"000"
    files.close()


def test_what_is_only_read_may_have_a_url(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    recipe = b"[[step]]\nuse = 'cutmix'\ntop_n = 4\n"
    (tmp_path / "mixes.toml").write_bytes(recipe)
    assert cli("heatmaps", photos, "--out", tmp_path / "maps.npz").code == 0
    for name in ("mixes.toml", "maps.npz"):
        objects.put(f"{any_bucket}/{name}", (tmp_path / name).read_bytes())
    objects.put(f"{any_bucket}/config.toml", b"[run]\nseed = 7\n")
    for place in (tmp_path, any_bucket):
        out = tmp_path / ("here" if place is tmp_path else "there")
        (tmp_path / "config.toml").write_bytes(b"[run]\nseed = 7\n")
        words = ["run", f"{place}/mixes.toml", photos, "--config", f"{place}/config.toml"]
        end = cli(*words, "--heatmaps", f"{place}/maps.npz", "--out", out)
        assert end.code == 0, end.err
        assert "not in" not in end.err, "all maps are in the file"
    assert tree(tmp_path / "there", hidden=False) == tree(tmp_path / "here", hidden=False)


def test_a_url_that_can_not_be_read_is_refused_in_one_sentence(
    cli: Cli, photos: Path, any_bucket: str, tmp_path: Path
) -> None:
    missing = f"{any_bucket}/missing"
    for words in (
        ("run", f"{missing}.toml", photos),
        ("run", "ftp://me:secret@host/mixes.toml", photos),
        ("cutout", photos, "--config", f"{missing}.toml"),
        ("cutmix", photos, "--heatmaps", f"{missing}.npz"),
    ):
        end = cli(*words, "--out", tmp_path / "out")
        assert end.code == 2, end.err
        assert len(end.err.splitlines()) == 1, end.err
        assert "secret" not in end.err
        assert not (tmp_path / "out").exists()
