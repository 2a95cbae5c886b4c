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

from augcli.cli.streams import write_json, write_path, write_stderr
from augcli.errors import Interrupted, with_flags
from augcli.run.messages import Error, Notice, Planned, Progress, Started, Summary, TaskSummary
from augcli.run.showing.bar import ProgressBar
from augcli.run.showing.lines import (
    failed_line,
    planned_line,
    progress_line,
    started_line,
    summary_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.cli.options import CommandOptions
    from augcli.run.messages import Listener, Message

LINE_SECONDS = 5.0
"""Between two lines of progress where standard error is no terminal."""
JSON_SECONDS = 1.0
"""Between two JSON objects of progress."""


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
        with _Bar(with_flags) as bar:
            yield bar
    else:
        yield PlainLines()


class ManifestOnly:
    """The manifest's path on standard output and nothing else."""

    def __call__(self, message: Message) -> None:
        """Take one message."""
        _write_manifest(message)


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
                for line in summary_lines(message, with_flags):
                    write_stderr(line)
                _write_manifest(message)
            case Planned():
                write_stderr(with_flags(planned_line(message)))


class _Bar(ProgressBar):
    """The moving bar of a terminal; the manifest's path goes to standard output at the end."""

    def __call__(self, message: Message) -> None:
        """Take one message."""
        super().__call__(message)
        _write_manifest(message)


def _write_manifest(message: Message) -> None:
    """Write the manifest's path where a message says that the manifest is there."""
    if isinstance(message, Summary) and not isinstance(message, TaskSummary):
        write_path(message.manifest)
