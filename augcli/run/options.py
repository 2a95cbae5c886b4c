"""The options of ``augcli heatmaps``, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from augcli.data.codecs.choices import BACKGROUND, WHITE_LEVEL
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.stores.sources import MOST_BYTES
from augcli.params import ByName, Param, check
from augcli.recipes.options import (
    DEVICE,
    FOLLOW_LINKS,
    IMAGE_COLUMN,
    MAX_BYTES,
    MAX_PIXELS,
    MODEL,
    TIMEOUT,
    WORKERS,
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
    model: Annotated[Path | None, MODEL] = None
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
