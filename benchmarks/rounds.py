"""The rounds: every contender once in each, in another order each time."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from contenders import FLOOR, Contender
from watch import Watched, new_out, watched

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 3.0
"""Seconds that one run may take; slower contenders take a smaller folder of the same files."""


class Figures(NamedTuple):
    """Medians over the rounds.

    Attributes:
        contender: Whose.
        images: How many images one run made.
        rate: Images a second between the first and the last.
        ratio: The median of the ratios to the floor of the same round.
        wall: Images a second of the whole process, start-up included, for the largest folder.
        wall_ratio: The same as a ratio to the floor.
        cpu: Seconds of processor time an image.
        peak: Highest memory in bytes.
        first: Seconds until the first image was there.
    """

    contender: Contender
    images: int
    rate: float
    ratio: float
    wall: float
    wall_ratio: float
    cpu: float
    peak: int
    first: float


def measure(
    taking_part: list[Contender], folders: list[Path], models: Path | None, rounds: int, work: Path
) -> list[Figures]:
    """Run all contenders in all rounds.

    Args:
        taking_part: The floor among them.
        folders: Of the same files, the largest first.
        models: Holds the classifier.
        rounds: How many.
        work: Takes the outputs.
    """
    sizes = [sum(1 for _ in folder.glob("*/*")) for folder in folders]
    chosen = {}
    for one in taking_part:
        if len(folders) == 1:
            chosen[one] = folders[0]
            continue
        # Also warms up what the system keeps of the files.
        rate = _run(one, folders[-1], models, work).rate
        fits = [rate > 0 and size / rate <= PATIENCE for size in sizes]
        chosen[one] = folders[fits.index(True) if True in fits else -1]
    runs: dict[Contender, list[Watched]] = {one: [] for one in taking_part}
    for number in range(rounds):
        turn = number % len(taking_part)
        for one in taking_part[turn:] + taking_part[:turn]:
            runs[one].append(_run(one, chosen[one], models, work))
    floor = next(runs[one] for one in taking_part if one.title == FLOOR)
    return [_figures(one, runs[one], floor, sizes[0]) for one in taking_part]


def _run(one: Contender, folder: Path, models: Path | None, work: Path) -> Watched:
    out = new_out(work)
    # Built first: heat maps, which are not part of the run, may have to be made.
    command = one.command(folder, out, models)
    return watched(command, str(out))


def _figures(one: Contender, runs: list[Watched], floor: list[Watched], whole: int) -> Figures:
    median = statistics.median
    walls = [_whole(run, whole) for run in runs]
    floors = [_whole(run, whole) for run in floor]
    return Figures(
        one,
        runs[0].images,
        median(run.rate for run in runs),
        median(run.rate / base.rate for run, base in zip(runs, floor, strict=True)),
        median(whole / wall for wall in walls),
        median(base / wall for wall, base in zip(walls, floors, strict=True)),
        median(run.cpu / run.images for run in runs),
        max(run.peak for run in runs),
        median(run.first for run in runs),
    )


def _whole(run: Watched, whole: int) -> float:
    """Return the seconds for all files, where a run took a part of them: more at its rate."""
    return run.wall + (whole - run.images) / run.rate
