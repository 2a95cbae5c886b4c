"""Short runs of training: the loss falls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.torch import BatchMixer, ManifestDataset, NamedDataset
from tests.photos import save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """JPEG files of 32 x 32 of three classes that a small network tells apart by their colour."""
    random = np.random.default_rng(0)
    for number, name in enumerate(("blue", "green", "red")):
        for index in range(16):
            image = random.integers(0, 120, (32, 32, 3), np.uint8)
            image[..., 2 - number] += 100
            save(tmp_path / "photos" / name / f"{index:02d}.jpg", image)
    return tmp_path / "photos"


def losses(torch: Any, batches: Callable[[int], Any], epochs: int = 12) -> list[float]:
    """Train a small network and return the mean loss of each epoch."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 5, stride=4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 49, 3),
    )
    optimiser = torch.optim.Adam(network.parameters(), 0.003)
    criterion = torch.nn.CrossEntropyLoss()
    means = []
    for epoch in range(epochs):
        values = []
        for images, targets in batches(epoch):
            loss = criterion(network(images.float() / 255 - 0.4), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            values.append(loss.item())
        means.append(sum(values) / len(values))
    return means


def test_the_loss_falls_with_each_kind_of_output(
    to: str, torch: Any, colours: Path, tmp_path: Path
) -> None:
    method = augcli.CutMix(region="box")
    augcli.augment(colours, method, out=tmp_path / "o", to=to, copies=2, workers=0)
    data = ManifestDataset(tmp_path / "o")
    assert len(data) == 96
    loader = torch.utils.data.DataLoader(data, 16, shuffle=True, num_workers=2)
    means = losses(torch, lambda _: loader)
    assert means[-1] < 0.75 * means[0]


def test_the_loss_falls_with_a_batch_mixer(
    torch: Any, colours: Path, tmp_path: Path, scorer: Path, cli: Cli
) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    from torchvision.datasets import ImageFolder

    maps = tmp_path / "maps.npz"
    assert cli("heatmaps", colours, "--model", scorer, "--out", maps).code == 0
    transform = v2.Compose([v2.RandomHorizontalFlip(), v2.PILToTensor()])
    data = NamedDataset(ImageFolder(str(colours)), heat_maps=maps, transform=transform)
    mixer = BatchMixer(augcli.AttentiveCutMix(), classes=3)
    loader = torch.utils.data.DataLoader(data, 16, shuffle=True, collate_fn=mixer)

    def batches(epoch: int) -> Any:
        mixer.set_epoch(epoch)
        return loader

    means = losses(torch, batches)
    assert means[-1] < 0.75 * means[0]


def test_timm_trains_with_it(torch: Any, colours: Path) -> None:
    timm = pytest.importorskip("timm")
    from timm import loss
    from timm.data import create_dataset, create_loader

    mixer = BatchMixer(augcli.CutMix(region="box"), classes=3)
    loader = create_loader(
        create_dataset("folder", str(colours)),
        (3, 32, 32),
        8,
        is_training=True,
        num_workers=0,
        collate_fn=mixer,
        device=torch.device("cpu"),
        persistent_workers=False,
        pin_memory=False,
        img_dtype=torch.float32,
    )
    network = timm.create_model("test_resnet", num_classes=3)
    criterion = loss.SoftTargetCrossEntropy()
    for images, targets in loader:
        assert images.shape[1:] == (3, 32, 32)
        assert torch.allclose(targets.sum(1), torch.ones(len(targets)))
        criterion(network(images), targets).backward()


def test_the_trainer_of_transformers_trains_with_it(
    torch: Any, colours: Path, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    datasets = pytest.importorskip("datasets")
    rows = datasets.load_dataset(
        "imagefolder", data_dir=str(colours), split="train", cache_dir=str(tmp_path / "cache")
    )

    def samples(batch: Any) -> Any:
        arrays = [np.array(image).transpose(2, 0, 1) / np.float32(255) for image in batch["image"]]
        return {"pixel_values": arrays, "labels": batch["label"]}

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3 * 32 * 32, 3)

        def forward(self, pixel_values: Any, labels: Any) -> Any:
            logits = self.layer(pixel_values.flatten(1))
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    trainer = transformers.Trainer(
        model=Network(),
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path / "run"),
            max_steps=4,
            remove_unused_columns=False,
            report_to=[],
            use_cpu=True,
        ),
        train_dataset=rows.with_transform(samples),
        data_collator=BatchMixer(augcli.MixUp(), classes=3),
    )
    assert trainer.train().training_loss > 0


def test_keras_trains_with_it(colours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (12, 16, 16, 3), np.uint8)
    labels = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    mixer = BatchMixer(augcli.CutMix(region="box"))

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            part = slice(4 * index, 4 * index + 4)
            mixed, targets = mixer(images[part], labels[part])
            return mixed.astype("float32") / 255, targets

        def on_epoch_end(self) -> None:
            mixer.set_epoch(mixer.epoch + 1)

    network = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    network.compile("adam", "categorical_crossentropy")
    history = network.fit(Batches(), epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    assert mixer.epoch >= 2
