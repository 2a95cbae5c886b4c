"""Who takes part: each contender's command line for a folder."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pictures import packed

QUALITY = 95
PROCESSES = 2
CLASSIFIER = "mobilenet-v2-100-224.onnx"
AUGCLI = [sys.executable, "-m", "augcli"]
PEERS = [sys.executable, str(Path(__file__).with_name("peers.py"))]

FLOOR = "floor"
CUTOUT = "augcli cutout"
SCORING = "augcli cutmix, scoring"
STORED = "augcli cutmix, stored heat maps"
IN_CONTAINERS = {
    "augcli cutout, WebDataset to WebDataset": ("webdataset", "webdataset"),
    "augcli cutout, npz to Parquet": ("npz", "parquet"),
    "augcli cutout, Parquet to Parquet": ("parquet", "parquet"),
}
"""Contenders that read and write containers: of which kind. The floor is that of folders."""


class Contender(NamedTuple):
    """One that takes part.

    Attributes:
        title: As in the tables.
        processes: How many it works in.
        peer: Its name in peers.py; empty for augcli.
        arguments: Of augcli.
        packed: The container that it reads; empty for the folder.
    """

    title: str
    processes: int
    peer: str = ""
    arguments: tuple[str, ...] = ()
    packed: str = ""

    def command(self, folder: Path, out: Path, models: Path | None) -> list[str]:
        """Return the command line that makes OUT from a folder."""
        if self.peer:
            classifier = ["--classifier", str(models / CLASSIFIER)] if models else []
            processes = ["--processes", str(self.processes)]
            return [*PEERS, self.peer, str(folder), str(out), *processes, *classifier]
        stored = ["--heatmaps", str(heat_map_file(folder))] if self.title == STORED else []
        source = packed(folder, self.packed) if self.packed else folder
        return augcli(self.arguments[0], source, out, self.processes, *self.arguments[1:], *stored)


def augcli(command: str, folder: Path, out: Path, workers: int, *more: str) -> list[str]:
    """Return a command line of augcli with every setting of the codec given."""
    options = ["--out", str(out), "--workers", str(workers), "--quality", str(QUALITY), "--json"]
    if "--subsampling" in help_of(command):
        options += ["--subsampling", "420"]
    return [*AUGCLI, command, str(folder), *options, *more]


@functools.cache
def help_of(command: str) -> str:
    """Return the help of a command, empty where there is no such command."""
    asked = subprocess.run(
        [*AUGCLI, command, "--help"], capture_output=True, text=True, check=False
    )
    return "" if asked.returncode else asked.stdout


def heat_map_file(folder: Path) -> Path:
    """Return where the stored heat maps of a folder lie, made where they are not there."""
    path = folder.with_name(f"{folder.name}.heatmaps")
    if not path.exists():
        command = [*AUGCLI, "heatmaps", str(folder), "--out", str(path)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def contenders(models: Path | None, scenario: str) -> list[Contender]:
    """Return all that can take part here, the floor first.

    Args:
        models: Holds the classifier of the port; None where it doesn't take part.
        scenario: Name of the scenario; only small pictures are worth a container.
    """
    found = [
        Contender(FLOOR, PROCESSES, "floor"),
        Contender("floor, one process", 1, "floor"),
        Contender(CUTOUT, PROCESSES, arguments=("cutout", "--patch", "0.25")),
        Contender("augcli cutout, 1 worker", 1, arguments=("cutout", "--patch", "0.25")),
        Contender(SCORING, PROCESSES, arguments=("cutmix", "--top-n", "6")),
    ]
    if help_of("heatmaps") and "--heatmaps" in help_of("cutmix"):
        found.append(Contender(STORED, PROCESSES, arguments=("cutmix", "--top-n", "6")))
    if scenario == "small":
        has_parquet = importlib.util.find_spec("pyarrow") is not None
        for title, (packed_in, to) in IN_CONTAINERS.items():
            if has_parquet or "parquet" not in (packed_in, to):
                cutout = ("cutout", "--patch", "0.25", "--format", "jpg", "--to", to)
                found.append(Contender(title, PROCESSES, arguments=cutout, packed=packed_in))
    if importlib.util.find_spec("albumentations"):
        found += [
            Contender("albumentations CoarseDropout, loop", 1, "albumentations"),
            Contender("albumentations CoarseDropout, pool", PROCESSES, "albumentations-pool"),
        ]
    found.append(Contender("Pillow, loop", 1, "pillow"))
    has_model = models is not None and (models / CLASSIFIER).is_file()
    if has_model and importlib.util.find_spec("onnx"):
        found.append(Contender("Attentive CutMix, straight port", PROCESSES, "attentive"))
    return found
