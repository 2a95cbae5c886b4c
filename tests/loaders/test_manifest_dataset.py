"""ManifestDataset with PyTorch's loaders, and pipelines of torchvision and albumentations."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.errors import InputError, ParameterError
from augcli.torch import ManifestDataset, NamedDataset
from tests.photos import class_folders, read
from tests.torch.sets import Batch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


@pytest.fixture
def out(batch: Batch, tmp_path: Path) -> Path:
    """An output folder: mixed pictures as PNG."""
    augcli.augment(batch.folder, augcli.MixUp(alpha=1), out=tmp_path / "o", format="png", workers=0)
    return tmp_path / "o"


def test_items_are_the_pictures_with_their_vectors(torch: Any, out: Path) -> None:
    data, dataset = augcli.read(out), ManifestDataset(out)
    assert len(dataset) == len(data) == 13
    assert dataset.classes == data.classes
    for index, row in enumerate(data.rows):
        image, target = dataset[index]
        assert dataset.name(index) == row.file_name
        assert image.dtype == torch.uint8
        assert np.array_equal(image.permute(1, 2, 0).numpy(), read(out / row.file_name))
        assert np.array_equal(target.numpy(), data.targets[index])
    assert torch.equal(dataset.targets, torch.from_numpy(data.targets))
    assert torch.equal(dataset.hard, dataset.targets.argmax(1))
    assert torch.equal(dataset[-1][1], dataset[12][1])
    with pytest.raises(IndexError):
        dataset[13]


def test_hard_targets_are_numbers(torch: Any, out: Path) -> None:
    dataset = ManifestDataset(out, target="hard")
    assert [dataset[index][1] for index in range(13)] == dataset.hard.tolist()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_what_the_main_process_gives(context: str, torch: Any, out: Path) -> None:
    loader = torch.utils.data.DataLoader
    dataset = ManifestDataset(out)
    alone = list(loader(dataset, batch_size=4))
    workers = {"num_workers": 2, "multiprocessing_context": context}
    for ours, theirs in zip(alone, loader(dataset, batch_size=4, **workers), strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_the_manifest_does_not_travel_to_workers(torch: Any, tmp_path: Path) -> None:
    from multiprocessing.reduction import ForkingPickler

    importlib.import_module("torch.multiprocessing")

    sizes = []
    for count in (4, 60):
        folder = class_folders(tmp_path / f"photos{count}", {"cat": count, "dog": count})
        augcli.augment(folder, augcli.MixUp(), out=tmp_path / f"o{count}", workers=0)
        sizes.append(len(ForkingPickler.dumps(ManifestDataset(tmp_path / f"o{count}"))))
    assert sizes[1] - sizes[0] < 100


def test_pipelines_of_torchvision_get_a_pil_image(torch: Any, out: Path) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    v1 = pytest.importorskip("torchvision.transforms")
    plain, _ = ManifestDataset(out)[3]
    scaled = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    for transform in (scaled, v1.ToTensor()):
        image, _ = ManifestDataset(out, transform=transform)[3]
        assert torch.allclose(image, plain / 255)
    small, _ = ManifestDataset(out, transform=v2.Resize((8, 9)))[3]
    assert small.shape == (3, 8, 9)


def test_pipelines_of_albumentations_get_an_array(torch: Any, out: Path) -> None:
    albumentations = pytest.importorskip("albumentations")
    plain, _ = ManifestDataset(out)[3]
    pipelines = [
        albumentations.HorizontalFlip(p=1),
        albumentations.Compose([albumentations.HorizontalFlip(p=1)]),
        albumentations.Compose(
            [albumentations.HorizontalFlip(p=1), albumentations.pytorch.ToTensorV2()]
        ),
    ]
    for transform in pipelines:
        image, _ = ManifestDataset(out, transform=transform)[3]
        assert torch.equal(image, plain.flip(2))
        named = NamedDataset(
            [(plain.permute(1, 2, 0).numpy(), 0)], names=["a"], transform=pipelines[0]
        )
        assert named[0][0].shape == (32, 36, 3)


def test_splits_are_separate(torch: Any, tmp_path: Path) -> None:
    for split, count in (("train", 4), ("val", 2)):
        class_folders(tmp_path / "photos" / split, {"cat": count, "dog": count})
    augcli.augment(tmp_path / "photos", augcli.MixUp(), out=tmp_path / "o", workers=0)
    assert len(ManifestDataset(tmp_path / "o", split="train")) == 8
    assert len(ManifestDataset(tmp_path / "o", split="val")) == 4
    with pytest.raises(ParameterError, match="has the splits train, val"):
        ManifestDataset(tmp_path / "o")
    with pytest.raises(ParameterError, match=r"'test', but .* has train, val"):
        ManifestDataset(tmp_path / "o", split="test")


def test_a_picture_that_is_missing_or_damaged_is_named(torch: Any, out: Path) -> None:
    dataset = ManifestDataset(out)
    (out / dataset.name(0)).unlink()
    (out / dataset.name(1)).write_bytes(b"no picture")
    for index in (0, 1):
        with pytest.raises(InputError, match="makes it again") as error:
            dataset[index]
        assert dataset.name(index) in str(error.value)


def test_names_of_an_output_folder_are_its_paths(torch: Any, out: Path) -> None:
    dataset = ManifestDataset(out)
    image, target, name = NamedDataset(dataset)[2]
    assert name == dataset.name(2)
    assert torch.equal(image, dataset[2][0])
    assert torch.equal(target, dataset[2][1])
