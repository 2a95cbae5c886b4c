"""Overlays: every picture under its heat map, so that a person sees what the scorer found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.attention.heat_map_file import HeatMaps
from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import check_sides, encode
from augcli.data.manifest import Failure
from augcli.data.names import output_name
from augcli.errors import (
    NO_MEMORY,
    UnreadableImage,
    is_out_of_memory,
)
from augcli.files import Folder
from augcli.pixels.heat_maps import ranked_cells
from augcli.pixels.overlay import overlay
from augcli.work.settings import ReadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Source, Sources
    from augcli.pixels.frame import HeatMap
    from augcli.run.options import HeatMapOptions

UNFINISHED = ".augcli-overlay"
"""Folder for overlays that are not yet whole."""
QUALITY = 90
"""JPEG quality of overlays."""


def draw_overlays(
    settings: ReadSettings,
    sources: Sources,
    options: HeatMapOptions,
    folder: Path,
    checkpoint: Checkpoint,
) -> Iterator[Failure]:
    """Write a picture of every image that has a map; yield those for which memory ran out.

    No link in the folder is followed.
    """
    os.makedirs(folder, exist_ok=True)
    files = Folder(os.path.realpath(folder), UNFINISHED)
    files.make_folder(UNFINISHED)
    try:
        for path, heat_map in HeatMaps.open(options.out).items():
            checkpoint()
            try:
                index = sources.find(path)
                if index is None:
                    continue
                source = sources.source(index)
                picture = _overlay(settings, source, heat_map, options.top_n)
            except UnreadableImage:
                continue  # it changed since it was scored, or is too large for a JPEG
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                yield Failure(path, "memory", NO_MEMORY)
                continue
            files.publish(output_name(path, "heatmap", 0, "jpg"), picture)
    finally:
        files.remove_folder(UNFINISHED)
        files.close()


def _overlay(settings: ReadSettings, source: Source, heat_map: HeatMap, top_n: int) -> bytes:
    """Return the JPEG of an image under its map.

    Raises:
        UnreadableImage: It can't be read any more, or is too large for a JPEG.
    """
    try:
        data = settings.store.read(source, max_bytes=settings.max_bytes)
    except OSError as error:
        raise UnreadableImage(str(error)) from None
    image = decode(
        data,
        max_pixels=settings.max_pixels,
        white_level=settings.white_level,
        background=settings.background,
        sides=lambda width, height: check_sides(width, height, "jpg"),
    ).image
    cells = ranked_cells(heat_map, min(top_n, heat_map.size))
    return encode(overlay(image, heat_map, cells), "jpg", quality=QUALITY)
