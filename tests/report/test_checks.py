"""Checks: each fault of a data set is named, and a good set has none."""

from __future__ import annotations

import json
from typing import Any

import pytest

import augcli
from augcli.data.labels import Label
from augcli.data.manifest import Failure, Row
from augcli.recipes.chain import Chain
from augcli.recipes.recipe import Recipe
from augcli.report.figures.checks import checks
from augcli.report.figures.counting import figures_of
from augcli.report.figures.figures import Figures
from augcli.report.figures.regions import MEASURED, Regions
from augcli.report.figures.table import TableReader

SIDE = 28


def mixed(number: int, **changes: Any) -> Row:
    """Return a sound row: cat and dog take turns, the box moves."""
    ours, theirs = ("cat", "dog") if number % 2 else ("dog", "cat")
    left = number % 15
    draw = {"box": [left, (7 * number) % 15, left + 13, (7 * number) % 15 + 13]}
    weight = 13 * 13 / SIDE**2
    row = Row(
        file_name=f"{ours}/{number}.jpg",
        label=Label(((ours, 1 - weight), (theirs, weight))),
        source_a=f"{ours}/{number}",
        source_b=f"{theirs}/{number + 1}",
        method="cutmix",
        draw=json.dumps(draw),
        width=SIDE,
        height=SIDE,
        copy=0,
        # Spread over all hashes, as those of files are.
        sha256=f"{(number * 0x9E3779B97F4A7C15) % 2**64:016x}" + "0" * 48,
    )
    return row._replace(**changes)


def figures(rows: list[Row], failures: tuple[Failure, ...] = (), many: bool = False) -> Figures:
    recipe = Recipe.of(augcli.CutMix(region="box"))
    regions = Regions(Chain(recipe.name, recipe.steps, 0), len(rows))
    reader = TableReader(["cat", "dog"], many=many)
    for row in rows:
        reader.add(row)
        regions.add(row)
    return figures_of(reader.table(soft=False), regions, failures, [])


def state(rows: list[Row], name: str, recorded: int | None = None, **more: Any) -> str:
    """Return what a check says of some rows."""
    (found,) = [one for one in checks(figures(rows, **more), recorded) if one.name == name]
    return found.state


GOOD = [mixed(number) for number in range(200)]


def test_a_good_set_has_no_fault() -> None:
    found = checks(figures(GOOD), len(GOOD))
    assert {one.state for one in found} == {"good"}
    assert {one.name for one in found} >= {"Rows", "Labels", "Balance", "Donor weights", "Places"}


def test_what_is_wrong_comes_first() -> None:
    rows = [*GOOD, mixed(300, sha256=GOOD[0].sha256, label=Label.of("cat"))]
    found = [one.state for one in checks(figures(rows), 5)]
    assert found == sorted(found, key=["wrong", "look", "good"].index)
    assert found[0] == "wrong"


def test_rows_that_are_missing_are_wrong() -> None:
    assert state(GOOD, "Rows", recorded=201) == "wrong"
    assert state(GOOD, "Rows", recorded=200) == state(GOOD, "Rows") == "good"


def test_failures_are_worth_a_look() -> None:
    failed = (Failure("cat/x.jpg", "decode", "an empty file"),)
    assert state(GOOD, "Failures", failures=failed) == "look"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (Label((("cat", 0.5), ("dog", 0.4))), "wrong"),
        (Label((("cat", 2.0),)), "wrong"),
        (Label((("cat", float("nan")),)), "wrong"),
        (Label(), "look"),
    ],
)
def test_labels_that_are_not_sound(label: Label, expected: str) -> None:
    assert state([*GOOD, mixed(300, label=label)], "Labels") == expected


def test_labels_of_several_classes_need_not_sum_to_one() -> None:
    label = Label((("cat", 1.0), ("dog", 1.0)))
    assert state([*GOOD, mixed(300, label=label)], "Labels", many=True) == "good"


def in_splits(**changes: Any) -> list[Row]:
    """Return two halves that share nothing, with the last row changed."""
    rows = [
        row._replace(
            split="train" if at < 100 else "val",
            source_a=f"{at}",
            source_b=f"{at + 1000}",
            group=f"group {at // 10}",
        )
        for at, row in enumerate(GOOD)
    ]
    return [*rows[:-1], rows[-1]._replace(**changes)]


def test_a_source_or_group_in_two_splits_is_wrong() -> None:
    assert state(in_splits(), "Splits") == "good"
    assert state(in_splits(source_a="3"), "Splits") == "wrong"
    assert state(in_splits(source_b="1003"), "Splits") == "wrong"
    # In either role: what gives to val must not be the base of an output in train.
    assert state(in_splits(source_b="3"), "Splits") == "wrong"
    assert state(in_splits(group="group 1"), "Splits") == "wrong"
    assert figures(in_splits(source_a="3", group="group 1")).shared_sources == 1
    assert figures(in_splits(source_a="3", group="group 1")).shared_groups == 1


def test_the_same_file_twice() -> None:
    twin = mixed(302, sha256=GOOD[0].sha256)
    assert state([*GOOD, twin], "Duplicates") == "look"
    assert state([*GOOD, twin._replace(label=GOOD[1].label)], "Duplicates") == "wrong"
    rows = in_splits(sha256=GOOD[0].sha256)
    assert figures(rows).duplicates.across_splits == 1
    assert state(rows, "Duplicates") == "wrong"


def test_a_class_that_is_rare_or_missing() -> None:
    cats = [row._replace(label=Label.of("cat")) for row in GOOD]
    assert state(cats, "Balance") == "look"
    assert state(cats, "Classes") == "look"
    assert state([*cats[:180], *GOOD[180:]], "Balance") == "look"


def test_mixes_in_which_one_picture_is_hardly_seen() -> None:
    slight = Label((("cat", 0.99), ("dog", 0.01)))
    assert state([row._replace(label=slight) for row in GOOD], "Donor weights") == "look"


def test_one_place_for_all_patches() -> None:
    same = [row._replace(draw='{"box": [0, 0, 9, 9]}') for row in GOOD]
    assert state(same, "Places") == "look"


def test_a_donor_that_gives_to_very_many() -> None:
    greedy = [mixed(at, source_b="dog/1") for at in range(200, 240)]
    assert state([*GOOD, *greedy], "Donors") == "look"


def test_of_many_rows_a_sample_is_measured() -> None:
    rows = [mixed(number) for number in range(20_000)]
    found = figures(rows)
    assert abs(found.measured - MEASURED) < 200
    assert found.areas.mean == pytest.approx(13 * 13 / SIDE**2)
