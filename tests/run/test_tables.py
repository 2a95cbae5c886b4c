"""Runs with tables and lists: what is made, resumed, extended and verified."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from augcli.errors import InputError, OutputError, ParameterError
from augcli.run.messages import Notice
from augcli.run.verify import Verified, verify
from tests.command import environment, start
from tests.photos import picture, rows, save, tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from augcli.run.messages import Message

METHOD = augcli.CutMix(region="box")


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Eight images in one folder, whose names say nothing."""
    for number in range(8):
        save(tmp_path / "flat" / f"img_{number}.png", picture(number, 20, 24))
    return tmp_path / "flat"


def label_of(number: int) -> str:
    return ("cat", "dog")[number % 2]


def table(path: Path, count: int = 8, **columns: list[Any]) -> Path:
    """Write a table of images, with a label each where no other columns are given."""
    columns = columns or {"label": [label_of(number) for number in range(count)]}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["file_name", *columns])
    for number in range(count):
        writer.writerow([f"img_{number}.png", *(values[number] for values in columns.values())])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def made(place: Path | str, out: Path, **options: Any) -> list[str]:
    """Run and return the notices."""
    said: list[str] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notice):
            said.append(message.text)

    options = {"workers": 0, "format": "png", **options}
    augcli.augment(place, METHOD, out=out, listener=listen, **options)
    return said


def checked(out: Path, against: Path, **options: Any) -> Verified:
    """Verify and return the result, which has no problem and the same bytes."""
    found = verify(out, against=against, **options)
    assert (found.problems, found.identical) == ([], found.rows)
    return found


def classes(out: Path) -> list[str]:
    return (out / "classes.txt").read_text(encoding="utf-8").splitlines()


def identity(out: Path) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = content["identity"]
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_no_byte(flat: Path, tmp_path: Path, workers: int) -> None:
    labels = table(tmp_path / "labels.csv")
    made(flat, tmp_path / "a", labels=labels)
    made(flat, tmp_path / "b", labels=labels, workers=workers)
    names = ("metadata.csv", "classes.txt")
    assert [(tmp_path / "a" / name).read_bytes() for name in names] == [
        (tmp_path / "b" / name).read_bytes() for name in names
    ]


def test_a_grown_table_extends_the_outputs(flat: Path, tmp_path: Path) -> None:
    labels, out = table(tmp_path / "labels.csv", 7), tmp_path / "out"
    last = (flat / "img_7.png").rename(tmp_path / "img_7.png")
    made(flat, out, labels=labels)
    before = tree(out)
    assert "nothing to do" in made(flat, out, labels=labels)[-1]
    last.rename(flat / "img_7.png")
    made(flat, out, labels=table(labels, 8))
    fresh = tmp_path / "fresh"
    made(flat, fresh, labels=labels)
    assert (out / "metadata.csv").read_bytes() == (fresh / "metadata.csv").read_bytes()
    assert identity(out) == identity(fresh)
    kept = [name for name, content in before.items() if tree(out).get(name) == content]
    assert sum(name.endswith(".png") for name in kept) >= 5
    checked(out, flat, labels=labels)


def test_a_changed_label_makes_its_images_again(flat: Path, tmp_path: Path) -> None:
    labels, out = table(tmp_path / "labels.csv"), tmp_path / "out"
    made(flat, out, labels=labels)
    names = ["emu", *(label_of(number) for number in range(1, 8))]
    made(flat, out, labels=table(labels, label=names))
    assert classes(out) == ["cat", "dog", "emu"]
    checked(out, flat, labels=labels)


def test_verify_compares_labels_with_the_table(flat: Path, tmp_path: Path) -> None:
    labels, out = table(tmp_path / "labels.csv"), tmp_path / "out"
    made(flat, out, labels=labels)
    assert checked(out, flat, labels=labels).unchecked == []
    (unchecked,) = verify(out, against=flat).unchecked
    assert unchecked.startswith("labels, which a table gave to the images")
    other = table(tmp_path / "other.csv", label=["emu"] * 8)
    found = verify(out, against=flat, labels=other).problems
    assert len(found) == 8
    assert "but its sources and its draw give" in found[0].what
    with pytest.raises(ParameterError, match="needs `against`"):
        verify(out, labels=labels)


def test_another_column_is_another_command(flat: Path, tmp_path: Path) -> None:
    names = [label_of(number) for number in range(8)]
    labels = table(tmp_path / "labels.csv", breed=names, species=names[::-1])
    made(flat, tmp_path / "out", labels=labels, label_column="breed")
    checked(tmp_path / "out", flat, labels=labels)
    with pytest.raises(OutputError, match="label_column was breed and is species"):
        made(flat, tmp_path / "out", labels=labels, label_column="species")


def test_a_table_may_be_input(flat: Path, tmp_path: Path) -> None:
    labels = table(flat / "train.csv", 6)
    made(labels, tmp_path / "out")
    assert {row["source_a"] for row in rows(tmp_path / "out")} == {
        f"img_{number}.png" for number in range(6)
    }
    checked(tmp_path / "out", labels)
    with pytest.raises(InputError, match="is a table already"):
        made(labels, tmp_path / "other", labels=labels)


def test_the_outputs_of_a_table_lie_beside_it(flat: Path) -> None:
    labels = table(flat / "train.csv", 6)
    summary = augcli.augment(labels, METHOD, workers=0)
    assert summary.out == str(flat / "train-cutmix")
    assert augcli.augment(labels, METHOD, workers=0).images == 6


def test_the_order_of_classes_may_be_given(flat: Path, tmp_path: Path) -> None:
    labels, out = table(tmp_path / "labels.csv"), tmp_path / "out"
    order = tmp_path / "order.txt"
    order.write_text("emu\ndog\ncat\n")
    made(flat, out, labels=labels, classes=order)
    assert classes(out) == ["emu", "dog", "cat"]
    checked(out, flat, labels=labels)
    order.write_text("dog\ncat\n")
    made(flat, out, labels=labels, classes=order)
    assert classes(out) == ["dog", "cat"]
    checked(out, flat, labels=labels)
    order.write_text("dog\n")
    with pytest.raises(InputError, match="`classes` does not name class 'cat'"):
        made(flat, out, labels=labels, classes=order)
    order.write_text("dog\ndog\n")
    with pytest.raises(InputError, match="names class 'dog' twice"):
        made(flat, out, labels=labels, classes=order)


def test_whole_numbers_are_in_order_in_the_list_of_classes(flat: Path, tmp_path: Path) -> None:
    labels = table(tmp_path / "labels.csv", label=[2 * number for number in range(8)])
    made(flat, tmp_path / "out", labels=labels)
    assert classes(tmp_path / "out") == [str(2 * number) for number in range(8)]
    checked(tmp_path / "out", flat, labels=labels)


def weights(out: Path) -> dict[str, dict[str, float]]:
    return {row["file_name"]: json.loads(row["label"]) for row in rows(out)}


def test_soft_labels_mix_exactly_and_sum_to_one(flat: Path, tmp_path: Path) -> None:
    x, y, z = ([number % (3 + at) + 1 for number in range(8)] for at in range(3))
    labels = table(tmp_path / "labels.csv", x=x, y=y, z=z)
    made(flat, tmp_path / "out", labels=labels, label_columns="rest")
    assert all(
        sum(each.values()) == pytest.approx(1) for each in weights(tmp_path / "out").values()
    )
    checked(tmp_path / "out", flat, labels=labels)


def test_images_may_have_several_classes(flat: Path, tmp_path: Path) -> None:
    names = ["cat|dog", "emu", "", "cat", "dog", "dog|emu", "cat|dog|emu", "emu"]
    labels, out = table(tmp_path / "labels.csv", label=names), tmp_path / "out"
    made(flat, out, labels=labels, multi_label=True, originals="encode")
    assert identity(out)["multi_label"] is True
    found = weights(out)
    assert max(sum(each.values()) for each in found.values()) > 1
    assert all(0 <= weight <= 1 for each in found.values() for weight in each.values())
    checked(out, flat, labels=labels)
    # Such an output stays what it is when it is INPUT.
    made(out, tmp_path / "again")
    assert identity(tmp_path / "again")["multi_label"] is True
    checked(tmp_path / "again", out)
    with pytest.raises(InputError, match="`pair` same needs images of one class each"):
        made(flat, tmp_path / "pairs", labels=labels, multi_label=True, pair="same")


def test_a_wrong_weight_of_several_classes_is_found(flat: Path, tmp_path: Path) -> None:
    labels, out = table(tmp_path / "labels.csv", label=["cat|dog"] * 8), tmp_path / "out"
    made(flat, out, labels=labels, multi_label=True)
    content = (out / "metadata.csv").read_text()
    (out / "metadata.csv").write_text(content.replace(": 1.0", ": 1.5", 1))
    assert "a weight is not between 0 and 1" in {each.what for each in verify(out).problems}


def test_splits_and_groups_of_a_table_stay_apart(flat: Path, tmp_path: Path) -> None:
    labels = table(
        tmp_path / "labels.csv",
        label=[label_of(number) for number in range(8)],
        part=["train"] * 4 + ["val"] * 4,
        patient=[number // 2 for number in range(8)],
    )
    options = {"labels": labels, "split_column": "part", "group_column": "patient"}
    made(flat, tmp_path / "out", **options)
    found = rows(tmp_path / "out")
    assert [(row["split"], row["method"]) for row in found] == [
        *[("train", "cutmix")] * 4,
        *[("val", "original")] * 4,
    ]
    assert {row["group"] for row in found} == {"0", "1", "2", "3"}
    givers = {row["source_b"] for row in found if row["split"] == "train"}
    assert givers <= {f"img_{number}.png" for number in range(4)}
    checked(tmp_path / "out", flat, labels=labels)
    # An output of augcli has both in its manifest.
    made(tmp_path / "out", tmp_path / "again")
    assert sorted((row["split"], row["group"]) for row in rows(tmp_path / "again")) == sorted(
        (row["split"], row["group"]) for row in found
    )


def test_folders_are_splits_where_a_table_gives_the_classes(tmp_path: Path) -> None:
    folder, content = tmp_path / "set", "file_name,label\n"
    for number in range(8):
        name = f"{'train' if number < 5 else 'test'}/{number}.png"
        save(folder / name, picture(number, 20, 24))
        content += f"{name},{label_of(number)}\n"
    (tmp_path / "labels.csv").write_text(content)
    notices = made(folder, tmp_path / "out", labels=tmp_path / "labels.csv")
    assert any(text.startswith("splits: test (3), train (5)") for text in notices)
    assert sum(row["method"] == "cutmix" for row in rows(tmp_path / "out")) == 5


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_folder_of_hugging_face_is_read_by_its_metadata(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "set"
    for split, numbers in (("train", range(5)), ("test", range(5, 8))):
        names = [f"{number}.png" for number in numbers]
        for number, name in zip(numbers, names, strict=True):
            save(folder / split / name, picture(number, 20, 24))
        table_of_split = {"file_name": names, "label": [label_of(number) for number in numbers]}
        path = folder / split / f"metadata.{kind}"
        if kind == "parquet":
            pyarrow = pytest.importorskip("pyarrow")
            pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(table_of_split), path)
        elif kind == "jsonl":
            lines = zip(*table_of_split.values(), strict=True)
            rows_of_split = (dict(zip(table_of_split, line, strict=True)) for line in lines)
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows_of_split))
        else:
            lines = zip(*table_of_split.values(), strict=True)
            path.write_text("file_name,label\n" + "".join(f"{a},{b}\n" for a, b in lines))
    made(folder, tmp_path / "out")
    assert classes(tmp_path / "out") == ["cat", "dog"]
    assert sum(row["split"] == "test" for row in rows(tmp_path / "out")) == 3
    checked(tmp_path / "out", folder)
    made(folder, tmp_path / "classes", layout="classes")
    assert classes(tmp_path / "classes") == ["test", "train"]


def test_metadata_without_labels_leaves_the_folders_to_be_classes(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for number in range(4):
        save(folder / label_of(number) / f"{number}.png", picture(number, 20, 24))
    (folder / "metadata.csv").write_text("file_name,caption\ncat/0.png,a cat\n")
    notices = made(folder, tmp_path / "out")
    assert any("; the folders are the classes" in text for text in notices)
    assert classes(tmp_path / "out") == ["cat", "dog"]


def test_a_table_that_does_not_fit_says_how_to_go_on_without_it(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    save(folder / "cat/0.png", picture(0, 20, 24))
    (folder / "metadata.csv").write_text("file_name,label\nx.png,cat\n")
    with pytest.raises(InputError, match="or give `layout` classes to take the folders"):
        made(folder, tmp_path / "out")


@pytest.mark.parametrize("separator", ["\n", "\0", "\r\n"])
def test_a_list_of_paths_is_read_from_standard_input(tmp_path: Path, separator: str) -> None:
    names = [f"set/{label_of(number)}/{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        save(tmp_path / name, picture(number, 20, 24))
    listed = [*names[:5], str(tmp_path / names[5]), names[0], "set/notes.txt"]
    (tmp_path / "set/notes.txt").touch()
    (tmp_path / "list").write_bytes(separator.join(listed).encode())
    arguments = ["cutmix", "-", "--region", "box", "--out", "out", "--workers", "0"]

    def run(*command: object) -> tuple[int, str]:
        with (tmp_path / "list").open("rb") as file:
            process = start(*command, cwd=tmp_path, stdin=file, env=environment())
            _, err = process.communicate(timeout=120)
        return process.returncode, err

    code, err = run(*arguments)
    assert code == 0, err
    assert "skipped 1 path (it is listed twice)" in err
    found = rows(tmp_path / "out")
    assert [row["source_a"] for row in found] == sorted(names)
    assert {row["file_name"].split("/")[0] for row in found} == {"cat", "dog"}
    assert "nothing to do" in run(*arguments)[1]
    code, err = run("verify", "out", "--against", "-")
    assert code == 0, err
    # The folder has the same images by the same names.
    assert verify(tmp_path / "out", against=tmp_path).identical == 6
    (tmp_path / names[2]).unlink()
    code, err = run(*arguments)
    assert (code, "1 of its files are not there, first 'set/cat/2.png'" in err) == (2, True)
    (tmp_path / "list").write_bytes(b"set\n")
    assert "'set' is a folder; list its files" in run(*arguments)[1]
    (tmp_path / "list").write_bytes(b"\n")
    assert "standard input names no image" in run(*arguments)[1]
