"""What a run shows to people, line by line, on a command line and in a notebook."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, TypeVar

from augcli.run.messages import TaskSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from augcli.run.messages import Error, Planned, Progress, Started, Summary

Entry = TypeVar("Entry")

CLASSES_SHOWN: Final = 20
"""Classes whose outputs are printed at the end."""
LONGEST: Final = 20_000
"""Characters of the longest line for people; two paths fit, with all of their letters escaped."""


def printable(text: str) -> str:
    r"""Return text as one line that a terminal shows: all that is not printable is escaped.

    These are control characters, line breaks, marks that change the direction of writing, and
    halves of characters. A text of more than 20,000 characters is cut short.

    Example:
        >>> printable("a\x1b[31m.jpg")
        'a\\x1b[31m.jpg'
        >>> printable("a.jpg\nfailed: \u202eb.jpg")
        'a.jpg\\nfailed: \\u202eb.jpg'
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def started_line(message: Started) -> str:
    """Return the first line of a run.

    Example:
        >>> from augcli.run.messages import Started
        >>> started_line(Started("cutout", "/images", "/images-cutout", 9, 3, 9, 1))
        'augcli cutout: 9 images of 3 classes from /images, 9 outputs, 1 worker'
    """
    images = counted(message.sources, "image") + _of_classes(message.classes)
    return (
        f"augcli {message.command}: {images} from {message.input}, "
        f"{counted(message.jobs, 'output')}, {counted(message.workers, 'worker')}"
    )


def failed_line(message: Error) -> str:
    """Return the line for an image that failed.

    Example:
        >>> from augcli.run.messages import Error
        >>> failed_line(Error("cat/a.jpg", "decode", "an empty file"))
        'failed: cat/a.jpg: an empty file (decode)'
    """
    return f"failed: {message.source}: {message.reason} ({message.stage})"


def planned_line(message: Planned) -> str:
    """Return the line about a run that many tasks will make.

    Example:
        >>> from augcli.run.messages import Planned
        >>> planned_line(Planned("/images-cutout", "3f9a", 32, 509))
        'prepared: 509 outputs in 32 shards; make them with `shard` I/N, then finish /images-cutout'
    """
    if not message.plan:
        return f"{message.out} is complete"
    return (
        f"prepared: {counted(message.jobs, 'output')} in {counted(message.shards, 'shard')}; make "
        f"them with `shard` I/N, then finish {message.out}"
    )


def progress_line(message: Progress) -> str:
    """Return the counts, the rate and the time left.

    Example:
        >>> from augcli.run.messages import Progress
        >>> progress_line(Progress(made=300, failed=0, total=1500, seconds=2.0, new=200))
        '300 of 1,500 made, 0 failed, 100 images a second, 12 s left'
    """
    speed = rate(message)
    left = (message.total - message.made - message.failed) / speed if speed else 0.0
    nodes = f" on {counted(message.nodes, 'node')}" if message.nodes else ""
    return (
        f"{message.made:,} of {message.total:,} made, {message.failed:,} failed, "
        f"{speed:,.0f} images a second{nodes}, {left:,.0f} s left"
    )


def summary_lines(summary: Summary, spell: Callable[[str], str] = str) -> list[str]:
    """Return the lines at the end of a run: counts, speed, notes, failures.

    Args:
        summary: Of the run.
        spell: Writes the options in a note as they were given.
    """
    counts = counted(summary.images, summary.noun) + _of_classes(summary.classes)
    if isinstance(summary, TaskSummary):
        counts = f"task {summary.task}: {counted(summary.shards, 'shard')}, {counts}"
    if 0 < summary.new < summary.images:
        counts += f", {summary.new:,} of them new"
    if summary.mean_weight:
        counts += f"; average donor weight {100 * summary.mean_weight:.1f} %"
    lines = [counts]
    if summary.images_per_second:
        lines.append(
            f"{summary.images_per_second:,.0f} images a second, {summary.seconds:.1f} s in total"
        )
    if summary.per_class:
        lines.append(f"by class: {_by_class(summary.per_class)}")
    for remark, count in summary.remarks.items():
        lines.append(f"note: {spell(remark)} ({counted(count, 'image')})")
    if summary.failed:
        place = f", see {summary.errors}" if not isinstance(summary, TaskSummary) else ""
        lines.append(f"{counted(summary.failed, 'image')} failed{place}")
    if summary.reports:
        lines.append(f"to look at it: augcli report {shlex.quote(summary.out)}")
    return lines


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    Example:
        >>> counted(1, "image"), counted(1500, "image")
        ('1 image', '1,500 images')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def most_and_least(entries: Sequence[Entry], most: int) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """Return the first and the last of many entries, or all of a few.

    Args:
        entries: From the most frequent to the least.
        most: How many are shown.

    Example:
        >>> most_and_least("abcdef", 4), most_and_least("abc", 4)
        (('ab', 'ef'), ('abc', ''))
    """
    if len(entries) <= most:
        return entries, entries[:0]
    half = most // 2
    return entries[: most - half], entries[-half:]


def _by_class(counts: Mapping[str, int]) -> str:
    """Return the outputs of each class, the first and the last of many.

    Example:
        >>> _by_class({"cat": 1500, "dog": 9, "": 1})
        'cat 1,500, dog 9, (unlabelled) 1'
    """
    order = sorted(counts.items(), key=lambda item: -item[1])
    first, last = most_and_least(order, CLASSES_SHOWN)
    words = [f"{name or '(unlabelled)'} {count:,}" for name, count in (*first, *last)]
    if last:
        words.insert(len(first), f"… {len(counts) - CLASSES_SHOWN:,} more …")
    return ", ".join(words)


def _of_classes(count: int) -> str:
    if not count:
        return ""
    return " of 1 class" if count == 1 else f" of {count:,} classes"


def rate(message: Progress) -> float:
    """Return the outputs a second of this run."""
    return message.new / message.seconds if message.seconds else 0.0
