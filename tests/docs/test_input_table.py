"""Every line of the table of docs/input.md runs on a small set of its kind."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import re
import shlex
import shutil
import struct
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.docs.pages import ROOT
from tests.photos import class_folders, picture, rows, save

if TYPE_CHECKING:
    from tests.conftest import Cli

PAGE = (ROOT / "docs" / "input.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| [^|]+ \| `(augcli [^`]+)` \|", PAGE, re.MULTILINE)
NAMES = [f"{number}.png" for number in range(6)]
CLASSES = ["cat", "dog"] * 3


def table(path: Path, header: list[str], lines: list[list[object]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *lines])


def shard(path: Path, first: int) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for number in range(first, first + 3):
            photo = save(path.parent / f"{number}.png", picture(number, 20, 24))
            members = {
                f"{number}.png": photo.read_bytes(),
                f"{number}.cls": str(number % 2).encode(),
            }
            photo.unlink()
            for name, data in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))


def idx(path: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(head + values.tobytes()))


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A folder with a small set of each kind that the table names."""
    class_folders(tmp_path / "images", {"cat": 2, "dog": 2})
    for name in ("train", "val", "test"):
        class_folders(tmp_path / "splits" / name, {"cat": 2, "dog": 1})
    for name in ("fold1", "fold2", "fold3"):
        class_folders(tmp_path / "folds" / name, {"cat": 1, "dog": 1})
    flat = tmp_path / "flat"
    for number, name in enumerate(NAMES):
        save(flat / name, picture(number, 20, 24))
    labelled: list[list[object]] = [list(pair) for pair in zip(NAMES, CLASSES, strict=True)]
    table(tmp_path / "labels.csv", ["file_name", "label"], labelled)
    table(flat / "table.tsv", ["image", "class"], labelled, "\t")
    patients = [
        [*line, ["train", "val"][at // 4], f"p{at // 2}"] for at, line in enumerate(labelled)
    ]
    table(tmp_path / "patients.csv", ["file_name", "label", "part", "patient"], patients)
    soft: list[list[object]] = [[name, 0.25, 0.75] for name in NAMES]
    table(tmp_path / "soft.csv", ["file_name", "cat", "dog"], soft)
    many: list[list[object]] = [[name, ["cat;dog", "dog"][at % 2]] for at, name in enumerate(NAMES)]
    table(tmp_path / "many.csv", ["file_name", "labels"], many)
    shutil.copytree(flat, tmp_path / "hugging")
    (tmp_path / "hugging/table.tsv").unlink()
    lines = [json.dumps({"file_name": name, "label": label}) for name, label in labelled]
    (tmp_path / "hugging/metadata.jsonl").write_text("\n".join(lines))
    for number in range(2):
        shard(tmp_path / f"shards/train-{number:04d}.tar", 3 * number)
    pixels = np.stack([picture(number, 20, 24) for number in range(6)])
    numbers = np.array([0, 1] * 3)
    np.savez(tmp_path / "arrays.npz", images=pixels, labels=numbers)
    batch = np.stack([picture(number, 32, 32) for number in range(4)]).transpose(0, 3, 1, 2)
    cifar = tmp_path / "cifar-10-batches-py"
    cifar.mkdir()
    content = {b"data": batch.reshape(4, -1), b"labels": [0, 1, 0, 1], b"filenames": []}
    (cifar / "data_batch_1").write_bytes(pickle.dumps(content, 2))
    idx(tmp_path / "mnist/train-images-idx3-ubyte.gz", pixels[..., 0])
    idx(tmp_path / "mnist/train-labels-idx1-ubyte.gz", numbers.astype(np.uint8))
    return tmp_path


def test_the_table_names_many_kinds() -> None:
    assert len(COMMANDS) == len(set(COMMANDS)) >= 16


@pytest.mark.parametrize("command", COMMANDS)
def test_each_line_of_the_table_runs(
    cli: Cli, sets: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(sets)
    if " mixed" in command:
        assert cli("mixup", "images", "--out", "mixed").code == 0
    if " - " in command:
        paths = "\n".join(str(path) for path in sorted(Path("images").rglob("*.*")))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(paths.encode())))
    words = shlex.split(command)[1:]
    outcome = (
        cli(*words, "--fill", "black") if words[0] == "cutout" else cli(*words, "--workers", 0)
    )
    assert outcome.code == 0, outcome.err
    out = Path(outcome.out.strip()).parent
    made = rows(out)
    assert made
    labels = {row.get("label") or row["label_a"] for row in made}
    assert "" not in labels
    assert len(labels) > 1 or "soft" in command
    verified = cli("verify", out)
    assert (verified.code, "0 problems" in verified.out + verified.err) == (0, True)
