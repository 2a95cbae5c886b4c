"""Verifying: no source and no group is in two splits."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.codecs.encoding import encode
from augcli.data.labels import Label
from augcli.data.manifest import Row
from augcli.data.stores.sources import Sources
from augcli.run.verifying.split_audit import SplitAudit
from augcli.run.verifying.verify import verify
from tests.photos import class_folders, picture, rows
from tests.run.stores import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def row(name: str, split: str, *sources: str, group: str = "", original: bool = False) -> Row:
    source_a, source_b = (*sources, "")[:2]
    method = "original" if original else "cutmix"
    label = Label.of("cat")
    return Row(name, label, source_a, source_b, method, "{}", 8, 8, 0, "", split, group)


def found(*table: Row, sources: Sources | None = None) -> list[tuple[str, str]]:
    audit = SplitAudit(sources)
    return [problem for one in table for problem in audit.problems(one)]


def test_splits_that_stay_apart_have_no_problem() -> None:
    table = [
        row("1", "train", "a", "b", group="anna"),
        row("2", "train", "b", "a", group="anna"),
        row("3", "val", "c", original=True, group="ben"),
        row("4", "val", "d", original=True),
    ]
    assert found(*table) == []


def test_rows_without_splits_are_not_compared() -> None:
    assert found(row("1", "", "a", group="anna"), row("2", "", "a", group="anna")) == []


def test_a_source_in_two_splits_is_found() -> None:
    assert found(row("1", "train", "a"), row("2", "val", "a")) == [
        ("2", "is in split 'val', but source_a 'a' is also in split 'train' (1)")
    ]


def test_a_donor_of_another_split_is_found() -> None:
    assert found(row("1", "train", "a", "b"), row("2", "val", "b")) == [
        ("2", "is in split 'val', but source_a 'b' is also in split 'train' (1)")
    ]


@pytest.mark.parametrize("is_first", [False, True])
def test_the_row_that_is_not_the_original_is_the_wrong_one(is_first: bool) -> None:
    leak, original = row("leak", "train", "a", "b"), row("true", "val", "b", original=True)
    table = [original, leak] if is_first else [leak, original]
    ((name, words),) = found(*table)
    assert name == "leak"
    assert words.startswith("is in split 'train', but source_")
    assert words.endswith("'b' is also in split 'val' (true)")


def test_a_group_in_two_splits_is_found() -> None:
    table = [row("1", "train", "a", group="anna"), row("2", "test", "b", group="anna")]
    assert found(*table) == [
        ("2", "is in split 'test', but group 'anna' is also in split 'train' (1)")
    ]


def test_input_decides_where_it_is_known() -> None:
    sources = Sources("", ["a", "b"])
    sources.set_splits(["train", "val"], [])
    assert found(row("1", "val", "a", "b"), row("2", "train", "a"), sources=sources) == [
        ("1", "is in split 'val', but source_a 'a' belongs to split 'train'")
    ]
    # A source that INPUT does not hold any more is compared with other rows.
    assert found(row("1", "val", "c"), row("2", "train", "c"), sources=sources) != []


def test_a_group_that_crosses_splits_fails_an_output_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    files = {f"cat/{n}.png": encode(picture(n, 9, 9), "png", quality=90) for n in range(4)}
    splits = dict(zip(files, ["train", "train", "val", "val"], strict=True))
    groups = dict(zip(files, ["anna", "ben", "ben", ""], strict=True))
    store = MemoryStore(str(tmp_path), files, splits=splits, groups=groups)
    monkeypatch.setattr("augcli.run.checking.inputs.open_store", lambda *_: store)
    monkeypatch.setattr("augcli.run.checking.listing.check_places", lambda *_, **__: None)
    out = tmp_path / "out"
    augcli.augment("anything", augcli.Cutout(fill="black"), out=out, workers=0)
    end = cli("verify", out)
    assert end.code == 1
    assert "but group 'ben' is also in split 'val'" in end.err
    # The original is where it belongs, and the augmented picture is not.
    assert len(verify(out).problems) == 1


def test_a_row_of_another_split_is_found_against_input(tmp_path: Path) -> None:
    folder, out = tmp_path / "data", tmp_path / "out"
    class_folders(folder / "train", {"cat": 2})
    class_folders(folder / "val", {"cat": 2})
    augcli.augment(folder, augcli.Cutout(fill="black"), out=out, workers=0)
    assert verify(out, against=folder).problems == []
    table = rows(out)
    wrong = next(one for one in table if one["split"] == "train")
    wrong["split"] = "val"
    with (out / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(wrong), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    words = [one.what for one in verify(out, against=folder).problems]
    assert (
        f"is in split 'val', but source_a {wrong['source_a']!r} belongs to split 'train'" in words
    )
