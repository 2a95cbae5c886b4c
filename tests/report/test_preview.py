"""Previews: to the byte what a run makes, of the same pictures for each value of an option."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.augmentations import REGISTRY
from augcli.errors import InputError, ParameterError
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.report.preview import Preview, preview_of
from augcli.report.previews.variation import Variation
from augcli.report.sheets.tiles import small
from tests.photos import class_folders, picture, read, save, times

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation

CHAIN = Recipe.parse(
    """
    [[step]]
    use = "random-resized-crop"
    size = "40"
    [[step]]
    use = "flip"
    prob = 0.5
    [[step]]
    one_of = [{ use = "cutmix", top_n = 9 }, { use = "mixup" }]
    [[step]]
    use = "cutout"
    patch = 0.3
    """
)
"""Steps before and after a mixer, some of them not applied."""


def previewed(folder: Path, recipe: Recipe, vary: str | None = None, **options: Any) -> Preview:
    variation = None if vary is None else Variation.of(vary)
    return preview_of(folder, recipe, RunOptions(**options), variation, rows=6)


def made(folder: Path, method: Augmentation[Any] | Recipe, out: Path, **options: Any) -> Any:
    """Return the rows of a real run by their base."""
    augcli.augment(folder, method, out=out, workers=0, **options)
    return {row.source_a: row for row in augcli.read(out).rows}


def check_equal(preview: Preview, rows: Any, out: Path, column: int = 0) -> None:
    """Check the results of a column against the rows and the files of a run."""
    assert len(preview.rows) == 6
    for row, tiles in zip(preview.rows, preview.sheet.rows, strict=True):
        shown = row[column][1]
        real = rows[shown.source_a]
        assert shown == real
        tile = tiles[column - len(row)]
        assert tile is not None
        assert tile.image is not None
        # The pixels of the tile are those of the file, made as small.
        assert np.array_equal(tile.image, small(read(out / real.file_name)))


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("method", REGISTRY, ids=lambda method: method.name)
def test_results_are_those_of_a_run(
    photos: Path, tmp_path: Path, method: type[Augmentation[Any]], kind: str
) -> None:
    options: dict[str, Any] = {"format": kind, "seed": 5}
    rows = made(photos, method(), tmp_path / "out", **options)
    preview = previewed(photos, Recipe.of(method()), **options)
    check_equal(preview, rows, tmp_path / "out")


def test_results_of_a_recipe_are_those_of_a_run(photos: Path, tmp_path: Path) -> None:
    rows = made(photos, CHAIN, tmp_path / "out", format="png")
    preview = previewed(photos, CHAIN, format="png")
    check_equal(preview, rows, tmp_path / "out")
    headings = ("base", "donor, heat map", "1  random-resized-crop", "2  flip", "3  one_of")
    assert preview.sheet.headings == (*headings, "4  cutout")
    spared = [row[3] for row in preview.sheet.rows if row[3] and row[3].caption == "not applied"]
    assert 0 < len(spared) < 6


@pytest.mark.parametrize(
    ("vary", "methods", "options"),
    [
        ("top_n=3,9", [augcli.CutMix(top_n=3), augcli.CutMix(top_n=9)], [{}, {}]),
        (
            "region=box,cells",
            [augcli.CutMix(region="box"), augcli.CutMix(region="cells")],
            [{}] * 2,
        ),
        ("seed=0..2", [augcli.CutMix()] * 3, [{"seed": seed} for seed in range(3)]),
        ("pair=same,different", [augcli.CutMix()] * 2, [{"pair": "same"}, {"pair": "different"}]),
        ("prob=0.5,1", [augcli.CutMix()] * 2, [{"prob": 0.5}, {"prob": 1.0}]),
        ("size=32,48x40", [augcli.CutMix()] * 2, [{"size": "32"}, {"size": "48x40"}]),
    ],
)
def test_each_value_has_the_results_of_its_run(
    photos: Path, tmp_path: Path, vary: str, methods: list[Any], options: list[dict[str, Any]]
) -> None:
    preview = previewed(photos, Recipe.of(augcli.CutMix()), vary, format="png")
    bases = [{row.source_a for _, row in line} for line in preview.rows]
    assert [len(one) for one in bases] == [1] * 6
    for column, (method, chosen) in enumerate(zip(methods, options, strict=True)):
        out = tmp_path / f"out{column}"
        rows = made(photos, method, out, format="png", **chosen)
        for row in preview.rows:
            assert row[column][1] == rows[row[column][1].source_a]


def test_one_donor_is_shown_once_and_several_beside_their_results(photos: Path) -> None:
    recipe = Recipe.of(augcli.CutMix())
    assert previewed(photos, recipe, "top_n=3,6").sheet.headings == (
        *("base", "donor, heat map", "top_n=3", "top_n=6"),
    )
    assert previewed(photos, recipe, "seed=0,1").sheet.headings == (
        *("base", "seed=0: donor", "seed=0", "seed=1: donor", "seed=1"),
    )
    assert previewed(photos, Recipe.of(augcli.Cutout())).sheet.headings == ("base", "result")
    attended = Recipe.of(augcli.Cutout(at="attended"))
    assert previewed(photos, attended).sheet.headings == ("base, heat map", "result")
    assert previewed(photos, Recipe.of(augcli.MixUp())).sheet.headings[1] == "donor"


def test_heat_maps_and_regions_are_shown_on_the_donor(photos: Path) -> None:
    whole = previewed(photos, Recipe.of(augcli.MixUp())).sheet.rows[0][1]
    mapped = previewed(photos, Recipe.of(augcli.CutMix())).sheet.rows[0][1]
    assert whole is not None
    assert mapped is not None
    assert whole.image is not None
    assert mapped.image is not None
    assert np.array_equal(whole.image, small(read(photos / whole.caption)))
    green = (mapped.image == (90, 255, 120)).all(axis=2)
    assert 50 < np.count_nonzero(green) < mapped.image.shape[0] * 40


def test_rows_show_as_many_classes_as_they_can(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "photos", {"cat": 30, "dog": 2, "emu": 1})
    preview = preview_of(folder, Recipe.of(augcli.Cutout()), RunOptions(), rows=3)
    assert {row[0][1].label.heaviest for row in preview.rows} == {"cat", "dog", "emu"}


def test_nothing_is_written_and_a_full_out_changes_nothing(photos: Path) -> None:
    augcli.augment(photos, augcli.Cutout(), workers=0)
    before = times(photos.parent)
    image = augcli.preview(photos, augcli.Cutout(patch=3), rows=2, vary={"holes": [1, 2]})
    assert image.mode == "RGB"
    assert image._repr_png_()
    assert times(photos.parent) == before


def test_what_would_fail_is_named_and_others_are_shown(photos: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (photos / "cat" / name).write_bytes(b"no picture")
    preview = previewed(photos, Recipe.of(augcli.Cutout()))
    assert len(preview.rows) == 6
    rest = preview_of(photos, Recipe.of(augcli.Cutout()), RunOptions(), rows=50)
    assert len(rest.rows) == 9
    assert [note.partition(" would fail: ")[0] for note in sorted(rest.sheet.notes)] == [
        *("cat/a.jpg", "cat/b.jpg"),
    ]


def test_only_broken_images_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"no image of INPUT can be shown: cat/a.jpg would fail"):
        augcli.preview(tmp_path, augcli.Cutout(fill="black"))


def test_the_scorer_that_is_given_decides(photos: Path, scorer: Path) -> None:
    recipe = Recipe.of(augcli.CutMix())
    with_own = previewed(photos, recipe, model=scorer)
    with_shipped = previewed(photos, recipe)
    draws = [[row[0][1].draw for row in one.rows] for one in (with_own, with_shipped)]
    assert draws[0] != draws[1]


@pytest.mark.parametrize("rows", [0, 51, 2.5, "3"])
def test_a_wrong_number_of_rows_is_refused(photos: Path, rows: Any) -> None:
    with pytest.raises(ParameterError, match=r"rows is .*, but must be a number from 1 to 50"):
        augcli.preview(photos, augcli.Cutout(), rows=rows)


def test_a_base_that_fits_no_output_is_named_as_a_run_does(tmp_path: Path) -> None:
    """A donor may be as long as it likes, and the same picture as a base may not."""
    folder = class_folders(tmp_path / "photos", {"cat": 2})
    save(folder / "dog" / "long.png", picture(1, 1, 16_384))
    preview = preview_of(folder, Recipe.of(augcli.MixUp()), RunOptions(format="webp"), rows=3)
    summary = augcli.augment(folder, augcli.MixUp(), format="webp", workers=0)
    assert (summary.failed, len(preview.rows)) == (1, 2)
    assert preview.sheet.notes[0].startswith("dog/long.png would fail: ")
