"""How an output differs from the same output made again from its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.data.codecs.decoding import decode
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.data.labels import Label
    from augcli.data.manifest import Row
    from augcli.pixels.frame import Image
    from augcli.run.verifying.remake import Remade

SUM_TOLERANCE = 1e-9
CODEC_MEAN = 2.0
"""Mean difference, in levels of 255, that two versions of a codec may have."""
MOST_PIXELS = 2**30
"""Of an output: it was made, so it is not refused for its size."""
CODEC_WORST = 48
"""Largest difference of one value that they may have."""


def label_difference(row: Row, remade: Remade, labels: Mapping[str, Label]) -> str:
    """Return how a label differs from what its sources and its draw give."""
    base, donor = labels.get(row.source_a), labels.get(row.source_b)
    if base is None or (row.source_b and donor is None):
        if remade.donated and len(row.label.weights) > 1:
            given, total = remade.donated
            if abs(given / total - row.weight_b) > SUM_TOLERANCE:
                return f"weight_b is {row.weight_b}, but the draw gives {given / total}"
        return ""
    expected = base
    if donor is not None and remade.donated:
        expected = base.mixed(donor, *remade.donated)
    before, now = row.label.to_json(), expected.to_json()
    names = before.keys() | now.keys()
    if any(abs(before.get(name, 0) - now.get(name, 0)) > SUM_TOLERANCE for name in names):
        return f"the label is {row.label}, but its sources and its draw give {expected}"
    return ""


def file_difference(data: bytes, remade: Remade) -> str:
    """Return how the bytes or the pixels of an output differ from those made again."""
    if data == remade.encoded.data:
        return ""
    try:
        there = _pixels(data)
        made = remade.image if remade.is_exact else _pixels(remade.encoded.data)
    except UnreadableImage as error:
        return f"can't be decoded: {error.reason}"
    return _pixels_differ(there, made, exact=remade.is_exact)


def _pixels(data: bytes) -> Image:
    return decode(data, max_pixels=MOST_PIXELS).image


def _pixels_differ(there: Image, made: Image, *, exact: bool) -> str:
    if there.shape != made.shape:
        return f"is {there.shape[1]} x {there.shape[0]}, not {made.shape[1]} x {made.shape[0]}"
    difference = np.abs(there.astype(np.int16) - made)
    mean, worst = float(difference.mean()), int(difference.max())
    if (exact and worst) or mean > CODEC_MEAN or worst > CODEC_WORST:
        return (
            f"differs from what its sources give: {mean:.2f} levels on average, {worst} at most; "
            "a source or the file has changed"
        )
    return ""
