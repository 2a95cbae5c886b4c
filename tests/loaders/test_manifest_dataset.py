"""ManifestDataset with PyTorch's loaders, and pipelines of torchvision and albumentations."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.data.sinks.opening import CONTAINERS
from augcli.data.sinks.parquet import ParquetSink
from augcli.data.sinks.webdataset import WebDatasetSink
from augcli.errors import InputError, ParameterError, UsageError
from augcli.torch import ManifestDataset, NamedDataset
from tests.loaders.outputs import Loaded, check, mixed
from tests.photos import class_folders
from tests.torch.sets import Batch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


def test_items_are_the_pictures_with_their_vectors(torch: Any, out: Path, files: Path) -> None:
    data, dataset = augcli.read(out), ManifestDataset(out)
    assert dataset.classes == data.classes
    order = np.random.default_rng(0).permutation(len(dataset)).tolist()
    items = [dataset[index] for index in order]
    assert {(image.dtype, target.dtype) for image, target in items} == {
        (torch.uint8, torch.float32)
    }
    check((Loaded(image.permute(1, 2, 0), None, target) for image, target in items), files)
    hard = ManifestDataset(out, target="hard")
    check((Loaded(hard[index][0].permute(1, 2, 0), hard[index][1]) for index in order), files)
    for index, row in enumerate(data.rows):
        assert dataset.name(index) == row.file_name
        assert np.array_equal(dataset[index][1].numpy(), data.targets[index])
    assert torch.equal(dataset.targets, torch.from_numpy(data.targets))
    assert torch.equal(dataset.hard, dataset.targets.argmax(1))
    assert torch.equal(dataset[-1][0], dataset[12][0])
    with pytest.raises(IndexError):
        dataset[13]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_what_the_main_process_gives(context: str, torch: Any, out: Path) -> None:
    loader = torch.utils.data.DataLoader
    dataset = ManifestDataset(out)
    alone = list(loader(dataset, batch_size=4))
    workers = {"num_workers": 2, "multiprocessing_context": context}
    for ours, theirs in zip(alone, loader(dataset, batch_size=4, **workers), strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.parametrize("sink", [WebDatasetSink, ParquetSink])
def test_workers_look_through_a_container_for_all(
    sink: Any,
    context: str,
    torch: Any,
    batch: Batch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to = next(name for name, kind in CONTAINERS.items() if kind is sink)
    dataset = ManifestDataset(mixed(batch.folder, tmp_path / "out", to))
    workers = {"num_workers": 2, "multiprocessing_context": context}
    items = [item for item, _ in torch.utils.data.DataLoader(dataset, batch_size=None, **workers)]

    def looked_through(self: Any, container: str) -> Any:
        raise AssertionError(f"{container} is looked through again")

    monkeypatch.setattr(sink, "places", looked_through)
    assert all(torch.equal(dataset[index][0], item) for index, item in enumerate(items))


def test_a_class_may_be_called_as_containers_are(torch: Any, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", {"a.tar": 2, "b.parquet": 2})
    dataset = ManifestDataset(mixed(photos, tmp_path / "out", "folder"))
    assert len([dataset[index] for index in range(4)]) == 4


@pytest.mark.parametrize("to", ["webdataset", "parquet"])
def test_a_container_that_is_missing_or_damaged_is_named(
    to: str, torch: Any, batch: Batch, tmp_path: Path
) -> None:
    out = mixed(batch.folder, tmp_path / "out", to)
    names = sorted(path for path in out.iterdir() if path.suffix in (".tar", ".parquet"))
    names[0].unlink()
    names[1].write_bytes(names[1].read_bytes()[:-5000])
    names[2].write_bytes(b"no container")
    dataset = ManifestDataset(out)
    broken = {path.name for path in names[:3]}
    for index in range(13):
        name = dataset.name(index)
        if name.partition("/")[0] not in broken:
            dataset[index]
            continue
        with pytest.raises(InputError, match="makes it again") as error:
            dataset[index]
        assert name in str(error.value)


def test_pictures_in_parquet_need_pyarrow(
    torch: Any, batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = mixed(batch.folder, tmp_path / "out", "parquet")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"augcli\[parquet\]"):
        ManifestDataset(out)


def test_the_manifest_does_not_travel_to_workers(torch: Any, tmp_path: Path) -> None:
    from multiprocessing.reduction import ForkingPickler

    importlib.import_module("torch.multiprocessing")

    sizes = []
    for count in (4, 60):
        folder = class_folders(tmp_path / f"photos{count}", {"cat": count, "dog": count})
        augcli.augment(folder, augcli.MixUp(), out=tmp_path / f"o{count}", workers=0)
        sizes.append(len(ForkingPickler.dumps(ManifestDataset(tmp_path / f"o{count}"))))
    assert sizes[1] - sizes[0] < 100


def test_pipelines_of_torchvision_get_a_pil_image(torch: Any, files: Path) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    v1 = pytest.importorskip("torchvision.transforms")
    plain, _ = ManifestDataset(files)[3]
    scaled = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    for transform in (scaled, v1.ToTensor()):
        image, _ = ManifestDataset(files, transform=transform)[3]
        assert torch.allclose(image, plain / 255)
    small, _ = ManifestDataset(files, transform=v2.Resize((8, 9)))[3]
    assert small.shape == (3, 8, 9)


def test_pipelines_of_albumentations_get_an_array(torch: Any, files: Path) -> None:
    albumentations = pytest.importorskip("albumentations")
    plain, _ = ManifestDataset(files)[3]
    pipelines = [
        albumentations.HorizontalFlip(p=1),
        albumentations.Compose([albumentations.HorizontalFlip(p=1)]),
        albumentations.Compose(
            [albumentations.HorizontalFlip(p=1), albumentations.pytorch.ToTensorV2()]
        ),
    ]
    for transform in pipelines:
        image, _ = ManifestDataset(files, transform=transform)[3]
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


def test_a_picture_that_is_missing_or_damaged_is_named(torch: Any, files: Path) -> None:
    dataset = ManifestDataset(files)
    (files / dataset.name(0)).unlink()
    (files / dataset.name(1)).write_bytes(b"no picture")
    for index in (0, 1):
        with pytest.raises(InputError, match="makes it again") as error:
            dataset[index]
        assert dataset.name(index) in str(error.value)


def test_names_of_an_output_folder_are_its_paths(torch: Any, files: Path) -> None:
    dataset = ManifestDataset(files)
    image, target, name = NamedDataset(dataset)[2]
    assert name == dataset.name(2)
    assert torch.equal(image, dataset[2][0])
    assert torch.equal(target, dataset[2][1])
