"""Batches of NumPy arrays: the draws of an offline run, and the rules of a mix."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.errors import ParameterError
from augcli.recipes.recipe import Recipe
from augcli.torch import BatchMixer
from tests.torch.sets import Batch, offline

if TYPE_CHECKING:
    from pathlib import Path

METHODS = [
    augcli.AttentiveCutMix(),
    augcli.AttentiveCutMix(top_n="3..9", grid=5),
    augcli.AttentiveCutMix(top_n=4, label_mode="attention"),
    augcli.CutMix(region="box"),
    augcli.CutMix(region="peak"),
    augcli.CutMix(region="cells"),
    augcli.MixUp(alpha=1.0),
    augcli.MixUp(label_mode="attention"),
    augcli.ResizeMix(),
    augcli.Cutout(patch=12, fill="black"),
    augcli.Cutout(patch=12, fill="noise", at="attended"),
    augcli.Erasing(fill="image-mean"),
    augcli.GridMask(fill="white"),
    augcli.DropBlock(fill="black"),
    augcli.Dropout(fill="#ff8000", rescale=True),
    augcli.SpatialDropout(fill="black"),
]
IDS = [f"{type(method).__name__}-{number}" for number, method in enumerate(METHODS)]


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_a_batch_of_all_sources_is_mixed_as_an_offline_run_mixes_them(
    method: Any, batch: Batch, maps: Path, scorer: Path, tmp_path: Path
) -> None:
    mixer = BatchMixer(method, heat_maps=maps, classes=3, seed=5)
    for epoch in (0, 2):
        images, targets = offline(
            batch, method, tmp_path / "out", epoch, seed=5, copies=3, heatmaps=maps, model=scorer
        )
        mixer.set_epoch(epoch)
        ours, vectors = mixer(batch.images, batch.labels, batch.names)
        assert np.array_equal(ours, images)
        assert np.abs(vectors - targets).max() < 1e-6
        assert vectors.dtype == np.float32


def test_a_share_of_the_pictures_is_mixed_as_offline(batch: Batch, tmp_path: Path) -> None:
    method = augcli.CutMix(region="box")
    images, targets = offline(batch, method, tmp_path / "out", 0, seed=5, prob=0.5)
    mixer = BatchMixer(method, classes=3, seed=5, prob=0.5)
    ours, vectors = mixer(batch.images, batch.labels, batch.names)
    assert np.array_equal(ours, images)
    assert np.abs(vectors - targets).max() < 1e-6
    unmixed = (ours == batch.images).all(axis=(1, 2, 3))
    assert 0 < unmixed.sum() < len(unmixed)


def test_a_recipe_of_several_choices_is_drawn_as_offline(
    batch: Batch, maps: Path, scorer: Path, tmp_path: Path
) -> None:
    recipe: Any = Recipe.parse(
        'name = "several"\n[[step]]\none_of = [{ use = "cutmix" }, { use = "mixup", alpha = 1.0 },'
        '{ use = "cutmix", region = "box" }, { use = "resizemix" }]'
    )
    options: dict[str, Any] = {"seed": 5, "heatmaps": maps, "model": scorer}
    images, targets = offline(batch, recipe, tmp_path / "out", 0, **options)
    mixer = BatchMixer(recipe, classes=3, seed=5, heat_maps=maps)
    ours, vectors = mixer(batch.images, batch.labels, batch.names)
    assert np.array_equal(ours, images)
    assert np.abs(vectors - targets).max() < 1e-6


def test_the_schedule_of_a_method_runs_over_the_epochs(batch: Batch, tmp_path: Path) -> None:
    method = augcli.DropBlock(fill="black", schedule="linear", keep=0.5)
    mixer = BatchMixer(method, classes=3, seed=5, epochs=4)
    for epoch in (0, 3):
        images, _ = offline(batch, method, tmp_path / "out", epoch, seed=5, copies=4)
        mixer.set_epoch(epoch)
        assert np.array_equal(mixer(batch.images, batch.labels, batch.names)[0], images)


def test_inputs_are_not_changed(batch: Batch, maps: Path) -> None:
    before = batch.images.copy()
    method: Any
    for method in METHODS:
        BatchMixer(method, heat_maps=maps, classes=3)(batch.images, batch.labels, batch.names)
        assert np.array_equal(batch.images, before)


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_floats_are_mixed_as_bytes_are(method: Any, batch: Batch, maps: Path) -> None:
    mixer = BatchMixer(method, heat_maps=maps, classes=3, seed=2)
    images, targets = mixer(batch.images, batch.labels, batch.names)
    floats = batch.images.astype(np.float32) / 255
    ours, vectors = mixer(floats, batch.labels, batch.names)
    assert ours.dtype == np.float32
    assert np.abs(ours * 255 - images).max() <= 0.51
    assert np.array_equal(vectors, targets)


def test_a_drop_fills_normalized_pictures_with_the_normalized_colour(batch: Batch) -> None:
    normalized = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
    mean, deviation = (np.array(numbers, np.float32) for numbers in normalized)
    method = augcli.Cutout(patch=16, fill="#ff8000")
    mixer = BatchMixer(method, classes=3, normalized=normalized)
    floats = (batch.images / np.float32(255) - mean) / deviation
    ours, _ = mixer(floats, batch.labels, batch.names)
    plain, _ = mixer(batch.images, batch.labels, batch.names)
    assert np.abs((ours * deviation + mean) * 255 - plain).max() < 1e-3
    changed = (plain != batch.images).any(axis=3)
    assert np.array_equal(ours[~changed], floats[~changed])


def test_label_vectors_may_be_soft_or_of_several_classes(batch: Batch) -> None:
    mixer = BatchMixer(augcli.CutMix(region="box"), seed=5)
    hard = BatchMixer(augcli.CutMix(region="box"), classes=3, seed=5)
    vectors = np.eye(3, dtype=np.float32)[batch.labels]
    _, targets = mixer(batch.images, vectors, batch.names)
    assert np.abs(targets - hard(batch.images, batch.labels, batch.names)[1]).max() < 1e-6
    _, several = mixer(batch.images, np.ones((13, 4), np.float32), batch.names)
    assert np.abs(several - 1).max() < 1e-6


def test_weights_are_counted_for_each_picture(batch: Batch, maps: Path) -> None:
    _, targets = BatchMixer(augcli.CutMix(region="box"), classes=3)(
        batch.images, batch.labels, batch.names
    )
    assert len(np.unique(targets.max(axis=1))) > 5
    assert np.abs(targets.sum(axis=1) - 1).max() < 1e-6


def test_epochs_differ_and_repeat(batch: Batch, maps: Path) -> None:
    mixer = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3)
    seen = []
    for epoch in (0, 1, 0):
        mixer.set_epoch(epoch)
        seen.append(mixer(batch.images, batch.labels, batch.names)[0])
    assert not np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0], seen[2])


@pytest.mark.parametrize("count", [2, 3, 7])
def test_nobody_is_its_own_donor(count: int, batch: Batch) -> None:
    images = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(8, 1).repeat(8, 2)
    images = images.repeat(3, 3)
    mixer = BatchMixer(augcli.CutMix(region="cells", top_n=49), classes=count)
    for epoch in range(20):
        mixer.set_epoch(epoch)
        ours, targets = mixer(images, np.arange(count), batch.names[:count])
        donors = ours[:, 0, 0, 0]
        assert sorted(donors) == list(range(count))
        assert (donors != np.arange(count)).all()
        assert np.array_equal(targets.argmax(axis=1), donors)


def test_a_picture_that_a_sampler_draws_twice_gets_another_donor(batch: Batch) -> None:
    images = batch.images[[0, 0, 1]]
    mixer = BatchMixer(augcli.CutMix(region="cells", top_n=49), classes=3)
    names = [batch.names[0], batch.names[0], batch.names[1]]
    ours, _ = mixer(images, batch.labels[:3], names)
    assert np.array_equal(ours, batch.images[[1, 1, 0]])


def test_a_batch_of_one_picture_stays_as_it_is(batch: Batch, maps: Path) -> None:
    mixer = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3)
    ours, targets = mixer(batch.images[:1], batch.labels[:1], batch.names[:1])
    assert np.array_equal(ours, batch.images[:1])
    assert targets.tolist() == [[1, 0, 0]]


def test_without_names_draws_follow_from_the_pictures(batch: Batch) -> None:
    mixer = BatchMixer(augcli.CutMix(region="box"), classes=3)
    first, targets = mixer(batch.images, batch.labels)
    again, _ = mixer(batch.images, batch.labels)
    order = np.random.default_rng(0).permutation(13)
    other, moved = mixer(batch.images[order], batch.labels[order])
    assert np.array_equal(first, again)
    assert np.array_equal(first[order], other)
    assert np.array_equal(targets[order], moved)
    assert not np.array_equal(first, batch.images)


def test_a_disabled_mixer_gives_vectors_and_changes_nothing(batch: Batch) -> None:
    mixer = BatchMixer(augcli.MixUp(), classes=("cat", "dog", "emu"))
    mixer.enabled = False
    images, targets = mixer(batch.images, batch.labels, batch.names)
    assert np.array_equal(images, batch.images)
    assert np.array_equal(targets, np.eye(3)[batch.labels])
    mixer.enabled = True
    assert not np.array_equal(mixer(batch.images, batch.labels, batch.names)[0], batch.images)


def test_heat_maps_may_be_a_mapping_or_come_with_the_batch(batch: Batch, maps: Path) -> None:
    stored = augcli.HeatMaps.load(maps)
    method = augcli.AttentiveCutMix()
    by_file = BatchMixer(method, heat_maps=maps, classes=3)
    by_name = BatchMixer(method, heat_maps=dict(stored), classes=3)
    bare = BatchMixer(method, classes=3)
    arrays = np.stack([stored[name] for name in batch.names])
    expected, _ = by_file(batch.images, batch.labels, batch.names)
    assert np.array_equal(by_name(batch.images, batch.labels, batch.names)[0], expected)
    with_maps, _ = bare(batch.images, batch.labels, batch.names, heat_maps=arrays)
    assert np.array_equal(with_maps, expected)


@pytest.mark.parametrize("sides", [(32, 32), (56, 56), (6, 5), (57, 40), (224, 224)])
def test_any_size_is_mixed_and_counted(sides: tuple[int, int], batch: Batch) -> None:
    random = np.random.default_rng(0)
    for kind in (np.uint8, np.float32, np.float64, np.float16):
        images = random.integers(0, 256, (5, *sides, 3)).astype(kind)
        mixer = BatchMixer(augcli.CutMix(region="cells"), classes=5, seed=3)
        ours, targets = mixer(images, np.arange(5), batch.names[:5])
        changed = (ours != images).any(axis=3).mean(axis=(1, 2))
        given = 1 - targets[np.arange(5), np.arange(5)]
        assert np.abs(changed - given).max() < 0.04
        assert not (given == 0).all()


def test_a_mixer_is_pickled_with_its_maps_and_its_epoch(batch: Batch, maps: Path) -> None:
    mixer = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3)
    mixer.set_epoch(3)
    again = pickle.loads(pickle.dumps(mixer))
    assert again.epoch == 3
    ours, theirs = (one(batch.images, batch.labels, batch.names)[0] for one in (mixer, again))
    assert np.array_equal(ours, theirs)


IMAGES, LABELS = np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1])
BOX = augcli.CutMix(region="box")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchMixer("cutmix"), "a method with its options"),  # type: ignore[arg-type]
        (lambda: BatchMixer(augcli.Flip()), "belongs into the transform"),
        (lambda: BatchMixer(augcli.Cutout()), "fill is mean, but"),
        (lambda: BatchMixer(BOX, prob=1.5), "prob is 1.5, but must be 0 to 1"),
        (lambda: BatchMixer(BOX).set_epoch(-1), "epoch is -1, but"),
        (lambda: BatchMixer(BOX)(IMAGES, LABELS), "classes is missing"),
        (lambda: BatchMixer(BOX, classes=1)(IMAGES, LABELS), "numbers from 0 to 1, but"),
        (lambda: BatchMixer(BOX, classes=2)(IMAGES, LABELS / 2), "floats .2,., but must be"),
        (lambda: BatchMixer(BOX, classes=2)(IMAGES, np.eye(3)[:2]), "have 3 classes, but"),
        (lambda: BatchMixer(BOX, classes=2)(IMAGES, LABELS[:1]), "are 1, but there are 2"),
        (lambda: BatchMixer(BOX, classes=2)(IMAGES[0], LABELS), "must be uint8 or floats"),
        (
            lambda: BatchMixer(augcli.CutMix(), classes=2)(IMAGES, LABELS, "ab"),
            "heat_maps is missing, but the method needs",
        ),
        (
            lambda: BatchMixer(augcli.CutMix(), classes=2, heat_maps={})(IMAGES, LABELS, "ab"),
            "heat_maps has no heat map of",
        ),
        (
            lambda: BatchMixer(augcli.CutMix(), classes=2)(
                IMAGES, LABELS, "ab", np.zeros((2, 3, 3))
            ),
            "heat_maps are 3 x 3, but the method needs 7 x 7",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_a_recipe_of_several_steps_is_refused() -> None:
    recipe = Recipe.parse('name = "two"\n[[step]]\nuse = "flip"\n[[step]]\nuse = "cutmix"')
    with pytest.raises(ParameterError, match="a recipe of 2 steps"):
        BatchMixer(recipe)


def test_importing_the_room_imports_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, augcli, augcli.torch\n"
        "mixer = augcli.torch.BatchMixer(augcli.CutMix(region='box'), classes=2)\n"
        "mixer(np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1]))\n"
        "try: augcli.torch.ManifestDataset('nowhere')\n"
        "except augcli.errors.UsageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs torch" in done.stdout
    assert "pip install" in done.stdout
