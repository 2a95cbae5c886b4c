"""Options that only the command line has: how it reports, and where its defaults come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from augcli.params import Param, check


@dataclass(frozen=True, kw_only=True)
class CommandOptions:
    """What a command tells and how."""

    config: Annotated[
        Path | None,
        Param("TOML file with options; a table such as [cutmix] is for that command only."),
    ] = None
    dry_run: Annotated[bool, Param("Show the plan and write nothing.")] = False
    print_recipe: Annotated[
        bool, Param("Print the recipe that this command line equals and stop.")
    ] = False
    quiet: Annotated[bool, Param("Tell nothing but errors; errors.csv has them all.")] = False
    json: Annotated[bool, Param("One JSON object per event on standard output.")] = False
    debug: Annotated[bool, Param("Show the traceback of an error.")] = False

    def __post_init__(self) -> None:
        check(self)
