"""Options that only the command line has: what it prints, and where defaults come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from augcli.params import ByName, Param, check


@dataclass(frozen=True, kw_only=True)
class CommandOptions(ByName):
    """What a command prints and how."""

    config: Annotated[
        Path | None,
        Param(
            "TOML file with options; a table such as [cutmix] applies to that command only.",
            group="run",
        ),
    ] = None
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
