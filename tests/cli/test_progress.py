"""What a run shows: the lines, and the counts of a run that is interrupted."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from augcli.cli.options import CommandOptions
from augcli.cli.progress import showing_progress
from augcli.errors import Interrupted
from augcli.run.messages import Error, Notice, Progress, Started, Summary
from augcli.run.showing.lines import summary_lines

if TYPE_CHECKING:
    from augcli.run.messages import Message

STARTED = Started("cutmix", "/photos", "/out", 509, 4, 509, 2)
PROGRESS = [Progress(made, failed=1, total=509, seconds=1.0, new=made) for made in (100, 373)]
SUMMARY = Summary(
    command="cutmix",
    out="/out",
    manifest="/out/metadata.csv",
    images=508,
    new=408,
    failed=1,
    classes=4,
    mean_weight=0.12245,
    seconds=3.21,
    images_per_second=158.4,
    remarks={"transparency dropped": 2, "16-bit reduced to 8-bit": 1},
)


def test_the_summary_has_counts_speed_notes_and_failures() -> None:
    assert summary_lines(SUMMARY) == [
        "508 images of 4 classes, 408 of them new; average donor weight 12.2 %",
        "158 images a second, 3.2 s in total",
        "note: transparency dropped (2 images)",
        "note: 16-bit reduced to 8-bit (1 image)",
        "1 image failed, see /out/errors.csv",
        "to look at it: augcli report /out",
    ]


def interrupted(messages: list[Message], number: int, options: CommandOptions) -> str:
    """Interrupt a run after some messages; return what the error says."""

    def run() -> None:
        with showing_progress(options) as listener:
            for message in messages:
                listener(message)
            raise Interrupted(number)

    with pytest.raises(Interrupted) as caught:
        run()
    assert caught.value.exit_code == 128 + number
    return str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [CommandOptions(), CommandOptions(quiet=True)])
def test_an_interruption_has_the_last_counts(options: CommandOptions, number: int) -> None:
    text = interrupted([STARTED, *PROGRESS], number, options)
    assert text == "interrupted: 373 of 509 made; run the same command to continue"


def test_an_interruption_before_the_first_output_has_no_counts() -> None:
    text = interrupted([STARTED], signal.SIGINT, CommandOptions())
    assert text == "interrupted; run the same command to continue"


def test_options_in_messages_are_written_as_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with showing_progress(CommandOptions()) as listener:
        listener(Notice("give another folder with `out`"))
        listener(Error("a.png", "decode", "larger than `max_pixels` allows"))
    assert capsys.readouterr().err.splitlines() == [
        "give another folder with --out",
        "failed: a.png: larger than --max-pixels allows (decode)",
    ]
