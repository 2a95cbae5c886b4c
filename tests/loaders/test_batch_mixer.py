"""BatchMixer in PyTorch: as collate_fn, in workers, in the loop, and in the shapes of others."""

from __future__ import annotations

import importlib
import pickle
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

MIXERS = [
    augcli.AttentiveCutMix(),
    augcli.CutMix(region="box"),
    augcli.CutMix(region="peak"),
    augcli.CutMix(region="cells"),
    augcli.MixUp(alpha=1.0),
    augcli.ResizeMix(),
]
DROPS = [
    augcli.Cutout(patch=12, fill="black"),
    augcli.Erasing(fill="noise"),
    augcli.GridMask(fill="white"),
    augcli.DropBlock(fill="black"),
    augcli.Dropout(fill="#ff8000"),
    augcli.SpatialDropout(fill="black"),
]
METHODS = [*MIXERS, *DROPS]
IDS = [f"{type(method).__name__}-{number}" for number, method in enumerate(METHODS)]


class Pictures:
    """A map-style data set of tensors (C, H, W) and numbers; picklable."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return len(self.batch.names)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        import torch

        image = np.ascontiguousarray(self.batch.images[index].transpose(2, 0, 1))
        return torch.from_numpy(image), int(self.batch.labels[index])


def named(batch: Batch) -> NamedDataset:
    return NamedDataset(Pictures(batch), names=batch.names)


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_a_batch_of_tensors_is_mixed_as_arrays_are(
    method: Any, torch: Any, batch: Batch, maps: Path
) -> None:
    mixer = BatchMixer(method, heat_maps=maps, classes=3, seed=4)
    expected, vectors = mixer(batch.images, batch.labels, batch.names)
    images = torch.from_numpy(batch.images).permute(0, 3, 1, 2)
    labels = torch.from_numpy(batch.labels)
    before = images.clone()
    for memory in (torch.contiguous_format, torch.channels_last):
        ours, targets = mixer(images.contiguous(memory_format=memory), labels, batch.names)
        assert ours.dtype == torch.uint8
        assert targets.dtype == torch.float32
        assert np.array_equal(ours.permute(0, 2, 3, 1).numpy(), expected)
        assert np.array_equal(targets.numpy(), vectors)
    assert torch.equal(images, before)
    collated, again = mixer([named(batch)[index] for index in range(len(batch.names))])
    assert np.array_equal(collated.permute(0, 2, 3, 1).numpy(), expected)
    assert np.array_equal(again.numpy(), vectors)


@pytest.mark.parametrize("method", MIXERS, ids=IDS[: len(MIXERS)])
def test_the_operations_of_a_device_give_the_same(
    method: Any, torch: Any, batch: Batch, maps: Path
) -> None:
    """bfloat16 takes the way that pictures on a GPU take; so do they where there is one."""
    mixer = BatchMixer(method, heat_maps=maps, classes=3, seed=4)
    expected, vectors = mixer(batch.images, batch.labels, batch.names)
    labels = torch.from_numpy(batch.labels)
    images = torch.from_numpy(batch.images).permute(0, 3, 1, 2)
    tries = [(images.to(torch.bfloat16), labels, 2.0)]
    if torch.cuda.is_available():
        tries += [(images.cuda(), labels.cuda(), 1.0), (images.cuda().float(), labels.cuda(), 0.6)]
    for pictures, numbers, tolerance in tries:
        ours, targets = mixer(pictures, numbers, batch.names)
        assert ours.dtype == pictures.dtype
        assert ours.device == pictures.device
        assert targets.dtype == torch.float32
        difference = ours.permute(0, 2, 3, 1).float().cpu().numpy() - expected
        assert np.abs(difference).max() <= tolerance
        assert np.abs(targets.cpu().numpy() - vectors).max() < 1e-6


def test_drops_on_a_device_are_refused_with_a_sentence(torch: Any, batch: Batch) -> None:
    mixer = BatchMixer(augcli.Cutout(fill="black"), classes=3)
    with pytest.raises(ParameterError, match="use it as the collate_fn"):
        mixer(torch.zeros(2, 3, 8, 8, dtype=torch.bfloat16), torch.tensor([0, 1]), "ab")


def epochs_of(loader: Any, mixer: BatchMixer, epochs: int = 3) -> list[tuple[Any, ...]]:
    import torch

    seen = []
    for epoch in range(epochs):
        mixer.set_epoch(epoch)
        batches = list(loader)
        seen.append(tuple(torch.cat(column) for column in zip(*batches, strict=True)))
    return seen


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_that_stay_alive_see_the_epoch(
    context: str, torch: Any, batch: Batch, maps: Path
) -> None:
    mixer = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3, seed=4)
    options: dict[str, Any] = {"batch_size": 5, "collate_fn": mixer}
    loader = torch.utils.data.DataLoader
    alone = epochs_of(loader(named(batch), **options), mixer)
    workers = {"num_workers": 4 if context == "fork" else 2, "multiprocessing_context": context}
    kept = loader(named(batch), **options, **workers, persistent_workers=True)
    together = epochs_of(kept, mixer)
    for ours, theirs in zip(alone, together, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])
    assert not torch.equal(alone[0][0], alone[1][0])
    mixer.enabled = False
    (plain,) = epochs_of(kept, mixer, 1)
    assert torch.equal(plain[1], torch.eye(3)[torch.from_numpy(batch.labels)])


def test_what_travels_to_a_spawned_worker_is_small(torch: Any, batch: Batch, maps: Path) -> None:
    from multiprocessing.reduction import ForkingPickler

    # PyTorch sends handles of shared memory instead of the content of tensors.
    importlib.import_module("torch.multiprocessing")

    mixer = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3)
    assert len(ForkingPickler.dumps(mixer)) < 10_000
    assert len(pickle.dumps(augcli.HeatMaps.load(maps))) < 1_000


def test_samples_of_timm_are_mixed(torch: Any, batch: Batch) -> None:
    """timm collates lists of uint8 arrays (C, H, W) with numbers."""
    samples = [
        (image.transpose(2, 0, 1), int(label))
        for image, label in zip(batch.images, batch.labels, strict=True)
    ]
    mixer = BatchMixer(augcli.CutMix(region="box"), classes=3)
    images, targets = mixer(samples)
    assert images.shape == (13, 3, 32, 36)
    assert images.dtype == torch.uint8
    assert targets.shape == (13, 3)
    assert np.array_equal(samples[0][0], batch.images[0].transpose(2, 0, 1))


def test_samples_of_transformers_are_mixed(torch: Any, batch: Batch, maps: Path) -> None:
    samples = [
        {"pixel_values": named(batch)[index][0], "labels": int(label), "name": name}
        for index, (label, name) in enumerate(zip(batch.labels, batch.names, strict=True))
    ]
    mixer = BatchMixer(augcli.AttentiveCutMix(), heat_maps=maps, classes=3)
    mixed = mixer(samples)
    assert set(mixed) == {"pixel_values", "labels"}
    assert mixed["labels"].shape == (13, 3)
    expected, _ = mixer(batch.images, batch.labels, batch.names)
    assert np.array_equal(mixed["pixel_values"].permute(0, 2, 3, 1).numpy(), expected)


def test_pictures_of_several_sizes_are_refused_with_a_sentence(torch: Any) -> None:
    samples = [(torch.zeros(3, side, 8), 0) for side in (8, 9)]
    with pytest.raises(ParameterError, match="pictures of several sizes"):
        BatchMixer(augcli.MixUp(), classes=2)(samples)


def test_pil_images_are_refused_with_a_sentence(torch: Any) -> None:
    from PIL import Image

    with pytest.raises(ParameterError, match="end the transform with ToImage"):
        BatchMixer(augcli.MixUp(), classes=2)([(Image.new("RGB", (8, 8)), 0)])


def test_soft_labels_of_samples_are_mixed(torch: Any, batch: Batch) -> None:
    samples = [(image, torch.tensor([0.5, 0.5]), name) for image, _, name in named(batch)]  # type: ignore[attr-defined]
    _, targets = BatchMixer(augcli.MixUp())(samples)
    assert torch.allclose(targets, torch.full((13, 2), 0.5))
