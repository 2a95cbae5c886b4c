"""Heat maps that follow torchvision's transforms, against pictures that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.errors import ParameterError
from augcli.torch import BatchMixer, NamedDataset
from tests.torch.sets import Batch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]
SIDE = 56


@pytest.fixture
def v2() -> Any:
    """torchvision's transforms."""
    return pytest.importorskip("torchvision.transforms.v2")


def shown(heat_map: Any, height: int, width: int) -> Any:
    """Return a picture that shows a heat map (7, 7) in its cells."""
    import torch

    rows = torch.from_numpy(np.asarray(heat_map)).repeat_interleave(height // 7, 0)
    return rows.repeat_interleave(width // 7, 1)[None].repeat(3, 1, 1)


def averaged(picture: Any) -> Any:
    """Return the map that a picture shows after its transforms."""
    import torch

    return torch.nn.functional.adaptive_avg_pool2d(picture, 7)[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "steps",
    [
        "v2.RandomHorizontalFlip(1)",
        "v2.RandomVerticalFlip(1)",
        "v2.RandomCrop(42), v2.RandomHorizontalFlip(1)",
        "v2.RandomHorizontalFlip(1), v2.RandomCrop(35), v2.RandomVerticalFlip(0.5)",
        "v2.Pad([7, 14]), v2.CenterCrop(56)",
        "v2.RandomCrop(56, padding=8), v2.RandomHorizontalFlip()",
        "v2.Resize(112), v2.RandomCrop(84), v2.RandomHorizontalFlip()",
        "v2.Resize((70, 98)), v2.CenterCrop((49, 77)), v2.RandomVerticalFlip(1)",
        "v2.RandomResizedCrop(56), v2.RandomHorizontalFlip()",
        "v2.RandomHorizontalFlip(), v2.RandomResizedCrop(35), v2.ToDtype(torch.float32)",
        "v2.RandomChoice([v2.RandomCrop(28), v2.RandomVerticalFlip(1)]), v2.ColorJitter(0)",
    ],
)
def test_a_map_goes_where_its_picture_goes(steps: str, seed: int, torch: Any, v2: Any) -> None:
    from augcli.torch.following import followed

    transform = v2.Compose(list(eval(f"[{steps}]", {"v2": v2, "torch": torch})))
    heat_map = np.random.default_rng(seed).random((7, 7)).astype(np.float32)
    torch.manual_seed(seed)
    picture, followed_map = followed(transform, shown(heat_map, SIDE, SIDE), heat_map, 7)
    assert followed_map.shape == (7, 7)
    error = (averaged(picture) - followed_map).abs().mean()
    # The picture is interpolated and cut to whole pixels, the map is neither.
    assert error < (0.06 if "Resize" in steps or "35" in steps else 1e-5)


def test_a_map_without_transform_is_the_stored_one(torch: Any, batch: Batch, maps: Path) -> None:
    stored = augcli.HeatMaps.load(maps)
    dataset = NamedDataset([(torch.zeros(3, 8, 8), 0)] * 13, names=batch.names, heat_maps=stored)
    for index, name in enumerate(batch.names):
        *_, found, heat_map = dataset[index]
        assert found == name
        assert np.array_equal(heat_map.numpy(), stored[name])


@pytest.mark.parametrize(
    "step", ["RandomRotation(30)", "RandomAffine(9)", "RandomPerspective(p=1)"]
)
def test_a_transform_that_maps_cannot_follow_is_refused(step: str, torch: Any, v2: Any) -> None:
    from augcli.torch.following import followed

    transform = eval(f"v2.{step}", {"v2": v2})
    with pytest.raises(ParameterError, match="a heat map can't follow"):
        followed(transform, torch.zeros(3, 8, 8), np.zeros((7, 7), np.float32), 7)


def test_a_pipeline_that_loses_the_map_is_refused(torch: Any, v2: Any) -> None:
    from augcli.torch.following import followed

    with pytest.raises(ParameterError, match="loses the heat map"):
        followed(v2.ToPureTensor(), torch.zeros(3, 8, 8), np.zeros((7, 7), np.float32), 7)


def test_flipped_pictures_are_mixed_by_their_flipped_maps(
    torch: Any, v2: Any, batch: Batch, maps: Path
) -> None:
    """With a picture folder of torchvision, from the file to the batch."""
    from torchvision.datasets import ImageFolder

    folder = ImageFolder(str(batch.folder))
    flips = v2.Compose([v2.RandomHorizontalFlip(1), v2.PILToTensor()])
    dataset = NamedDataset(folder, heat_maps=maps, transform=flips)
    mixer = BatchMixer(augcli.AttentiveCutMix(), classes=3, seed=1)
    loader = torch.utils.data.DataLoader(dataset, batch_size=13, collate_fn=mixer)
    ((images, targets),) = loader
    plain = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3, seed=1)
    expected, vectors = plain(batch.images, batch.labels, batch.names)
    # The cells are mirrored with the pictures: 36 columns and 7 cells are symmetric.
    flipped = images.permute(0, 2, 3, 1).numpy()[:, :, ::-1]
    assert (flipped == expected).mean() > 0.97
    assert np.abs(targets.numpy() - vectors).max() < 0.03


def test_albumentations_is_refused_where_maps_should_follow(
    torch: Any, batch: Batch, maps: Path
) -> None:
    albumentations = pytest.importorskip("albumentations")
    with pytest.raises(ParameterError, match="heat maps can't follow"):
        NamedDataset(
            [(0, 0)] * 13,
            names=batch.names,
            heat_maps=maps,
            transform=albumentations.HorizontalFlip(),
        )
