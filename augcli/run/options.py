"""The options of ``augcli heatmaps``, ``inspect`` and ``split``, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from augcli.data.codecs.choices import BACKGROUND, WHITE_LEVEL
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.stores.sources import MOST_BYTES
from augcli.errors import ParameterError
from augcli.files import Place
from augcli.params import ByName, Declared, Param, check, declared, refuse_unknown
from augcli.recipes.options import (
    DEVICE,
    FOLLOW_LINKS,
    IMAGE_COLUMN,
    MAX_BYTES,
    MAX_PIXELS,
    MODEL,
    TIMEOUT,
    WORKERS,
    RunOptions,
)


@dataclass(frozen=True, kw_only=True)
class HeatMapOptions(ByName):
    """How ``augcli heatmaps`` scores, and what it writes."""

    out: Annotated[
        Path,
        Param(
            "File for the heat maps; where it is there, it is brought up to date.",
            short="-o",
            group="output",
        ),
    ] = Path("heatmaps.npz")
    grid: Annotated[
        int, Param("Rows and columns of the heat maps; the largest that will be asked for.", 1, 64)
    ] = 7
    overlay: Annotated[
        Path | None,
        Param(
            "Folder for pictures that show each image under its heat map, to judge a scorer.",
            group="output",
        ),
    ] = None
    top_n: Annotated[
        int, Param("Best cells that such a picture frames.", 1, 4096, group="output")
    ] = 6
    model: Annotated[Place | None, MODEL] = None
    device: Annotated[str, DEVICE] = "cpu"
    white_level: Annotated[int | str, WHITE_LEVEL] = FULL_WHITE
    background: Annotated[str | None, BACKGROUND] = None
    image_column: Annotated[str | None, IMAGE_COLUMN] = None
    max_pixels: Annotated[int, MAX_PIXELS] = 100_000_000
    max_bytes: Annotated[int, MAX_BYTES] = MOST_BYTES
    follow_links: Annotated[bool, FOLLOW_LINKS] = False
    workers: Annotated[int | None, WORKERS] = None
    timeout: Annotated[float | None, TIMEOUT] = None
    overwrite: Annotated[
        bool, Param("Replace what the file holds; all images are scored.", group="output")
    ] = False

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class SplitOptions(ByName):
    """How ``augcli split`` divides INPUT."""

    val: Annotated[
        float, Param("Share of the images that go to the split val.", 0, 1, group="amount")
    ] = 0.2
    test: Annotated[
        float, Param("Share of the images that go to the split test.", 0, 1, group="amount")
    ] = 0.0
    link: Annotated[
        Literal["none", "hard", "symbolic"],
        Param(
            "Link the files of INPUT in the place of copying them: hard (one file with two names; "
            "only on one disk) or symbolic. Some trainers rewrite images in place, and would "
            "change those of INPUT.",
            group="output",
        ),
    ] = "none"

    def __post_init__(self) -> None:
        check(self)
        if self.val + self.test >= 1:
            shares = f"is {self.val}, and with `test` {self.test} nothing is left to train with"
            raise ParameterError("val", f"{shares}; give shares that sum to less than 1")
        if not self.val + self.test:
            raise ParameterError("val", "is 0, and so is `test`: give a share such as 0.2")


NOT_ABOUT_SOURCES = frozenset(
    {"model", "heatmaps", "accept_missing", "white_level", "background", "splits"}
)
"""Options of the group ``input`` that say something else than what the sources are."""


def _shared(*names: str) -> tuple[Declared, ...]:
    """Return the options of a run that say what the sources are, and those of these names."""
    return tuple(
        field
        for field in declared(RunOptions)
        if field.name in names
        or (field.param.group == "input" and field.name not in NOT_ABOUT_SOURCES)
    )


EXPORTED = frozenset({"seed", "limit"})
"""Options in other groups that ``augcli export`` has."""


def inspect_fields() -> tuple[Declared, ...]:
    """Return the options of a run that ``augcli inspect`` has too."""
    return _shared("workers", "timeout")


def split_fields() -> tuple[Declared, ...]:
    """Return the options of a run that ``augcli split`` has too."""
    return _shared("out", "seed", "fsync", "overwrite")


def export_fields() -> tuple[Declared, ...]:
    """Return the options of a run that ``augcli export`` has too: no method, no amounts."""
    not_needed = {"splits", "rest", "retry_failed"} | {"model", "heatmaps", "device"}
    return tuple(
        field
        for field in declared(RunOptions)
        if field.name in EXPORTED
        or (field.param.group in ("input", "output", "run") and field.name not in not_needed)
    )


def run_options(fields: tuple[Declared, ...], options: dict[str, Any], what: str) -> RunOptions:
    """Return options of a run of which a verb has only some.

    Args:
        fields: Those that it has.
        options: Values by name.
        what: The verb, for the message about another name.

    Raises:
        ParameterError: A name that the verb does not have, or a wrong value.
    """
    refuse_unknown(options, [field.name for field in fields], f"is not an option of {what}")
    return RunOptions(**options)
