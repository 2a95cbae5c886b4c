"""A set of pictures with heat maps, for tests with the real libraries."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.loaders.torchvision_import import torchvision
from tests.torch.sets import Batch, batch_of, heat_maps_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture(autouse=True, scope="session")
def with_torchvision() -> None:
    """Import torchvision in the way that works here, before timm or transformers do."""
    with contextlib.suppress(ImportError):
        torchvision()


@pytest.fixture
def torch() -> Any:
    """PyTorch."""
    return pytest.importorskip("torch")


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """A set of 13 pictures."""
    return batch_of(tmp_path / "photos")


@pytest.fixture
def maps(batch: Batch, scorer: Path, cli: Cli) -> Path:
    """The file of their heat maps."""
    return heat_maps_of(batch, scorer, cli)
