"""Checks that the tests of all mixers share: of single draws, and of the files of a run."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from augcli.augmentations.base import donor_pixels
from augcli.augmentations.weights import weigh
from augcli.pixels.frame import Frame
from augcli.pixels.resize import fit
from tests.photos import read, rows
from tests.strategies import heat_map, image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from augcli.augmentations.base import Mixer
    from augcli.pixels.frame import Box, HeatMap, Image
    from tests.conftest import Cli

    Expected = Callable[[Image, Image, dict[str, Any]], tuple[Image, int, int]]


def masses(
    base_map: HeatMap, donor_map: HeatMap, frame: Frame, shown: Callable[[int, int], bool]
) -> tuple[float, float]:
    """Return the mass of the base and of the donor that an output shows, pixel by pixel."""
    found = []
    for scores in (base_map, donor_map):
        grid = len(scores)
        steps = [
            [round(float(one) / float(scores.max()) * 10_000) for one in row] for row in scores
        ]
        cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for y in range(frame.height):
            for x in range(frame.width):
                row = next(i for i in range(grid) if _edge(frame.height, grid, i + 1) > y)
                column = next(i for i in range(grid) if _edge(frame.width, grid, i + 1) > x)
                cells.setdefault((row, column), []).append((x, y))
        total = sum(steps[row][column] for row, column in cells)
        inside = sum(
            steps[row][column] / len(places) * sum(shown(x, y) for x, y in places)
            for (row, column), places in cells.items()
        )
        found.append(inside / total)
    return 1 - found[0], found[1]


def _edge(side: int, grid: int, index: int) -> int:
    """Return where a cell starts: index * side / grid, rounded half up."""
    return int((2 * index * side + grid) // (2 * grid))


def check_mixer(mixer: Mixer[Any], draw: Any, frame: Frame, seed: int, other: Frame) -> None:
    """Check what must be true of every draw of a mixer.

    The inputs don't change, the draw makes the same pixels after it was JSON, every pixel
    outside the mask is the base's, and the weights are what the mask counts.
    """
    base, donor = image(seed, frame), image(seed + 1, other)
    mixed = mixer.apply((base, donor), draw)
    assert mixed.shape == base.shape
    assert mixed.dtype == base.dtype
    assert (base == image(seed, frame)).all()
    assert (donor == image(seed + 1, other)).all()
    maps = heat_map(seed), heat_map(seed + 1)
    area, attention = weigh(mixer, draw, frame, None), weigh(mixer, draw, frame, maps)
    written = json.loads(json.dumps({**draw.to_json(), **attention.record}))
    again = mixer.draw_type.from_json(written)
    assert again == draw
    assert (mixer.apply((base, donor), again) == mixed).all()
    mask = mixer.mask(draw, frame)
    assert mask.shape == frame
    assert (mixed[mask == 0] == base[mask == 0]).all()
    given, total = area.donated
    assert (given, total) == donor_pixels(mixer, draw, frame)
    part, whole = mixer.opacity(draw)
    assert given == sum(map(sum, mask.tolist())) * part
    assert total == frame.height * frame.width * whole
    for weighed in (area, attention):
        given, total = weighed.donated
        assert 0 <= given <= total
        assert abs((total - given) / total + given / total - 1) < 1e-9


def check_rows(out: Path, photos: Path, expected: Expected) -> list[dict[str, Any]]:
    """Check each row of a run on PNG files against base and donor pixels.

    Args:
        out: OUT.
        photos: INPUT.
        expected: Makes the output, the donor's part and the whole from base, donor (already
            of the base's size) and draw.

    Returns:
        The draws.
    """
    draws = []
    for row in rows(out):
        base, donor = read(photos / row["source_a"]), read(photos / row["source_b"])
        draw = json.loads(row["draw"])
        output, given, total = expected(base, donor, draw)
        assert (read(out / row["file_name"]) == output).all()
        weights = draw.get("weights", {"area": given / total, "attention": given / total})
        assert weights["area"] == given / total
        if row["label_b"]:
            chosen = weights["attention"]
            assert float(row["weight_b"]) == chosen
            assert abs(float(row["weight_a"]) + chosen - 1) < 1e-9
        else:
            assert (row["weight_a"], row["weight_b"]) == ("1.0", "0.0")
        draws.append(draw)
    assert draws
    return draws


def fitted(donor: Image, base: Image) -> Image:
    """Return the donor in the base's size."""
    return fit(donor, Frame.of(base))


def pasted(base: Image, donor: Image, boxes: list[Box]) -> Image:
    """Return the base with each box filled by what lies there in the donor, whatever its size."""
    result = base.copy()
    for x0, y0, x1, y1 in boxes:
        if x0 < x1 and y0 < y1:
            rows = _span(y0, y1, base.shape[0], donor.shape[0])
            columns = _span(x0, x1, base.shape[1], donor.shape[1])
            result[y0:y1, x0:x1] = fit(donor[rows, columns], Frame(y1 - y0, x1 - x0))
    return result


def _span(start: int, stop: int, side: int, other: int) -> slice:
    """Return where a span lies in another side: in whole pixels, and in one at least."""
    first, last = (
        math.floor(Fraction(each * other, side) + Fraction(1, 2)) for each in (start, stop)
    )
    first = min(first, other - 1)
    return slice(first, max(last, first + 1))


def run(cli: Cli, photos: Path, out: Path, *arguments: object) -> Path:
    """Run a command on the photos and return OUT."""
    name, *options = arguments
    outcome = cli(name, photos, "--out", out, "--format", "png", "--seed", 3, *options)
    assert outcome.code == 0, outcome.err
    return out
