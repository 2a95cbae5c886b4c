"""The progress bar, which the command line and ``augment(progress=True)`` show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.run.lines import (
    failed_line,
    planned_line,
    printable,
    rate,
    started_line,
    summary_lines,
)
from augcli.run.messages import Error, Notice, Planned, Progress, Started, Summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from augcli.run.messages import Message


class ProgressBar:
    """A moving bar on standard error, in a terminal or below the cell of a notebook.

    Args:
        spell: Writes the options in a note as they were given.
    """

    def __init__(self, spell: Callable[[str], str] = str) -> None:
        self._spell = spell

    def __enter__(self) -> Self:
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
                counts = f"{message.made:,}/{message.total:,}  {rate(message):,.0f}/s"
                if message.failed:
                    counts += f"  {message.failed:,} failed"
                self._bar.update(
                    self._task,
                    total=message.total,
                    completed=message.made + message.failed,
                    counts=counts,
                )
            case Planned():
                self._bar.stop()
                self._print(self._spell(planned_line(message)))
            case Summary():
                self._bar.stop()
                for line in summary_lines(message, self._spell):
                    self._print(line)

    def _print(self, text: str, style: str = "") -> None:
        from rich.text import Text  # noqa: PLC0415

        # As Text, because rich reads [brackets] in a file name as markup.
        self._bar.console.print(Text(printable(text), style=style), soft_wrap=True)
