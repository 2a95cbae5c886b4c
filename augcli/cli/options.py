"""Options that only the command line has: what it prints, and where defaults come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from augcli.files import Place
from augcli.params import ByName, Param, check


@dataclass(frozen=True, kw_only=True)
class CommandOptions(ByName):
    """What a command prints and how."""

    config: Annotated[
        Place | None,
        Param(
            "TOML file with options; a table such as [cutmix] applies to that command only.",
            group="run",
        ),
    ] = None
    preview: Annotated[
        bool,
        Param(
            "Show the pictures that would be made of some images, and write no other file; `out` "
            "may be sheet.png.",
            group="run",
        ),
    ] = False
    vary: Annotated[
        str | None,
        Param(
            "With `preview`: an option and values that are shown side by side, such as "
            "top_n=3,6,9,12 or seed=0..3.",
            group="run",
        ),
    ] = None
    rows: Annotated[int, Param("With `preview`: how many images.", 1, 50, group="run")] = 4
    graphics: Annotated[
        Literal["auto", "kitty", "iterm2", "sixel", "blocks"],
        Param(
            "How a terminal shows pictures: auto (as it can), kitty, iterm2, sixel or blocks "
            "(coloured text).",
            group="run",
        ),
    ] = "auto"
    dry_run: Annotated[bool, Param("Show the plan and write nothing.", group="run")] = False
    print_recipe: Annotated[
        bool, Param("Print this command line as a recipe and exit.", group="run")
    ] = False
    quiet: Annotated[
        bool, Param("Print errors only; errors.csv lists the failed images.", group="run")
    ] = False
    json: Annotated[
        bool, Param("Print one JSON object per event on standard output.", group="run")
    ] = False
    debug: Annotated[bool, Param("Show the traceback of an error.", group="run")] = False

    def __post_init__(self) -> None:
        check(self)
