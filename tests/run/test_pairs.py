"""Who gives to whom, and who steps in: labels, pairs, donors that can't be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.photos import class_folders, picture, rows, save

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def run(cli: Cli, folder: Path, scorer: Path, *options: object) -> list[dict[str, str]]:
    """Mix a folder and return the rows."""
    out = folder.with_name("out")
    assert cli("cutmix", folder, "--out", out, "--model", scorer, *options).code == 0
    return rows(out)


def test_takes_labels_from_the_table_when_one_is_given(
    cli: Cli, tmp_path: Path, scorer: Path
) -> None:
    folder = tmp_path / "flat"
    labels = {"a.jpg": "red, dark", "b.png": "blau", "c.jpg": "blau"}
    for number, name in enumerate(labels):
        save(folder / name, picture(number, 20, 30))
    table = tmp_path / "labels.csv"
    table.write_text('label,file_name\n"red, dark",a.jpg\nblau,b.png\nblau,c.jpg\n')
    found = run(cli, folder, scorer, "--labels", table)
    assert {row["source_a"]: row["label_a"] for row in found} == labels
    assert (tmp_path / "out/classes.txt").read_text() == "blau\nred, dark\n"


def test_takes_donors_of_other_classes_only_when_pair_is_different(
    cli: Cli, photos: Path, scorer: Path
) -> None:
    found = run(cli, photos, scorer, "--pair", "different")
    assert [row["label_b"] not in ("", row["label_a"]) for row in found] == [True] * 9


def test_takes_donors_of_the_same_class_only_when_pair_is_same(
    cli: Cli, photos: Path, scorer: Path
) -> None:
    found = run(cli, photos, scorer, "--pair", "same")
    assert [row["source_b"].split("/")[0] for row in found] == [row["label_a"] for row in found]
    assert [row["source_b"] != row["source_a"] for row in found] == [True] * 9
    assert {(row["weight_a"], row["label_b"], row["weight_b"]) for row in found} == {
        ("1.0", "", "0.0")
    }


def test_leaves_the_only_image_of_a_class_unmixed_when_pair_is_same(
    cli: Cli, photos: Path, scorer: Path
) -> None:
    save(photos / "yak/alone.jpg", picture(1, 30, 30))
    out = photos.with_name("out")
    end = cli("cutmix", photos, "--out", out, "--model", scorer, "--pair", "same")
    alone = next(row for row in rows(out) if row["label_a"] == "yak")
    assert (alone["draw"], alone["source_b"], alone["weight_a"]) == ('{"unmixed": true}', "", "1.0")
    assert end.code == 0
    assert "note: left unmixed: no other image of its class (1 image)\n" in end.err


@pytest.mark.parametrize("pair", ["any", "different", "same"])
@pytest.mark.parametrize("broken", [1, 12], ids=["one", "many in a row"])
def test_takes_the_next_on_the_ring_when_donors_can_not_be_read(
    cli: Cli, tmp_path: Path, scorer: Path, pair: str, broken: int
) -> None:
    folder = class_folders(tmp_path / "photos", {"a": 10, "b": 9})
    options = ["--model", scorer, "--pair", pair]
    assert cli("cutmix", folder, "--out", tmp_path / "before", *options).code == 0
    donor_of = {row["source_a"]: row["source_b"] for row in rows(tmp_path / "before")}
    # Walk along the ring, so that the broken ones follow each other.
    base = first = "a/000.jpg"
    bad: list[str] = []
    while len(bad) < broken and donor_of[donor_of[base]] != first:
        base = donor_of[base]
        bad.append(base)
        (folder / base).write_bytes(b"no picture")
    out = tmp_path / "out"
    end = cli("cutmix", folder, "--out", out, *options)
    found = {row["source_a"]: row["source_b"] for row in rows(out)}
    assert end.code == 1
    assert [row["source"] for row in rows(out, "errors.csv")] == sorted(bad)
    assert found.keys() == donor_of.keys() - set(bad)
    assert set(found.values()) & set(bad) == set()
    if pair != "different":
        assert found[first] == donor_of[base]
    for source, donor in found.items():
        same = source.split("/")[0] == donor.split("/")[0]
        assert same == {"any": same, "different": False, "same": True}[pair]


def test_fails_by_name_when_no_donor_of_a_class_can_be_read(
    cli: Cli, photos: Path, scorer: Path
) -> None:
    (photos / "emu/000.jpg").write_bytes(b"")
    out = photos.with_name("out")
    end = cli("cutmix", photos, "--out", out, "--model", scorer, "--pair", "same")
    failed = [(row["source"], row["stage"]) for row in rows(out, "errors.csv")]
    assert (end.code, failed) == (1, [("emu/000.jpg", "decode"), ("emu/001.png", "donor")])
