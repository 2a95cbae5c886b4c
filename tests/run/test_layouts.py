"""What a folder of INPUT is: classes, splits, outputs of augcli, folders of the system."""

from __future__ import annotations

import json
import shutil
import unicodedata
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.errors import InputError
from augcli.run.messages import Notice
from tests.photos import class_folders, picture, rows, save, tree

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.run.messages import Message
    from tests.conftest import Cli

BOX = augcli.AttentiveCutMix(region="box")


def notices(folder: Path, out: Path, **options: object) -> list[str]:
    """Drop a patch of each image; return what is said."""
    said: list[str] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notice):
            said.append(message.text)

    method = options.pop("method", augcli.Cutout(patch=4, fill="black"))
    augcli.augment(folder, method, out=out, workers=0, listener=listen, **options)  # type: ignore[arg-type]
    return said


def mixed(photos: Path, out: Path) -> dict[str, dict[str, float]]:
    """Mix the photos; return the label of each output."""
    augcli.augment(photos, BOX, out=out, format="png", workers=0)
    return {row["file_name"]: label(row) for row in rows(out)}


def label(row: dict[str, str]) -> dict[str, float]:
    if "label" in row:
        weights: dict[str, float] = json.loads(row["label"])
        return weights
    pairs = [(row[f"label_{role}"], float(row[f"weight_{role}"])) for role in "ab"]
    return {name: weight for name, weight in pairs if name}


def test_a_drop_carries_the_soft_labels_of_an_output_on(photos: Path, tmp_path: Path) -> None:
    before = mixed(photos, tmp_path / "mixed")
    assert any(0 < weight < 1 for weights in before.values() for weight in weights.values())
    notices(tmp_path / "mixed", tmp_path / "out")
    after = {row["source_a"]: label(row) for row in rows(tmp_path / "out")}
    assert after == before


def test_a_mix_of_mixed_images_is_mixed_class_by_class(photos: Path, tmp_path: Path) -> None:
    before = mixed(photos, tmp_path / "mixed")
    notices(
        tmp_path / "mixed",
        tmp_path / "out",
        method=augcli.Recipe.parse('[[step]]\nuse = "mixup"\nalpha = 5', "again"),
    )
    three = 0
    for row in rows(tmp_path / "out"):
        part, whole = json.loads(row["draw"])["lam"]
        base, donor = before[row["source_a"]], before[row["source_b"]]
        expected = {
            name: (base.get(name, 0) * part + donor.get(name, 0) * (whole - part)) / whole
            for name in base | donor
        }
        assert label(row) == pytest.approx(expected, abs=1e-12)
        three += sum(weight > 0 for weight in expected.values()) > 2
    assert three > 0
    verified = augcli.verify(tmp_path / "out", against=tmp_path / "mixed")
    assert (verified.problems, verified.identical) == ([], 9)


def test_verify_finds_a_label_that_does_not_follow_from_its_source(
    photos: Path, tmp_path: Path
) -> None:
    mixed(photos, tmp_path / "mixed")
    notices(tmp_path / "mixed", tmp_path / "out")
    table = tmp_path / "out/metadata.csv"
    row = next(row for row in rows(tmp_path / "out") if len(label(row)) > 1)
    first = max(label(row), key=label(row).__getitem__)
    hard = json.dumps({first: 1.0}).replace('"', '""')
    table.write_text(table.read_text().replace(row["label"].replace('"', '""'), hard))
    (problem,) = augcli.verify(tmp_path / "out").problems
    assert problem.what == "its row in metadata.csv is not the one that was made"
    # Nor without the parts, where the sources are there.
    (tmp_path / "out/parts.jsonl.gz").unlink()
    problems = augcli.verify(tmp_path / "out", against=tmp_path / "mixed").problems
    assert "but its sources and its draw give" in problems[0].what


def test_an_output_that_is_not_complete_or_was_added_to_is_no_input(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mixed"
    mixed(photos, out)
    save(out / "cat/mine.png", picture(1, 20, 20))
    with pytest.raises(InputError, match=r"has no row for 1 images, first 'cat/mine\.png'"):
        notices(out, tmp_path / "out")
    (out / "cat/mine.png").unlink()
    record = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**record, "state": "running"}))
    with pytest.raises(InputError, match="its run is not complete"):
        notices(out, tmp_path / "out")


@pytest.mark.parametrize("names", [["train", "bus"], ["train", "test"], ["train", "dev", "bus"]])
def test_classes_with_names_of_splits_are_classes(tmp_path: Path, names: list[str]) -> None:
    """One of them alone, without folders inside, or beside a folder that is none."""
    folder = tmp_path / "data"
    deep = "bus" in names
    for name in names:
        class_folders(folder / name, {"deep" if deep else "": 2})
    notices(folder, tmp_path / "out")
    assert {row["label_a"] for row in rows(tmp_path / "out")} == set(names)


def test_a_folder_of_the_system_is_no_class(photos: Path, tmp_path: Path) -> None:
    names = ["@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", "System Volume Information"]
    for name in [*names, "__MACOSX", "cat/@eaDir/000.jpg"]:
        save(photos / name / "x.jpg", picture(3, 20, 20))
    said = notices(photos, tmp_path / "out")
    assert len(rows(tmp_path / "out")) == 9
    assert {f"skipped 1 folder ({name}, made by the system)" for name in names[1:]} <= set(said)
    assert "skipped 2 folders (@eaDir, made by the system)" in said


def test_one_class_in_two_unicode_forms_is_one_class(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    composed, decomposed = (
        unicodedata.normalize("NFC", "café"),
        unicodedata.normalize("NFD", "café"),
    )
    for number, name in enumerate((composed, decomposed)):
        save(folder / name / f"{number}.png", picture(number, 9, 9))
    save(folder / "tea/2.png", picture(2, 9, 9))
    notices(folder, tmp_path / "out")
    out = tmp_path / "out"
    assert (out / "classes.txt").read_text("utf-8").splitlines() == ["café", "tea"]
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["café", "tea"]
    assert augcli.verify(out, against=folder).problems == []


def test_classes_that_look_alike_are_named(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "data", {"dog": 1, "Dog": 1, "dog ": 1, "cat": 1})
    (said,) = notices(folder, tmp_path / "out")
    words = "classes 'Dog', 'dog', 'dog ' differ in case or blanks only; each stays a class"
    assert said.startswith(words)


def test_classes_of_a_table_that_look_alike_are_named_and_nothing_of_folders(
    tmp_path: Path,
) -> None:
    folder = class_folders(tmp_path / "data", {"dog": 2})
    (folder / "empty").mkdir()
    save(folder / "loose.png", picture(1, 9, 9))
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    table = tmp_path / "labels.csv"
    labels = ("dog", "Dog", "cat")
    lines = (f"{path},{label}\n" for path, label in zip(paths, labels, strict=True))
    table.write_text("file_name,label\n" + "".join(lines))
    (said,) = notices(folder, tmp_path / "out", labels=table)
    assert said.startswith("classes 'Dog', 'dog' differ in case or blanks only")


def test_images_beside_class_folders_are_named(photos: Path, tmp_path: Path) -> None:
    save(photos / "loose.jpg", picture(1, 20, 20))
    said = notices(photos, tmp_path / "out")
    assert said == ["images beside the class folders have no label: 1, first 'loose.jpg'"]
    # A folder without any class is meant so.
    flat = tmp_path / "flat"
    save(flat / "a.jpg", picture(1, 20, 20))
    assert notices(flat, tmp_path / "flat out") == []


def test_a_class_without_images_is_named(photos: Path, tmp_path: Path, cli: Cli) -> None:
    (photos / "empty").mkdir()
    (photos / "strange").mkdir()
    (photos / "strange/a.jxl").write_bytes(b"\xff\x0a")
    (photos / "broken").mkdir()
    (photos / "broken/b.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    end = cli("cutout", photos, "--out", out)
    assert end.code == 1
    for words in (
        "skipped 1 JPEG XL image (not supported)",
        "class 'empty' has no image: its folder is empty",
        "class 'strange' has no image: all its files (1) were skipped",
        "class 'broken' has no output: all its images failed",
        "9 images of 3 classes",
    ):
        assert words in end.err
    assert (out / "classes.txt").read_text().split() == ["cat", "dog", "emu"]
    assert {row["label_a"] for row in rows(out)} == {"cat", "dog", "emu"}


def test_copies_that_repeat_are_counted(tmp_path: Path, scorer: Path) -> None:
    folder = class_folders(tmp_path / "data", {"cat": 1, "dog": 1})
    out = tmp_path / "out"
    said = notices(folder, out, method=augcli.AttentiveCutMix(), copies=10, model=scorer)
    assert said == [
        "18 outputs are the same as another copy of their source: a range such as `top_n` 3..9, "
        "another `region`, or more sources make copies differ"
    ]
    assert len({row["sha256"] for row in rows(out)}) == 2
    other = augcli.AttentiveCutMix(region="box")
    assert notices(folder, tmp_path / "box", method=other, copies=10) == []


def test_an_output_as_input_gives_the_same_bytes_wherever_it_lies(
    photos: Path, tmp_path: Path
) -> None:
    mixed(photos, tmp_path / "mixed")
    shutil.copytree(tmp_path / "mixed", tmp_path / "moved")
    for name in ("mixed", "moved"):
        notices(tmp_path / name, tmp_path / f"out of {name}", method=BOX)
    assert tree(tmp_path / "out of mixed", hidden=False) == tree(
        tmp_path / "out of moved", hidden=False
    )


def test_a_finished_folder_has_exactly_the_class_folders(photos: Path, tmp_path: Path) -> None:
    augcli.augment(photos, augcli.Cutout(patch=4), out=tmp_path / "out", workers=0)
    # Loaders take every folder for a class, hidden ones too.
    folders = [entry.name for entry in (tmp_path / "out").iterdir() if entry.is_dir()]
    assert sorted(folders) == ["cat", "dog", "emu"]
