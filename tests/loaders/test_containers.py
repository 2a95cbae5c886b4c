"""WebDataset, and timm's readers of containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.loaders.outputs import Loaded, check, mixed, vector_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.torch.sets import Batch

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


@pytest.fixture
def tars(batch: Batch, tmp_path: Path) -> Path:
    """An output of tar files."""
    return mixed(batch.folder, tmp_path / "tars", "webdataset")


def test_webdataset(tars: Path, files: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    names = sorted(map(str, tars.glob("*.tar")))
    assert len(names) > 1
    samples: Any = webdataset.WebDataset(names, shardshuffle=False).decode("rgb8")
    items = []
    for sample in samples:
        label = sample["json"]
        vector = vector_of(label["classes"], label["weights"], files)
        items.append(Loaded(sample["png"], sample["cls"], vector))
    check(items, files)


def test_timm_reads_tar_files(tars: Path, files: Path) -> None:
    pytest.importorskip("webdataset")
    timm = pytest.importorskip("timm.data")
    data = timm.create_dataset("wds/", str(tars), split="train", batch_size=1, is_training=False)
    assert len(data) == 13
    check((Loaded(image, number) for image, number in data), files)


def test_timm_reads_parquet(
    batch: Batch, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets")
    timm = pytest.importorskip("timm.data")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    out = mixed(batch.folder, tmp_path / "out", "parquet")
    data = timm.create_dataset(f"hfds/{out}", None, split="train")
    check((Loaded(*data[index]) for index in range(len(data))), files)
