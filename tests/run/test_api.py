"""``augcli.augment`` and the methods: what is wrong is said in a sentence, not in a traceback."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from augcli.augmentations import METHODS
from augcli.augmentations.cutmix import CutMix
from augcli.augmentations.gridmask import GridMask
from augcli.classifiers.options import ClassifierOptions
from augcli.errors import ParameterError, UsageError
from augcli.params import declared
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.options import HeatMapOptions
from tests.photos import rows

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation
    from augcli.run.messages import Message

OWNERS = [*METHODS.values(), RunOptions, HeatMapOptions, ClassifierOptions]


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_a_wrong_name_names_the_class_and_the_nearest_option(owner: type[Any]) -> None:
    name = max((field.name for field in declared(owner)), key=len)
    with pytest.raises(ParameterError) as refused:
        owner(**{f"{name}s": 1})
    assert f"{owner.__name__}" in str(refused.value)
    assert str(refused.value).endswith(f"; did you mean {name!r}?")


def test_attentive_cutmix_is_called_what_its_users_call_it() -> None:
    with pytest.raises(ParameterError) as refused:
        augcli.AttentiveCutMix(topn=6)  # type: ignore[call-arg]
    assert str(refused.value) == (
        "topn is not an option of AttentiveCutMix (CutMix); did you mean 'top_n'?"
    )


def test_options_are_given_by_name() -> None:
    with pytest.raises(UsageError) as refused:
        augcli.Cutout(16)  # type: ignore[call-arg]
    assert str(refused.value) == (
        "Cutout takes its options by name, such as Cutout(patch=...), not 16 alone"
    )


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_is_copied_and_sent_to_workers(method: type[Augmentation[Any]]) -> None:
    made = method()
    assert pickle.loads(pickle.dumps(made)) == made
    assert dataclasses.replace(made) == made  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("cutmix", "is 'cutmix', but must be the method itself: AttentiveCutMix (CutMix)()"),
        ("gridmask", "but must be the method itself: GridMask()"),
        ("zebra", "is 'zebra', but must be a method, such as augcli.Cutout(patch=16), or a rec"),
        (Path("a.toml"), "or a recipe; Recipe.load(Path(...)) reads one from a file"),
        (None, "is None, but must be a method, such as augcli.Cutout(patch=16), or a recipe"),
        (GridMask, "but must be a method with its options: GridMask()"),
        (CutMix, "but must be a method with its options: AttentiveCutMix (CutMix)()"),
        (RunOptions(), "but must be a method, such as"),
        ([augcli.Cutout()], "but must be a method, such as"),
    ],
    ids=str,
)
def test_what_is_no_method_is_refused_with_what_to_give(
    photos: Path, method: Any, words: str
) -> None:
    with pytest.raises(ParameterError) as refused:
        augcli.augment(photos, method)
    assert str(refused.value).startswith("augmentation is ")
    assert words in str(refused.value)


@pytest.mark.parametrize("folder", [None, 3, b"photos", "", ["photos"], "a\0b"], ids=repr)
def test_what_is_no_folder_is_refused(folder: Any) -> None:
    with pytest.raises(ParameterError, match=r"^folder is .*, but must be "):
        augcli.augment(folder, augcli.Cutout())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeed": 1}, "seeed is not an option of augment; did you mean 'seed'?"),
        ({"zebra": 1}, "zebra is not an option of augment"),
        ({"patch": 8}, "patch is not an option of augment, but of Cutout: give it there"),
        (
            {"top_n": 8},
            "top_n is not an option of augment, but of AttentiveCutMix (CutMix): give it there",
        ),
        ({"prob": "often"}, "prob is 'often', but must be a number"),
        ({"prob": 2}, "prob is 2.0, but must be 0 to 1"),
        ({"listener": None}, "listener is None, but must be a function"),
        ({"format": "tiff"}, "format is 'tiff', but must be one of same, jpg, png, webp; png lo"),
        ({"size": "huge"}, "size is 'huge', but must be WIDTHxHEIGHT in pixels, such as 640x480"),
    ],
    ids=str,
)
def test_a_wrong_option_of_a_run_is_refused(
    photos: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError) as refused:
        augcli.augment(photos, augcli.Cutout(), **options)
    assert str(refused.value).startswith(message)
    assert sorted(path.name for path in photos.parent.iterdir()) == ["photos"]


def test_a_share_belongs_to_the_steps_of_a_recipe(photos: Path) -> None:
    recipe = Recipe.of(augcli.Cutout())
    with pytest.raises(ParameterError, match="prob belongs to the steps of a recipe"):
        augcli.augment(photos, recipe, prob=0.5)


def test_a_recipe_with_a_wrong_option_is_refused(photos: Path) -> None:
    recipe = dataclasses.replace(Recipe.of(augcli.Cutout()), run={"seeed": 1})
    with pytest.raises(ParameterError, match=r"seeed is not known .*; did you mean 'seed'"):
        augcli.augment(photos, recipe)


@pytest.mark.parametrize("options", [{"size": 20, "format": "JPEG"}, {"size": (20, 20)}])
def test_one_number_is_both_sides_and_jpeg_is_jpg(
    photos: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    out = tmp_path / "out"
    augcli.augment(photos, augcli.Cutout(), out=out, workers=0, **options)
    assert {(row["width"], row["height"]) for row in rows(out)} == {("20", "20")}
    # The same command in other words: nothing is made again.
    again: dict[str, Any] = {"size": "20x20"} | ({"format": ".jpg"} if "format" in options else {})
    assert augcli.augment(photos, augcli.Cutout(), out=out, workers=0, **again).new == 0


def test_a_recipe_takes_one_number_and_jpeg_too() -> None:
    text = '[run]\nsize = 224\nformat = "jpeg"\n[[step]]\nuse = "resize"\nsize = 32'
    recipe = Recipe.parse(text)
    assert RunOptions(**recipe.run) == RunOptions(size="224x224", format="jpg")
    assert recipe.steps[0].augmentations[0].size == "32x32"  # type: ignore[attr-defined]


def test_the_bar_shows_the_summary_and_the_listener_hears_all(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[Message] = []

    def listen(message: Message) -> None:
        heard.append(message)

    (photos / "cat" / "damaged.jpg").write_bytes(b"no picture")
    summary = augcli.augment(
        photos,
        augcli.Cutout(patch=4, fill="black"),
        workers=0,
        listener=listen,
        progress=True,
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "augcli cutout: 10 images of 3 classes" in shown.err
    assert "failed: cat/damaged.jpg" in shown.err
    assert "9 images of 3 classes" in shown.err
    assert heard[-1] == summary


def test_nothing_is_shown_without_progress(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    augcli.augment(photos, augcli.Cutout(patch=4, fill="black"), workers=0)
    assert capsys.readouterr() == ("", "")
