"""Loaders that take the names of folders for classes, on images that keep their class."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from tests.docs.pages import ROOT
from tests.loaders.outputs import Loaded, check
from tests.photos import class_folders

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.torch.sets import Batch

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]
ERASED: dict[str, Any] = {"format": "png", "workers": 0}


@pytest.fixture
def erased(batch: Batch, tmp_path: Path) -> Path:
    """An output folder whose images keep their class."""
    augcli.augment(batch.folder, augcli.Cutout(patch=8), out=tmp_path / "erased", **ERASED)
    return tmp_path / "erased"


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    """The same with splits."""
    for split, count in (("train", 6), ("val", 3)):
        class_folders(tmp_path / "split" / split, {"cat": count, "dog": count, "emu": count})
    method, out = augcli.Cutout(patch=8), tmp_path / "splits"
    augcli.augment(tmp_path / "split", method, out=out, rest="encode", **ERASED)
    return out


def test_torchvision(erased: Path, splits: Path) -> None:
    folders = pytest.importorskip("torchvision.datasets")
    data = folders.ImageFolder(str(erased))
    assert data.classes == list(augcli.read(erased).classes)
    check((Loaded(*item) for item in data), erased)
    for split in ("train", "val"):
        data = folders.ImageFolder(str(splits / split))
        check((Loaded(*item) for item in data), splits, split)


def test_timm(erased: Path, splits: Path) -> None:
    timm = pytest.importorskip("timm.data")
    by_name = {"class_map": str(erased / "classes.txt")}
    for options in ({}, by_name):
        data = timm.create_dataset("folder", str(erased), **options)
        check((Loaded(*data[index]) for index in range(len(data))), erased)
    data = timm.create_dataset("folder", str(splits), split="val")
    check((Loaded(*data[index]) for index in range(len(data))), splits, "val")


def test_timm_numbers_classes_by_the_list_of_classes(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm.data")
    photos = class_folders(tmp_path / "photos", {"cat9": 2, "cat10": 2})
    out = tmp_path / "out"
    augcli.augment(photos, augcli.Cutout(patch=8), out=out, **ERASED)
    data = timm.create_dataset("folder", str(out), class_map=str(out / "classes.txt"))
    check((Loaded(*data[index]) for index in range(len(data))), out)


def test_keras(erased: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("grain")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    data = keras.utils.image_dataset_from_directory(
        str(erased), format="grain", image_size=(32, 36), shuffle=False
    )
    assert data.class_names == list(augcli.read(erased).classes)
    ((images, numbers),) = data
    pairs = zip(images.numpy(), numbers.numpy(), strict=True)
    check((Loaded(image.round(), number) for image, number in pairs), erased)


FASTAI = """
import sys
from pathlib import Path
from fastai.vision.all import ImageDataLoaders
import augcli
from tests.loaders.outputs import Loaded, check
out = Path(sys.argv[1])
loaders = ImageDataLoaders.from_folder(
    out, train="train", valid="val", bs=4, num_workers=0, device="cpu"
)
assert list(loaders.vocab) == list(augcli.read(out).classes)
for data, split in ((loaders.train_ds, "train"), (loaders.valid_ds, "val")):
    check((Loaded(*item) for item in data), out, split)
"""


def test_fastai(splits: Path) -> None:
    if importlib.util.find_spec("fastai") is None:
        pytest.skip("fastai is not installed")
    # A process of its own: fastai changes what tensors of PyTorch do.
    code = f"from tests.loaders.torchvision_import import torchvision; torchvision()\n{FASTAI}"
    command = [sys.executable, "-W", "ignore", "-c", code, str(splits)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def yolo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A small network of Ultralytics, untrained; nothing is downloaded."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("YOLO_OFFLINE", "True")
    monkeypatch.setenv("YOLO_AUTOINSTALL", "False")
    ultralytics = pytest.importorskip("ultralytics")
    network = ultralytics.YOLO("yolo11n-cls.yaml")
    options = {"epochs": 1, "imgsz": 32, "batch": 4, "workers": 0, "device": "cpu", "plots": False}
    network.overrides.update(options, project=str(tmp_path / "runs"))
    return network


def numbers_of(loader: Any) -> Counter[tuple[str, int]]:
    """Return how many pictures of each folder have each number."""
    samples = loader.dataset.samples
    return Counter((Path(file).parent.name, number) for file, number, *_ in samples)


def test_ultralytics_trains_with_it_and_leaves_it_as_it_is(
    tmp_path: Path, splits: Path, yolo: Any, cli: Cli
) -> None:
    out = tmp_path / "jpeg"
    augcli.augment(tmp_path / "split", augcli.Cutout(patch=8), out=out, format="jpg", workers=0)
    yolo.train(data=str(out))
    assert yolo.names == dict(enumerate(augcli.read(out).classes))
    assert numbers_of(yolo.trainer.train_loader) == {("cat", 0): 6, ("dog", 1): 6, ("emu", 2): 6}
    assert numbers_of(yolo.trainer.test_loader) == {("cat", 0): 3, ("dog", 1): 3, ("emu", 2): 3}
    # It writes JPEG files anew that don't end as they should, and adds lists of its own.
    assert all((out / f"{split}.cache").is_file() for split in ("train", "val"))
    assert cli("verify", out).code == 0


def test_ultralytics_keeps_the_numbers_of_a_split_with_an_empty_folder(
    tmp_path: Path, yolo: Any, cli: Cli
) -> None:
    class_folders(tmp_path / "photos" / "train", {"cat": 3, "dog": 3})
    class_folders(tmp_path / "photos" / "val", {"dog": 3})
    out = tmp_path / "out"
    said = cli("cutout", tmp_path / "photos", "--patch", 8, "--out", out).err
    assert "split val has no image of class 'cat'" in said
    assert "an empty folder of that name in val keeps the numbers" in said
    (out / "val" / "cat").mkdir()
    yolo.train(data=str(out))
    assert numbers_of(yolo.trainer.test_loader) == {("dog", 1): 3}
