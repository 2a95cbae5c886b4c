"""A set of pictures with heat maps, for tests with the real libraries."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from tests.loaders.torchvision_import import torchvision
from tests.torch.sets import Batch

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True, scope="session")
def with_torchvision() -> None:
    """Import torchvision in the way that works here, before timm or transformers do."""
    with contextlib.suppress(ImportError):
        torchvision()


@pytest.fixture
def torch() -> Any:
    """PyTorch."""
    return pytest.importorskip("torch")


@pytest.fixture(params=["folder", "webdataset", "parquet"])
def to(request: pytest.FixtureRequest) -> str:
    """Each kind of output."""
    return str(request.param)


@pytest.fixture
def out(batch: Batch, to: str, tmp_path: Path) -> Path:
    """An output of each kind: mixed pictures as PNG, containers of a few pictures each."""
    return mixed(batch, tmp_path / "out", to)


@pytest.fixture
def files(batch: Batch, tmp_path: Path) -> Path:
    """The same pictures in an output folder."""
    return mixed(batch, tmp_path / "files", "folder")


def mixed(batch: Batch, out: Path, to: str) -> Path:
    """Mix a batch and return OUT."""
    options: dict[str, Any] = {"shard_size": "8KB"} if to != "folder" else {}
    augcli.augment(batch.folder, augcli.MixUp(alpha=1), out=out, to=to, format="png", **options)
    return out
