"""The results of a run of the benchmark: what was measured, and the JSON file that keeps it."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from contenders import Contender
from rounds import Figures
from scale import Crew, Grown, Planned
from watch import Watched

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGES = (
    *("augcli", "numpy", "opencv-python-headless", "onnxruntime", "pillow", "pyarrow"),
    *("albumentations", "psutil"),
)


class About(NamedTuple):
    """What a run ran on.

    Attributes:
        date: Day, as 2026-11-26.
        command: Without the folders of this machine.
        rounds: How many.
        processor: Its name.
        cores: How many this process may use.
        system: Name and version.
        python: Version.
        versions: By package.
    """

    date: str
    command: str
    rounds: int
    processor: str
    cores: int
    system: str
    python: str
    versions: dict[str, str]

    @classmethod
    def here(cls, command: str, rounds: int = 1, packages: Iterable[str] = PACKAGES) -> About:
        """Describe this machine, now."""
        found = {name: _version(name) for name in packages}
        affinity = hasattr(os, "sched_getaffinity")
        return cls(
            str(datetime.datetime.now(tz=datetime.UTC).date()),
            command,
            rounds,
            processor(),
            len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1,
            f"{platform.system()} {platform.release()}",
            platform.python_version(),
            {name: version for name, version in found.items() if version},
        )

    @property
    def file_name(self) -> str:
        """The name of the results of this day and machine."""
        name = re.sub(r"[^a-z0-9]+", "-", self.processor.lower()).strip("-")
        return f"{self.date}-{name}-{self.cores}-cores.json"

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        text = (
            f"Measured on {self.date} with `{self.command}` on {self.processor}, {self.cores} "
            f"cores, {self.system}, Python {self.python}; {versions}."
        )
        return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


class Measured(NamedTuple):
    """Everything that one run of the benchmark measured; empty where it was left out.

    Attributes:
        about: What it ran on.
        titles: Of the scenarios, by name.
        figures: Of the contenders, by scenario.
        stages: Microseconds an image of each stage, by command and title of the scenario.
        curve: What long lists cost.
        start_up: Seconds of an empty Python, and of ``augcli --help``.
        memories: Runs over few large and over many small pictures.
        crews: What different numbers of workers make.
        growth: Runs with more and more outputs.
    """

    about: About
    titles: dict[str, str]
    figures: dict[str, list[Figures]]
    stages: dict[str, dict[str, float]]
    curve: list[Planned]
    start_up: tuple[float, float]
    memories: list[Watched]
    crews: list[Crew]
    growth: list[Grown]

    def save(self, path: Path) -> None:
        """Write the JSON file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_plain(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Measured:
        """Read what :meth:`save` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        figures = {
            name: [Figures(**{**one, "contender": _contender(one["contender"])}) for one in figures]
            for name, figures in found["figures"].items()
        }
        return cls(
            About(**found["about"]),
            found["titles"],
            figures,
            found["stages"],
            [Planned(**one) for one in found["curve"]],
            tuple(found["start_up"]),
            [Watched(**one) for one in found["memories"]],
            [Crew(**one) for one in found["crews"]],
            [Grown(**one) for one in found["growth"]],
        )


def _contender(found: dict[str, Any]) -> Contender:
    return Contender(**{**found, "arguments": tuple(found["arguments"])})


def _plain(value: Any) -> Any:
    """Return named tuples as objects with their names."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


def processor() -> str:
    """Return the name of the processor, or of its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
