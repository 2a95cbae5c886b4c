"""How cost grows: sources listed and planned without files, memory, finished folders.

    python benchmarks/scale.py SOURCES [table]

prints as JSON what listing, ring and shards of a generated list of that many sources cost, or in
how many seconds a table gives them their labels.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import NamedTuple

from contenders import AUGCLI, PROCESSES, augcli
from watch import Watched, new_out, watched


class Planned(NamedTuple):
    """What a generated list costs: seconds of each step, and bytes a source."""

    sources: int
    listing: float
    ring: float
    shards: float
    bytes_each: float

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return self.listing + self.ring + self.shards


def plan(count: int) -> Planned:
    """Plan a generated list of sources, as a run does before its first image."""
    from augcli.data.stores.sources import Sources  # noqa: PLC0415 - rounds don't need it
    from augcli.plan.ring import Ring, shards_for  # noqa: PLC0415

    rows = [(f"class-{index % 1000:04d}/{index:08d}.jpg", 100_000, index) for index in range(count)]
    random.Random(0).shuffle(rows)
    base = _resident()
    begun = time.perf_counter()
    sources = Sources("/generated")
    for path, size, modified in sorted(rows):
        sources.paths.append(path)
        sources.sizes.append(size)
        sources.modified.append(modified)
    sources.set_classes([path.partition("/")[0] for path in sources.paths])
    listed = time.perf_counter()
    ring = Ring.of(sources, 0, 0, "any")
    ringed = time.perf_counter()
    for _ in ring.shards(0, shards_for(count)):
        pass
    sharded = time.perf_counter()
    paths = sources.paths
    held = len(paths.packed(0, count)) + _bytes(paths.ends) + sum(map(_bytes, _arrays(sources)))
    held += sum(one.nbytes for one in (ring.order, ring.keys, ring.group))
    grown = max(0, _resident() - base)
    print(f"{count} sources: resident memory grew by {grown / count:.0f} each", file=sys.stderr)
    return Planned(count, listed - begun, ringed - listed, sharded - ringed, held / max(1, count))


def table(count: int) -> float:
    """Return the seconds in which a generated table gives that many sources their labels."""
    from augcli.data.stores.sources import Sources  # noqa: PLC0415 - rounds don't need it
    from augcli.data.tables.choice import TableChoice  # noqa: PLC0415
    from augcli.data.tables.labelling import Labelling  # noqa: PLC0415

    sources = Sources("/generated")
    sources.paths += [f"{index:08d}.jpg" for index in range(count)]
    sources.sizes.extend([1] * count)
    sources.modified.extend([1] * count)
    lines = [f"{path},class-{index % 1000:04d}\n" for index, path in enumerate(sources.paths)]
    random.Random(0).shuffle(lines)
    data = "".join(["file_name,label\n", *lines]).encode()
    begun = time.perf_counter()
    labelling = Labelling(sources, (sources.root,), TableChoice())
    labelling.add("table", data)
    labelling.finish()
    return time.perf_counter() - begun


def _arrays(sources: object) -> list[array[int]]:
    found = (getattr(sources, name) for name in ("sizes", "modified", "label_of"))
    return [one for one in found if isinstance(one, array)]


def _bytes(numbers: array[int]) -> int:
    return len(numbers) * numbers.itemsize


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def curve(counts: list[int]) -> list[Planned]:
    """Plan lists of these lengths, each in a process of its own."""
    found = []
    for count in counts:
        command = [sys.executable, __file__, str(count)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(Planned(*json.loads(text)))
    return found


def start_up(repeats: int) -> tuple[float, float]:
    """Return the median seconds of an empty Python and of ``augcli --help``."""
    empty, shown = [], []
    for _ in range(repeats):
        for command, times in (([sys.executable, "-c", ""], empty), ([*AUGCLI, "--help"], shown)):
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - begun)
    return statistics.median(empty), statistics.median(shown)


class Grown(NamedTuple):
    """A run over many small images, and the same again.

    Attributes:
        outputs: How many were made.
        rate: Images a second between the first and the last.
        end: Seconds from the last image to the end of the process.
        peak: Highest memory of all processes in bytes, the end included.
        again: Seconds of the second run, which finds all of them.
        again_peak: Its highest memory in bytes.
    """

    outputs: int
    rate: float
    end: float
    peak: int
    again: float
    again_peak: int


def grown(folder: Path, outputs: int, work: Path) -> Grown:
    """Make so many outputs of a folder of small images, and ask for them again."""
    images = sum(1 for _ in folder.glob("*/*"))
    out = new_out(work)
    options = ("--patch", "0.25", "--copies", str(max(1, outputs // images)))
    command = augcli("cutout", folder, out, PROCESSES, *options)
    whole, again = watched(command, str(out)), watched(command)
    spent = (whole.images - 1) / whole.rate if whole.rate else 0.0
    end = max(0.0, whole.wall - whole.first - spent)
    return Grown(whole.images, whole.rate, end, whole.peak, again.wall, again.peak)


class Crew(NamedTuple):
    """What a number of workers makes of the same folder: images a second."""

    workers: int
    rates: dict[str, float]


def crews(folders: dict[str, Path], counts: list[int], rounds: int, work: Path) -> list[Crew]:
    """Run cutout with each number of workers, in turns; the medians.

    Args:
        folders: By name of the scenario.
        counts: Numbers of workers.
        rounds: How often.
        work: Takes the outputs.
    """
    rates: dict[tuple[int, str], list[float]] = {}
    for _ in range(rounds):
        for count in counts:
            for name, folder in folders.items():
                command = augcli("cutout", folder, new_out(work), count, "--patch", "0.25")
                rates.setdefault((count, name), []).append(watched(command).rate)
    return [
        Crew(count, {name: statistics.median(rates[count, name]) for name in folders})
        for count in counts
    ]


def memories(folders: list[Path], work: Path) -> list[Watched]:
    """Run cutmix, which scores, over each folder."""
    found = []
    for folder in folders:
        out = new_out(work)
        found.append(watched(augcli("cutmix", folder, out, PROCESSES), str(out)))
    return found


if __name__ == "__main__":
    measure = table if sys.argv[2:] == ["table"] else plan
    print(json.dumps(measure(int(sys.argv[1]))))
