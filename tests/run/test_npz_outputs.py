"""`--to npz`: all pictures of a split in one array."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.data.codecs.npy import npy_header
from augcli.data.sinks.npz import NpzSink
from augcli.errors import ParameterError, UsageError
from augcli.files import Folder
from tests.photos import class_folders, picture, read, save, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

PLAIN = ("cutout", "--patch", 9, "--fill", "black")
NPZ = ("--to", "npz", "--size", "24x20")


def arrays(file: Path) -> dict[str, Any]:
    """Return the arrays of a file, as a user loads them."""
    with np.load(file, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for split, count in (("train", 4), ("val", 2)):
        class_folders(tmp_path / "data" / split, {"cat": count, "dög": count})
    return tmp_path / "data"


@pytest.mark.parametrize("workers", [0, 2])
def test_arrays_hold_what_files_hold(cli: Cli, data: Path, tmp_path: Path, workers: int) -> None:
    out, files = tmp_path / "out", tmp_path / "files"
    options = ("--alpha", 1, "--size", "24x20", "--copies", 2, "--workers", workers)
    assert cli("mixup", data, "--to", "npz", *options, "--out", out).code == 0
    assert (
        cli("mixup", data, "--format", "png", *options, "--rest", "encode", "--out", files).code
        == 0
    )
    assert sorted(path.name for path in out.glob("*.npz")) == [
        *(f"train-{number:05d}-of-00002.npz" for number in range(2)),
        "val-00000-of-00001.npz",
    ]
    expected = {row.file_name.rpartition(".")[0]: row for row in augcli.read(files).rows}
    seen = 0
    for file in out.glob("*.npz"):
        content = arrays(file)
        assert list(content) == ["images", "labels", "classes", "names", "split"]
        assert content["classes"].tolist() == ["cat", "dög"]
        assert content["images"].dtype == np.uint8
        assert content["images"].shape == (len(content["names"]), 20, 24, 3)
        assert content["labels"].dtype == np.float32
        named = zip(content["images"], content["labels"], content["names"], strict=True)
        for image, label, name in named:
            # In containers, names of folders are plain.
            row = next(
                r for key, r in expected.items() if key.endswith(name[:-4].rpartition("/")[2])
            )
            assert np.array_equal(image, read(files / row.file_name))
            weights = dict(row.label.weights)
            assert label.tolist() == [np.float32(weights.get(n, 0)) for n in ("cat", "dög")]
            seen += 1
        assert set(content["split"]) == {file.name.partition("-")[0]}
    assert seen == len(expected)
    end = cli("verify", out, "--against", data)
    assert end.code == 0, end.err
    assert f"{seen} of them identical" in end.out + end.err
    assert augcli.read(out).targets.shape == (seen, 2)


def test_grey_pictures_have_one_channel(cli: Cli, tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / f"photos/a/{number}.png", picture(number, 20, 20)[..., 0])
    out = tmp_path / "out"
    options = (*PLAIN, tmp_path / "photos", "--to", "npz", "--size", 20)
    assert cli(*options, "--out", out).code == 0
    assert arrays(out / "data-00000-of-00001.npz")["images"].shape == (4, 20, 20, 1)
    assert cli("verify", out, "--against", tmp_path / "photos").code == 0
    # Among pictures with colours they are refused, in words.
    save(tmp_path / "photos/a/4.png", picture(4, 20, 20))
    end = cli(*options, "--out", tmp_path / "mixed")
    assert end.code == 1
    assert "but those before it in its file are" in end.err
    assert "--channels rgb" in end.err
    assert cli(*options, "--channels", "rgb", "--out", tmp_path / "rgb").code == 0
    assert arrays(tmp_path / "rgb/data-00000-of-00001.npz")["images"].shape == (5, 20, 20, 3)


def test_what_arrays_can_not_hold_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=r"holds images of one size, .* give `size`"):
        augcli.export(data, to="npz", out=out)
    with pytest.raises(ParameterError, match="is for files, but `to` npz holds arrays"):
        augcli.export(data, to="npz", size=20, format="png", out=out)
    monkeypatch.setattr("augcli.run.checking.encoding.MOST_BYTES", 10_000)
    with pytest.raises(UsageError, match=r"0\.0 GB for 12 images of 20x20.* use `to` webdataset"):
        augcli.export(data, to="npz", size="20", out=out)
    assert not out.exists()


def test_a_damaged_file_is_made_again(cli: Cli, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = (*PLAIN, data, *NPZ, "--out", out)
    assert cli(*options).code == 0
    before = tree(out)
    file = out / "train-00000-of-00001.npz"
    for content in (before[file.name][:-40], b"", before["val-00000-of-00001.npz"]):
        file.write_bytes(content)
        assert cli("verify", out).code == 1
        assert cli(*options).code == 0
        assert tree(out) == before
    flipped = bytearray(before[file.name])
    flipped[400] ^= 1
    file.write_bytes(flipped)
    end = cli("verify", out)
    assert end.code == 1
    assert "is not the file that was written" in end.err


def test_an_extended_set_is_that_of_a_clean_run(cli: Cli, data: Path, tmp_path: Path) -> None:
    out, clean = tmp_path / "out", tmp_path / "clean"
    assert cli(*PLAIN, data, *NPZ, "--out", out).code == 0
    save(data / "train/cat/new.png", picture(9, 30, 30))
    for options in ((), ("--copies", 2), ("--manifest", "parquet", "--soft-label", "list")):
        assert cli(*PLAIN, data, *NPZ, *options, "--out", out).code == 0
        shutil.rmtree(clean, ignore_errors=True)
        assert cli(*PLAIN, data, *NPZ, *options, "--out", clean).code == 0
        assert tree(out) == tree(clean)
    assert "nothing to do" in cli(*PLAIN, data, *NPZ, *options, "--out", out).err


def test_pictures_are_read_by_name(cli: Cli, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli(*PLAIN, data, *NPZ, "--out", out).code == 0
    sink = NpzSink(Folder(str(out), "tmp"), None)  # type: ignore[arg-type]  # only for writing
    for row in augcli.read(out).rows:
        content = arrays(out / row.file_name.partition("/")[0])
        at = content["names"].tolist().index(row.file_name.partition("/")[2])
        expected = content["images"][at]
        assert sink.read(row.file_name) == npy_header(*expected.shape) + expected.tobytes()
    with pytest.raises(FileNotFoundError):
        sink.read(row.file_name.partition("/")[0] + "/more.npy")
    with pytest.raises(OSError, match="large"):
        sink.read(row.file_name, 10)
