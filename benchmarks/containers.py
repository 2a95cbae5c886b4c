"""Containers: how quickly tar shards are listed and read.

    python -m benchmarks.containers --list 1000 --read 20000

``--list`` lists so many shards of 1,000 samples, each an image of 3 KiB with its class. All are
second names of one file, so the disk has no part in the figure. ``--read`` reads so many pictures
of 32 x 32 from a folder and from shards of 1,000, in the order of the ring, in turns.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image as Pillow

from augcli.data.stores.opening import open_store
from tests.photos import picture
from tests.shards import tar

EACH = 1000
"""Samples of a shard."""
ROUNDS = 5


def listing(folder: Path, count: int) -> str:
    """Time how many sources are listed, and what memory each takes."""
    entries = []
    for number in range(EACH):
        entries.append((f"{number:06d}.jpg", bytes(3 << 10)))
        entries.append((f"{number:06d}.cls", b"%d" % (number % 100)))
    first = folder / "shards" / f"{0:06d}.tar"
    first.parent.mkdir()
    first.write_bytes(tar(entries))
    for number in range(1, count):
        os.link(first, first.with_name(f"{number:06d}.tar"))
    before = peak()
    begun, used = time.perf_counter(), time.process_time()
    sources = open_store(str(first.parent)).list()
    spent, used = time.perf_counter() - begun, time.process_time() - used
    memory = (peak() - before) / len(sources)
    return (
        f"{len(sources):,} sources in {spent:.1f} s, of which the processor worked {used:.1f} s; "
        f"{memory:.0f} bytes each"
    )


def peak() -> int:
    """Return the most bytes of memory that this process had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reading(folder: Path, count: int) -> str:
    """Time how long a picture takes to read, from a folder and from shards; the best of rounds."""
    files = []
    for number in range(count):
        file = io.BytesIO()
        Pillow.fromarray(picture(number, 32, 32)).save(file, "PNG")
        files.append((f"{number:06d}", file.getvalue()))
    (folder / "photos" / "cat").mkdir(parents=True)
    (folder / "tars").mkdir()
    for name, data in files:
        (folder / "photos" / "cat" / f"{name}.png").write_bytes(data)
    for start in range(0, count, EACH):
        entries = []
        for name, data in files[start : start + EACH]:
            entries += [(f"{name}.png", data), (f"{name}.cls", b"cat")]
        (folder / "tars" / f"{start:06d}.tar").write_bytes(tar(entries))
    stores = {name: open_store(str(folder / name)) for name in ("photos", "tars")}
    sources = {name: store.list() for name, store in stores.items()}
    order = random.Random(1).sample(range(count), count)
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, store in stores.items():
            jobs = [sources[name].source(index) for index in order]
            begun = time.perf_counter()
            for source in jobs:
                store.read(source)
            spent = 1e6 * (time.perf_counter() - begun) / count
            best[name] = min(best.get(name, spent), spent)
    ratio = best["photos"] / best["tars"]
    return f"folder {best['photos']:.1f} us, tar {best['tars']:.1f} us a picture; ratio {ratio:.2f}"


def main() -> None:
    """Run what was asked for and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", type=int, default=0, metavar="SHARDS")
    parser.add_argument("--read", type=int, default=0, metavar="PICTURES")
    wanted = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}")
    for name, measure in (("list", listing), ("read", reading)):
        if getattr(wanted, name):
            with tempfile.TemporaryDirectory() as folder:
                print(f"{name}: {measure(Path(folder), getattr(wanted, name))}", flush=True)


if __name__ == "__main__":
    main()
