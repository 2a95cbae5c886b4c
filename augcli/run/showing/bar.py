"""The progress bar, which the command line and ``progress=True`` show."""

from __future__ import annotations

import html
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from augcli.run.messages import Error, Notice, Planned, Progress, Started, Summary
from augcli.run.showing.lines import (
    failed_line,
    planned_line,
    printable,
    rate,
    started_line,
    summary_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from augcli.run.messages import Message

NOTEBOOK_SECONDS = 0.25
"""Between two changes of a notebook's bar: each is sent to a browser, and stays in the file."""


class ProgressBar:
    """A moving bar on standard error, in a terminal or below the cell of a notebook.

    Args:
        spell: Writes the options in a note as they were given.
    """

    def __init__(self, spell: Callable[[str], str] = str) -> None:
        self._spell = spell

    def __enter__(self) -> Self:
        from rich.console import Console  # noqa: PLC0415 - 50 ms that only a bar should cost

        console = Console(stderr=True)
        self._place: _Place = _Notebook() if console.is_jupyter else _Terminal(console)
        return self

    def __exit__(self, *_: object) -> None:
        self._place.stop()

    def __call__(self, message: Message) -> None:
        """Take one message."""
        match message:
            case Started():
                self._place.write(started_line(message))
            case Error():
                self._place.write(failed_line(message), "red")
            case Notice(text):
                self._place.write(text)
            case Progress():
                self._place.show(message)
            case Planned():
                self._place.stop()
                self._place.write(self._spell(planned_line(message)))
            case Summary():
                self._place.stop()
                for line in summary_lines(message, self._spell):
                    self._place.write(line)


class _Place(Protocol):
    """Where a bar is shown."""

    def show(self, progress: Progress) -> None:
        """Move the bar."""
        ...

    def write(self, text: str, style: str = "") -> None:
        """Write a line that stays."""
        ...

    def stop(self) -> None:
        """Take the bar away."""
        ...


class _Terminal:
    """A terminal, where the bar moves below the lines."""

    def __init__(self, console: Any) -> None:
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
            console=console,
            refresh_per_second=8,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, counts="starting")
        self._bar.start()

    def show(self, progress: Progress) -> None:
        done = progress.made + progress.failed
        self._bar.update(self._task, total=progress.total, completed=done, counts=_counts(progress))

    def write(self, text: str, style: str = "") -> None:
        from rich.text import Text  # noqa: PLC0415

        # As Text, because rich reads [brackets] in a file name as markup.
        self._bar.console.print(Text(printable(text), style=style), soft_wrap=True)

    def stop(self) -> None:
        self._bar.stop()


class _Notebook:
    """The output of a cell; rich's own bar would need the package ipywidgets there."""

    def __init__(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - every notebook has it

        self._handle = display({"text/plain": "starting"}, raw=True, display_id=True)
        self._shown = 0.0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown < NOTEBOOK_SECONDS:
            return
        self._shown = now
        counts = _counts(progress)
        done = progress.made + progress.failed
        bar = f'<progress value="{done}" max="{progress.total}"></progress>'
        self._update({"text/plain": counts, "text/html": f"{bar} {html.escape(counts)}"})

    def write(self, text: str, style: str = "") -> None:
        del style
        # Not to standard error: notebooks show that as something wrong.
        sys.stdout.write(f"{printable(text)}\n")

    def stop(self) -> None:
        self._update({"text/plain": "", "text/html": ""})

    def _update(self, content: dict[str, str]) -> None:
        self._handle.update(content, raw=True)


def _counts(progress: Progress) -> str:
    counts = f"{progress.made:,}/{progress.total:,}  {rate(progress):,.0f}/s"
    return f"{counts}  {progress.failed:,} failed" if progress.failed else counts
