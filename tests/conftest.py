"""Fixtures that several folders of tests use."""

from __future__ import annotations

import importlib.util
import signal
import sys
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from augcli.cli.app import main
from tests import models
from tests.buckets import (  # noqa: F401 - fixtures
    amazon,
    any_bucket,
    azure,
    bucket,
    every_bucket,
    google,
    named_bucket,
    proxy,
)
from tests.command import Outcome
from tests.photos import class_folders
from tests.torch.sets import Batch, batch_of, heat_maps_of

if TYPE_CHECKING:
    from pathlib import Path


EXTRAS = {"loaders": ("torch", "PyTorch and other loaders"), "ray": ("ray", "Ray")}
"""Marks of tests that need a large package: its name, and what people call it."""


def pytest_configure(config: pytest.Config) -> None:
    """Leave out the tests whose package is missing, unless they were asked for."""
    if config.option.markexpr:
        return
    left_out = [mark for mark, (name, _) in EXTRAS.items() if not importlib.util.find_spec(name)]
    config.option.markexpr = " and ".join(f"not {mark}" for mark in left_out)
    config.stash[LEFT_OUT] = left_out


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say in one line for each package what was left out, and how it is run."""
    for mark in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(
            f"The tests with {EXTRAS[mark][1]} were left out: make test-{mark} runs them."
        )


LEFT_OUT = pytest.StashKey[list[str]]()


class Cli(Protocol):
    """Runs the command line in this process, by default without worker processes."""

    def __call__(self, *arguments: object) -> Outcome:
        """Return its exit code and what it wrote."""
        ...


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, called in this process."""
    monkeypatch.setenv("AUGCLI_WORKERS", "0")

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["augcli", *map(str, arguments)])
        capsys.readouterr()
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            with pytest.raises(SystemExit) as end:
                main()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        code = end.value.code or 0
        assert isinstance(code, int)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """INPUT: three classes with 4, 3 and 2 pictures."""
    return class_folders(tmp_path / "photos", {"cat": 4, "dog": 3, "emu": 2})


@pytest.fixture(scope="session")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny scorer: the brightness of each cell."""
    return models.save_scorer(tmp_path_factory.mktemp("models") / "brightness.onnx")


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """A set of 13 pictures of one size: an odd number."""
    return batch_of(tmp_path / "photos")


@pytest.fixture
def maps(batch: Batch, scorer: Path, cli: Cli) -> Path:
    """The file of their heat maps."""
    return heat_maps_of(batch, scorer, cli)
