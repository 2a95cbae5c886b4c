"""What must be true of OUT at every instant, whatever happened to the run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from augcli.data.output import PARTS, output_files
from augcli.data.sinks.opening import open_sink
from augcli.plan.parts import Parts
from tests.photos import picture, save

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.plan.part import Part

VARIANTS = 3


def photos(folder: Path, *, count: int = 24, side: int = 12) -> Path:
    """Make INPUT: two classes of small pictures."""
    for number in range(count):
        label = ("cat", "dog")[number % 2]
        save(folder / label / f"{number:03d}.png", picture(number, side + number % 3, side))
    return folder


def vary(folder: Path, variant: int) -> None:
    """Let one source of INPUT be changed, one be new and one be gone; 0 undoes it."""
    for name, there in (("cat/gone.png", variant == 0), ("dog/new.png", variant == 2)):
        if there:
            save(folder / name, picture(99, 12, 12))
        else:
            (folder / name).unlink(missing_ok=True)
    save(folder / "cat/changed.png", picture(100 + variant, 12, 12 + variant))


SINK_OF = {"tar": "webdataset", "parquet": "parquet", "npz": "npz"}
"""By the ending of its containers."""


def parts_of(out: Path) -> list[Part]:
    """Return the parts that are whole."""
    in_containers = any(any(out.glob(f"*.{ending}")) for ending in SINK_OF)
    parts = Parts(output_files(str(out)), in_containers=in_containers)
    return [stored.part for stored in parts.read() if stored.part]


def assert_committed_rows_are_true(out: Path) -> int:
    """Check each row of each committed part against its file; return how many there are.

    And that no file lies where outputs lie but pictures, each of them whole.
    """
    if not out.exists():
        return 0
    count = 0
    for part in parts_of(out):
        if part.data:
            data = (out / part.data.name).read_bytes()
            assert hashlib.sha256(data).hexdigest() == part.data.sha256, part.data.name
        ending = part.data.name.rpartition(".")[2] if part.data else ""
        sink = open_sink(SINK_OF.get(ending, "folder"), output_files(str(out)))
        for made in part.made:
            data = sink.read(made.row.file_name)
            assert hashlib.sha256(data).hexdigest() == made.row.sha256, made.row.file_name
            count += 1
    for path in out.glob("*/*"):
        if path.is_file() and ".augcli" not in path.parts:
            assert path.suffix == ".png", path
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82"), path
    names = [path.name for path in (out / PARTS).glob("*")]
    assert [name for name in names if not name.endswith(".json")] == []
    return count
