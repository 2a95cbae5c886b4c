"""`manifest` and `soft_label`: the same outputs, described in another way."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from tests.guarantees.comparing import stamps
from tests.photos import class_folders, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

MIX = ("mixup", "--alpha", 1)
NAMES = {"csv": "metadata.csv", "jsonl": "metadata.jsonl", "parquet": "metadata.parquet"}
FORMS = ["pair", "json", "wide", "list"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for split, count in (("train", 4), ("val", 2)):
        class_folders(tmp_path / "data" / split, {"cat": count, "dog": count})
    return tmp_path / "data"


def there(out: Path) -> list[str]:
    """Return the manifests and tables of splits in OUT."""
    return sorted(str(path.relative_to(out)) for path in out.rglob("metadata.*"))


def pictures(out: Path) -> dict[str, Any]:
    """Return what tells the files of OUT from changed ones."""
    kinds = (".png", ".jpg", ".tar")
    return {name: stamp for name, stamp in stamps(out).items() if name.endswith(kinds)}


def weights(out: Path) -> list[dict[str, float]]:
    """Return the weights of each row."""
    rows = augcli.read(out).rows
    return [{name: weight for name, weight in row.label.weights if weight} for row in rows]


@pytest.mark.parametrize("manifest", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_all_that_reads_a_manifest_reads_this_one(
    cli: Cli, data: Path, tmp_path: Path, manifest: str, form: str
) -> None:
    out, plain = tmp_path / "out", tmp_path / "plain"
    options = (*MIX, data, "--manifest", manifest, "--soft-label", form, "--out", out)
    end = cli(*options)
    assert end.code == 0, end.err
    assert end.out.strip() == str(out / NAMES[manifest])
    splits = "metadata.parquet" if manifest == "parquet" else "metadata.jsonl"
    assert there(out) == sorted([NAMES[manifest], f"train/{splits}", f"val/{splits}"])
    assert cli(*MIX, data, "--out", plain).code == 0
    assert weights(out) == weights(plain)
    assert (augcli.read(out).targets == augcli.read(plain).targets).all()
    assert [len(augcli.read(out, split=name)) for name in ("train", "val")] == [8, 4]
    assert cli("verify", out, "--against", data).code == 0
    assert "nothing to do" in cli(*options).err
    assert "12 of 12 made" in cli("status", out).out
    # OUT as INPUT has the labels of its manifest.
    again = tmp_path / "again"
    assert cli("export", out, "--out", again).code == 0
    assert sorted(map(str, weights(again))) == sorted(map(str, weights(out)))


@pytest.mark.parametrize("to", ["folder", "webdataset"])
def test_another_form_writes_the_tables_only(cli: Cli, data: Path, tmp_path: Path, to: str) -> None:
    out, clean = tmp_path / "out", tmp_path / "clean"
    command = (*MIX, data, "--to", to, "--format", "png")
    assert cli(*command, "--out", out).code == 0
    before = pictures(out)
    for manifest, form in (
        *(("jsonl", "pair"), ("jsonl", "list"), ("parquet", "list"), ("csv", "wide")),
        ("csv", "pair"),
    ):
        options = (*command, "--manifest", manifest, "--soft-label", form)
        end = cli(*options, "--out", out)
        assert end.code == 0
        assert f"the manifest becomes {NAMES[manifest]}, with labels as {form}" in end.err
        assert pictures(out) == before
        shutil.rmtree(clean, ignore_errors=True)
        assert cli(*options, "--out", clean).code == 0
        assert tree(out) == tree(clean)
        assert "nothing to do" in cli(*options, "--out", out).err
        assert cli("verify", out).code == 0


def test_tables_that_a_killed_run_left_beside_new_ones_go(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = (*MIX, data, "--manifest", "parquet", "--out", out)
    assert cli(*options).code == 0
    before = tree(out)
    (out / "metadata.csv").write_text("file_name\n")
    (out / "train/metadata.jsonl").write_text("{}\n")
    # run.json says which is the manifest.
    assert len(augcli.read(out)) == 12
    end = cli("verify", out)
    assert end.code == 1
    assert "metadata.csv: has no row" in end.err
    assert cli(*options).code == 0
    assert tree(out) == before


def test_a_larger_set_may_have_another_manifest(cli: Cli, data: Path, tmp_path: Path) -> None:
    out, clean = tmp_path / "out", tmp_path / "clean"
    assert cli(*MIX, data, "--out", out).code == 0
    more = (*MIX, data, "--copies", 2, "--manifest", "jsonl", "--soft-label", "wide")
    assert cli(*more, "--out", out).code == 0
    assert cli(*more, "--out", clean).code == 0
    assert tree(out) == tree(clean)
    assert there(out) == ["metadata.jsonl", "train/metadata.jsonl", "val/metadata.jsonl"]
    # Another command leaves nothing of them.
    assert cli("cutout", data / "train", "--out", out, "--overwrite").code == 0
    assert there(out) == ["metadata.csv"]


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_weight_is_found(cli: Cli, data: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    assert cli(*MIX, data, "--manifest", "jsonl", "--soft-label", form, "--out", out).code == 0
    table = out / "metadata.jsonl"
    first, *others = table.read_text().splitlines()
    row = json.loads(first)
    for name, value in (("label_a", "dog"), ("label", '{"dog": 1}'), ("soft_label", [0.0, 1.0])):
        if name in row:
            row[name] = value
    if form == "wide":
        row |= {"cat_weight": 0.0, "dog_weight": 1.0}
    if form == "pair":
        row |= {"weight_a": 1.0, "label_b": None, "weight_b": 0.0}
    table.write_text("\n".join([json.dumps(row), *others, ""]))
    end = cli("verify", out)
    assert end.code == 1
    assert "its row in metadata.jsonl is not the one that was made" in end.err


@pytest.mark.parametrize("form", FORMS)
def test_soft_and_several_labels(cli: Cli, data: Path, tmp_path: Path, form: str) -> None:
    first, second, clean = tmp_path / "first", tmp_path / "second", tmp_path / "clean"
    assert cli(*MIX, data, "--out", first).code == 0
    assert cli(*MIX, first, "--soft-label", form, "--out", second).code == 0
    assert cli(*MIX, first, "--out", clean).code == 0
    assert weights(second) == weights(clean)
    assert cli("verify", second, "--against", first).code == 0
    header = (second / "metadata.csv").read_text().partition("\n")[0]
    column = {"wide": "cat_weight", "list": "soft_label"}.get(form, "label")
    assert header.split(",")[1] == column


@pytest.mark.parametrize("form", FORMS)
def test_pictures_without_a_label(cli: Cli, tmp_path: Path, form: str) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 3}) / "cat"
    out = tmp_path / "out"
    for manifest in NAMES:
        options = ("--manifest", manifest, "--soft-label", form, "--out", out)
        assert cli("cutout", photos, *options).code == 0
        assert weights(out) == [{}] * 3
        assert cli("verify", out, "--against", photos).code == 0


def test_too_many_classes_for_a_weight_of_each(
    cli: Cli, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augcli.run.checking.refusals.MOST_CLASSES", {"wide": 1, "list": 2})
    end = cli(*MIX, data, "--soft-label", "wide", "--out", tmp_path / "out")
    assert end.code == 2
    assert "--soft-label wide has a weight for each class" in end.err
    assert "INPUT has 2 classes and at most 1 are allowed; use --soft-label json" in end.err
    assert not (tmp_path / "out").exists()
    assert cli(*MIX, data, "--soft-label", "list", "--out", tmp_path / "out").code == 0


def test_a_dry_run_shows_the_columns(cli: Cli, data: Path, tmp_path: Path) -> None:
    end = cli(*MIX, data, "--soft-label", "wide", "--dry-run", "--json", "--out", tmp_path / "out")
    assert {"cat_weight", "dog_weight"} < json.loads(end.out)["rows"][0].keys()


def test_without_pyarrow_parquet_is_refused(
    cli: Cli, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    end = cli(*MIX, data, "--manifest", "parquet", "--out", tmp_path / "out")
    assert end.code == 2
    assert "--manifest parquet needs the package pyarrow: pip install 'augcli[parquet]'" in end.err
