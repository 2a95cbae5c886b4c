"""What each setting of the encoders costs and saves: a table of docs/images.md.

python benchmarks/encoding.py --data DIR --page docs/images.md
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
from pictures import SCENARIOS, prepare, spread
from report import machine, table, write_between

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

QUALITY = 95
TEXT = """Means of {count} {what}, medians of {rounds} rounds, time of one core.
{machine}

"""


class Setting(NamedTuple):
    """One way to encode."""

    title: str
    format: Any
    options: dict[str, Any]


SETTINGS = (
    *(
        Setting(f"JPEG, `--subsampling {one}`", "jpg", {"subsampling": one})
        for one in ("420", "444")
    ),
    Setting("WebP", "webp", {}),
    *(Setting(f"PNG, `--png-level {level}`", "png", {"png_level": level}) for level in range(10)),
)


class Cost(NamedTuple):
    """Of one picture: bytes, and milliseconds to encode and to decode it."""

    size: float
    encode: float
    decode: float


def main() -> None:
    """Measure every setting and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="holds photos.tar; drawn if not given")
    parser.add_argument("--page", type=Path, help="takes the table; printed if not given")
    parser.add_argument("--work", type=Path, help="keeps the pictures for the next time")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="augcli-bench-") as temporary:
        work = given.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        folder = prepare(SCENARIOS["photos"], [given.images], given.data, work)[0]
        pictures = [decode(path.read_bytes()).image for path in spread(folder, given.images)]
    rounds: dict[str, list[Cost]] = {one.title: [] for one in SETTINGS}
    for number in range(given.rounds):
        for setting in SETTINGS[number:] + SETTINGS[:number]:
            rounds[setting.title].append(cost(setting, pictures))
    text = TEXT.format(
        count=len(pictures),
        what="photos" if given.data else "drawn pictures",
        rounds=given.rounds,
        machine=machine("benchmarks/encoding.py"),
    )
    text += table(("written as", "kB", "ms to write", "ms to read"), rows(rounds))
    write_between(given.page, "encoding", f"\n{text}\n")


def cost(setting: Setting, pictures: list[NDArray[Any]]) -> Cost:
    """Return the mean cost of a picture."""
    spent, files = timed(
        lambda: [
            encode(picture, setting.format, quality=QUALITY, **setting.options)
            for picture in pictures
        ]
    )
    read, _ = timed(lambda: [decode(file) for file in files])
    count = len(pictures)
    return Cost(sum(map(len, files)) / count, spent / count, read / count)


def timed(work: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    """Return the milliseconds of this process that some work took, and its result."""
    begun = time.process_time()
    result = work()
    return (time.process_time() - begun) * 1000, result


def rows(rounds: dict[str, list[Cost]]) -> list[list[str]]:
    """Return the rows of the table: medians over the rounds."""
    found = []
    for title, costs in rounds.items():
        size, written, read = (statistics.median(one) for one in zip(*costs, strict=True))
        found.append([title, f"{size / 1000:,.0f}", f"{written:.1f}", f"{read:.1f}"])
    return found


if __name__ == "__main__":
    main()
