"""The figures of a page, computed once more from the manifest with nothing of augcli."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.report.report import report
from tests.photos import class_folders, picture, read, rows, save
from tests.report.pages import Page, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.conftest import Made


def histogram(shares: list[float], end: float, bars: int) -> list[int]:
    counts = [0] * bars
    for share in shares:
        counts[min(int(share * bars / end + 1e-9), bars - 1)] += 1
    return counts


def counts_of(page: Page, name: str) -> tuple[list[int], float]:
    """Return the bars of a histogram's table, and where the last ends, as a share."""
    table = page.table(name)[1:]
    return [int(number(row[2])) for row in table], number(table[-1][1]) / 100


@pytest.mark.parametrize("which", ["mixed", "dropped"])
def test_the_class_table_is_that_of_the_manifest(
    which: str, request: pytest.FixtureRequest
) -> None:
    made: Made = request.getfixturevalue(which)
    sources: dict[str, set[str]] = defaultdict(set)
    outputs: Counter[str] = Counter()
    weights: dict[str, float] = defaultdict(float)
    for row in rows(made.out):
        sources[row["label_a"]].add(row["source_a"])
        outputs[row["label_a"]] += 1
        weights[row["label_a"]] += float(row["weight_a"])
        if row["label_b"]:
            weights[row["label_b"]] += float(row["weight_b"])
    _, *table = made.page.table("class-table")
    shown = {row[0]: [number(cell) for cell in row[1:4]] for row in table}
    assert shown.keys() == outputs.keys()
    for name, (source, output, weight) in shown.items():
        assert (source, output) == (len(sources[name]), outputs[name])
        assert weight == pytest.approx(weights[name], abs=0.051)
    assert [row[3] for row in table] == sorted((row[3] for row in table), key=number, reverse=True)


def test_the_splits_are_those_of_the_manifest(mixed: Made) -> None:
    expected: dict[str, list[Any]] = {}
    for row in rows(mixed.out):
        counts = expected.setdefault(row["split"], [0, 0, set()])
        counts[0] += 1
        counts[1] += row["method"] == "original"
        counts[2].add(row["source_a"])
    _, *table = mixed.page.table("Splits")
    assert {row[0]: row[1:] for row in table} == {
        name: [str(images), str(originals), str(len(sources))]
        for name, (images, originals, sources) in expected.items()
    }


def test_the_weights_of_each_split_add_up(mixed: Made) -> None:
    figures = report([mixed.out], with_page=False).to_json()
    for one in figures["classes"]:
        assert sum(one["by_split"].values()) == pytest.approx(one["weight"])
        assert set(one["by_split"]) == {"train", "val"}


def test_the_donor_weights_are_those_of_the_manifest(mixed: Made) -> None:
    weights = [float(row["weight_b"]) for row in rows(mixed.out) if row["label_b"]]
    assert len(weights) > 15
    counts, end = counts_of(mixed.page, "Weight of the donor")
    assert end == 1.0
    assert counts == histogram(weights, end, len(counts))
    text = mixed.page.section("mixing").text
    assert f"in {len(weights)} outputs of two classes" in text
    same = sum(bool(row["source_b"]) and not row["label_b"] for row in rows(mixed.out))
    assert f"{same} more were mixed within one class" in text


def test_the_pasted_area_is_counted_in_the_draws(mixed: Made) -> None:
    areas = []
    for row in rows(mixed.out):
        if row["source_b"]:
            left, top, right, bottom = json.loads(row["draw"])["box"]
            areas.append((right - left) * (bottom - top) / (int(row["width"]) * int(row["height"])))
    counts, end = counts_of(mixed.page, "Pasted area")
    assert counts == histogram(areas, end, len(counts))


def test_the_erased_area_and_places_are_counted_in_the_pixels(dropped: Made) -> None:
    areas, places = [], []
    for row in rows(dropped.out):
        erased = (read(dropped.out / row["file_name"]) == (255, 0, 254)).all(axis=2)
        areas.append(float(erased.mean()))
        # The mean of each place, of a picture that is enlarged so that places hold whole pixels.
        side = 14
        large = erased.repeat(side, axis=0).repeat(side, axis=1).astype(float)
        blocks = large.reshape(side, erased.shape[0], side, erased.shape[1])
        places.append(blocks.mean(axis=(1, 3)))
    counts, end = counts_of(dropped.page, "Erased area")
    assert counts == histogram(areas, end, len(counts))
    shown = [[number(cell) / 100 for cell in row] for row in dropped.page.table("place-table")]
    assert np.array(shown) == pytest.approx(np.mean(places, axis=0), abs=0.002)


def test_the_pairs_are_those_of_the_manifest(mixed: Made) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for row in rows(mixed.out):
        if row["source_b"]:
            expected[row["label_a"], row["label_b"] or row["label_a"]] += 1
    header, *table = mixed.page.table("pair-table")
    shown = {
        (row[0], donor): int(number(cell))
        for row in table
        for donor, cell in zip(header[1:], row[1:], strict=True)
    }
    assert {pair: count for pair, count in shown.items() if count} == expected


def test_classes_beyond_thirty_are_one_in_the_matrix_and_all_in_json(tmp_path: Path) -> None:
    names = {f"class {at:02d}": 1 + (at < 5) for at in range(40)}
    source = class_folders(tmp_path / "photos", names)
    augcli.augment(source, augcli.MixUp(), out=tmp_path / "out", workers=0)
    made = report([tmp_path / "out"], tmp_path / "page.html")
    header, *table = Page.read(tmp_path / "page.html").table("pair-table")
    assert len(header) == len(table) + 1 == 32
    assert header[-1] == "(all others)"
    assert sum(int(cell) for row in table for cell in row[1:]) == 45
    assert len(made.to_json()["classes"]) == 40


def test_the_most_used_donors_are_named(mixed: Made) -> None:
    uses = Counter(row["source_b"] for row in rows(mixed.out) if row["source_b"])
    _, *table = mixed.page.table("The most used donors")
    assert {row[0]: int(row[1]) for row in table} == dict(uses.most_common(15))
    assert f"{len(uses)} different donors" in mixed.page.section("donors").text


def test_json_has_the_figures_of_the_page(mixed: Made) -> None:
    figures = report([mixed.out], with_page=False).to_json()
    assert figures["page"] is None
    json.dumps(figures, allow_nan=False)
    _, *table = mixed.page.table("class-table")
    by_name = {one["name"]: one for one in figures["classes"]}
    for row in table:
        assert by_name[row[0]]["outputs"] == int(row[2])
    assert figures["donor_weights"]["counts"] == counts_of(mixed.page, "Weight of the donor")[0]
    assert figures["options"]["seed"] == 0
    assert figures["state"] == "complete"


def test_failures_are_listed_by_reason_with_examples(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 4})
    for name in "ab":
        (source / "cat" / f"{name}.jpg").write_bytes(b"")
    (source / "cat" / "c.png").write_bytes(b"no picture at all")
    augcli.augment(source, augcli.Cutout(fill="black"), out=tmp_path / "out", workers=0)
    report([tmp_path / "out"], tmp_path / "page.html")
    page = Page.read(tmp_path / "page.html")
    reasons = Counter(row["reason"] for row in rows(tmp_path / "out", "errors.csv"))
    _, *table = page.table("Failures by reason")
    assert {row[0]: int(row[2]) for row in table} == reasons
    assert "cat/a.jpg" in page.section("failures").text
    assert "3 failed (exit code 1)" in page.root.one("header").text


def test_remarks_are_counted_with_examples(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 4})
    for at in range(7):
        image = np.dstack([picture(at, 20, 20), np.full((20, 20), 9, np.uint8)])
        save(source / "cat" / f"clear-{at}.png", image)
    augcli.augment(source, augcli.Cutout(patch=90, fill="black"), out=tmp_path / "out", workers=0)
    report([tmp_path / "out"], tmp_path / "page.html")
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    _, *table = Page.read(tmp_path / "page.html").table("What may surprise")
    counts = record["counts"]["remarks"]
    assert {row[0]: int(row[1]) for row in table} == counts
    assert counts["transparency dropped"] == 7
    (examples,) = [row[2] for row in table if row[0] == "transparency dropped"]
    assert examples.count("cat/clear-") == 5


def test_duplicates_are_sets_of_files_with_the_same_bytes(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    twin = source / "dog" / "twin.png"
    twin.write_bytes((source / "cat" / "001.png").read_bytes())
    augcli.export(source, out=tmp_path / "out", workers=0)
    found = report([tmp_path / "out"], with_page=False).to_json()
    hashes = Counter(row["sha256"] for row in rows(tmp_path / "out"))
    assert found["duplicates"]["sets"] == sum(count > 1 for count in hashes.values()) == 1
    assert found["duplicates"]["conflicting"] == 1
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states["Duplicates"] == "wrong"


def test_soft_labels_have_no_pairs_but_weights(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    augcli.augment(source, augcli.MixUp(), out=tmp_path / "first", workers=0)
    augcli.augment(tmp_path / "first", augcli.MixUp(), out=tmp_path / "out", workers=0)
    report([tmp_path / "out"], tmp_path / "page.html")
    page = Page.read(tmp_path / "page.html")
    weights: Counter[str] = Counter()
    for row in rows(tmp_path / "out"):
        weights.update(json.loads(row["label"]))
    _, *table = page.table("class-table")
    assert {row[0]: number(row[3]) for row in table} == {
        name: pytest.approx(weight, abs=0.051) for name, weight in weights.items()
    }
    assert "labels are soft" in page.section("pairs").text


@pytest.mark.parametrize("manifest", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("soft_label", ["pair", "json", "wide", "list"])
def test_every_format_of_the_manifest_gives_the_same_weights(
    tmp_path: Path, manifest: str, soft_label: str
) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    found = []
    of_other: dict[str, Any] = {"manifest": manifest, "soft_label": soft_label}
    for name, options in (("plain", {}), ("other", of_other)):
        augcli.augment(source, augcli.MixUp(), out=tmp_path / name, workers=0, **options)
        figures = report([tmp_path / name], with_page=False).to_json()
        found.append({one["name"]: one["weight"] for one in figures["classes"]})
        # Only pairs say which class is the base's.
        assert figures["soft"] == (name == "other" and soft_label != "pair")
    assert found[0] == pytest.approx(found[1])
