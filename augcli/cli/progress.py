"""What a run shows while it works: a progress bar, plain lines, JSON lines, or nothing.

Everything for people goes to standard error; standard output carries the path of the
manifest, or JSON.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from augcli.cli.streams import printable, write_json, write_path, write_stderr
from augcli.cli.tables import most_and_least
from augcli.errors import Interrupted, with_flags
from augcli.run.messages import Error, Notice, Progress, Started, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from augcli.cli.options import CommandOptions
    from augcli.run.messages import Listener, Message

LINE_SECONDS = 5.0
"""Between two lines of progress where standard error is no terminal."""
JSON_SECONDS = 1.0
"""Between two JSON objects of progress."""
CLASSES_SHOWN = 20
"""Classes whose outputs are printed at the end."""


@contextlib.contextmanager
def showing_progress(
    options: CommandOptions, spell: Callable[[str], str] = with_flags
) -> Iterator[Listener]:
    """Yield the listener that shows a run as the options say.

    Args:
        options: What is printed.
        spell: Writes the options in a message as they were given.

    Raises:
        Interrupted: A signal stopped the run; with the counts of its last progress message.
    """
    progress: Progress | None = None
    with _display(options) as display:

        def listen(message: Message) -> None:
            nonlocal progress
            match message:
                case Progress():
                    progress = message
                case Notice(text):
                    message = Notice(spell(text))
                case Error(source, stage, reason):
                    message = Error(source, stage, spell(reason))
            display(message)

        try:
            yield listen
        except Interrupted as error:
            if progress is None:
                raise
            raise Interrupted(error.signal_number, progress.made, progress.total) from None


@contextlib.contextmanager
def _display(options: CommandOptions) -> Iterator[Listener]:
    if options.json:
        yield JsonLines()
    elif options.quiet:
        yield ManifestOnly()
    elif sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with ProgressBar() as bar:
            yield bar
    else:
        yield PlainLines()


class ManifestOnly:
    """The manifest's path on standard output and nothing else."""

    def __call__(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, Summary):
            write_path(message.manifest)


class JsonLines:
    """One JSON object per event on standard output."""

    def __init__(self) -> None:
        self._last_progress = 0.0

    def __call__(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, Progress):
            now = time.monotonic()
            complete = message.made + message.failed >= message.total
            if now - self._last_progress < JSON_SECONDS and not complete:
                return
            self._last_progress = now
        write_json(message.to_json())


class PlainLines:
    """Plain lines on standard error, for a log."""

    def __init__(self) -> None:
        self._last_progress = time.monotonic()

    def __call__(self, message: Message) -> None:
        """Take one message."""
        match message:
            case Started():
                write_stderr(started_line(message))
            case Error():
                write_stderr(failed_line(message))
            case Notice(text):
                write_stderr(text)
            case Progress():
                now = time.monotonic()
                if now - self._last_progress >= LINE_SECONDS:
                    self._last_progress = now
                    write_stderr(progress_line(message))
            case Summary():
                for line in summary_lines(message):
                    write_stderr(line)
                write_path(message.manifest)


class ProgressBar:
    """A moving bar on standard error, for a terminal."""

    def __enter__(self) -> Listener:
        from rich.console import Console  # noqa: PLC0415 - 50 ms that only a bar should cost
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[counts]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            refresh_per_second=8,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, counts="starting")
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, message: Message) -> None:
        """Take one message."""
        match message:
            case Started():
                self._print(started_line(message))
            case Error():
                self._print(failed_line(message), "red")
            case Notice(text):
                self._print(text)
            case Progress():
                counts = f"{message.made:,}/{message.total:,}  {_rate(message):,.0f}/s"
                if message.failed:
                    counts += f"  {message.failed:,} failed"
                self._bar.update(
                    self._task,
                    total=message.total,
                    completed=message.made + message.failed,
                    counts=counts,
                )
            case Summary():
                self._bar.stop()
                for line in summary_lines(message):
                    self._print(line)
                write_path(message.manifest)

    def _print(self, text: str, style: str = "") -> None:
        from rich.text import Text  # noqa: PLC0415

        # As Text, because rich reads [brackets] in a file name as markup.
        self._bar.console.print(Text(printable(text), style=style), soft_wrap=True)


def started_line(message: Started) -> str:
    """Return the first line of a run.

    Example:
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
        >>> failed_line(Error("cat/a.jpg", "decode", "an empty file"))
        'failed: cat/a.jpg: an empty file (decode)'
    """
    return f"failed: {message.source}: {message.reason} ({message.stage})"


def progress_line(message: Progress) -> str:
    """Return the counts, the rate and the time left.

    Example:
        >>> progress_line(Progress(made=300, failed=0, total=1500, seconds=2.0, new=200))
        '300 of 1,500 made, 0 failed, 100 images a second, 12 s left'
    """
    rate = _rate(message)
    left = (message.total - message.made - message.failed) / rate if rate else 0.0
    return (
        f"{message.made:,} of {message.total:,} made, {message.failed:,} failed, "
        f"{rate:,.0f} images a second, {left:,.0f} s left"
    )


def summary_lines(summary: Summary) -> list[str]:
    """Return the lines at the end of a run: counts, speed, notes, failures."""
    counts = counted(summary.images, summary.noun) + _of_classes(summary.classes)
    if summary.new < summary.images:
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
        lines.append(f"note: {with_flags(remark)} ({counted(count, 'image')})")
    if summary.failed:
        lines.append(f"{counted(summary.failed, 'image')} failed, see {summary.errors}")
    return lines


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    Example:
        >>> counted(1, "image"), counted(1500, "image")
        ('1 image', '1,500 images')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


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


def _rate(message: Progress) -> float:
    """Return the outputs a second of this run."""
    return message.new / message.seconds if message.seconds else 0.0
