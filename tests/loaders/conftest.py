"""A set of pictures with heat maps, for tests with the real libraries."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.loaders.outputs import mixed
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
    """An output of each kind: mixed pictures."""
    return mixed(batch.folder, tmp_path / "out", to)


@pytest.fixture
def files(batch: Batch, tmp_path: Path) -> Path:
    """The same pictures in an output folder."""
    return mixed(batch.folder, tmp_path / "files", "folder")
