"""What a run tells: a moving bar, plain lines, JSON lines, or nothing.

Everything for people goes to standard error; standard output carries the path of the
manifest, or JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from augcli.errors import with_flags
from augcli.run.messages import Error, Message, Notice, Progress, Started, Summary

if TYPE_CHECKING:
    from augcli.cli.options import CommandOptions
    from augcli.errors import with_flags
from augcli.run.messages import Listener

LINE_SECONDS = 5.0
"""Between two lines of progress where standard error is no terminal."""
JSON_SECONDS = 1.0


@contextlib.contextmanager
def reporting(options: CommandOptions) -> Any:
    """Yield the listener that the options ask for."""
    if options.json:
        yield spelled(JsonLines())
    elif options.quiet:
        yield spelled(Quiet())
    elif sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with Bar() as bar:
            yield spelled(bar)
    else:
        yield spelled(Lines())


def spelled(listener: Listener) -> Listener:
    """Return a listener that gets the options in a message as flags."""

    def listen(message: Message) -> None:
        match message:
            case Notice(text):
                message = Notice(with_flags(text))
            case Error(source, stage, reason):
                message = Error(source, stage, with_flags(reason))
        listener(message)

    return listen


def tell(text: str) -> None:
    """Write a line for people, wherever standard error leads or not."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()


def printable(text: str) -> str:
    r"""Return text that a terminal shows as it is: control characters are escaped.

    Example:
        >>> printable("a\x1b[31m.jpg")
        'a\\x1b[31m.jpg'
    """
    return "".join(
        char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text
    )


def put(text: str) -> None:
    """Write a line to standard output.

    A reader that has gone is no error of ours; a full disk is told, once, and changes nothing
    about what is made.
    """
    if sys.stdout is None:
        return
    try:
        try:
            sys.stdout.write(text + "\n")
        except UnicodeEncodeError:
            # A path that is not UTF-8, or an encoding that can't write it.
            escaped = os.fsencode(text).decode("ascii", "backslashreplace")
            sys.stdout.write(escaped + "\n")
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            tell(f"augcli: standard output can't be written ({error.strerror})")
        # Python flushes once more when it ends, and would complain then.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def summary_lines(summary: Summary) -> list[str]:
    """Return the short text at the end of a run."""
    made = _some(summary.images, summary.noun) + _of_classes(summary.classes)
    if summary.new < summary.images:
        made += f", {summary.new:,} of them new"
    lines = [made]
    if summary.mean_weight:
        lines[0] += f"; the donor has {summary.mean_weight:.1%} of a mixed label on average"
    if summary.images_per_second:
        lines.append(
            f"{summary.images_per_second:,.0f} images a second, {summary.seconds:.1f} s in all"
        )
    for remark, count in summary.remarks.items():
        lines.append(f"note: {remark} ({_some(count, 'image')})")
    if summary.failed:
        lines.append(f"{_some(summary.failed, 'image')} failed, see {summary.errors}")
    return lines


class Quiet:
    """Only the manifest's path on standard output."""

    def __call__(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, Summary):
            put(message.manifest)


class JsonLines:
    """One JSON object per event on standard output."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, Progress):
            now = time.monotonic()
            if now - self._told < JSON_SECONDS and message.made + message.failed < message.total:
                return
            self._told = now
        put(json.dumps(message.to_json()))


class Lines:
    """Plain lines, for a log."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, message: Message) -> None:
        """Take one message."""
        match message:
            case Started():
                tell(started_line(message))
            case Error(source, stage, reason):
                tell(f"failed: {source}: {reason} ({stage})")
            case Notice(text):
                tell(text)
            case Progress():
                now = time.monotonic()
                if now - self._told >= LINE_SECONDS:
                    self._told = now
                    tell(progress_line(message))
            case Summary():
                for line in summary_lines(message):
                    tell(line)
                put(message.manifest)


def started_line(message: Started) -> str:
    """Return the first line of a run."""
    images = _some(message.sources, "image") + _of_classes(message.classes)
    return (
        f"augcli {message.command}: {images} from {message.input}, "
        f"{_some(message.jobs, 'output')}, {_some(message.workers, 'worker')}"
    )


def _of_classes(count: int) -> str:
    if not count:
        return ""
    return " of 1 class" if count == 1 else f" of {count:,} classes"


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def progress_line(message: Progress) -> str:
    """Return how far a run is, for a log."""
    rate = message.new / message.seconds if message.seconds else 0.0
    left = (message.total - message.made - message.failed) / rate if rate else 0.0
    return (
        f"{message.made:,} of {message.total:,} made, {message.failed:,} failed, "
        f"{rate:,.0f} images a second, {left:,.0f} s left"
    )


class Bar:
    """A moving bar, for a terminal."""

    def __enter__(self) -> Listener:
        from rich.console import Console  # noqa: PLC0415 - 50 ms that only a bar should pay
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
                self._say(started_line(message))
            case Error(source, stage, reason):
                self._say(f"failed: {source}: {reason} ({stage})", "red")
            case Notice(text):
                self._say(text)
            case Progress():
                rate = message.new / message.seconds if message.seconds else 0.0
                counts = f"{message.made:,}/{message.total:,}  {rate:,.0f}/s"
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
                    self._say(line)
                put(message.manifest)

    def _say(self, text: str, style: str = "") -> None:
        from rich.text import Text  # noqa: PLC0415

        # As Text, because rich reads [brackets] in a file name as markup.
        self._bar.console.print(Text(printable(text), style=style), soft_wrap=True)
