"""CutMix: the pasted cells or box, the distribution of the draws, and the label weights.

Over 300 lines, because the method has four regions and each is compared with simpler code.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import augcli
from augcli.augmentations.base import donor_pixels
from augcli.augmentations.cutmix import BetaLaw, BoxDraw, CellsDraw, CutMix, CutMixDraw
from augcli.augmentations.ranges import Range
from augcli.augmentations.weights import weigh
from augcli.errors import ParameterError
from augcli.params import values
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.augmentations.mixing import check_mixer, check_rows, masses, pasted, run
from tests.strategies import frames, grids_with_cells, heat_map, image, seeds

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.pixels.frame import Image
    from tests.conftest import Cli

FRAME = Frame(15, 23)
REGIONS = ("attentive", "box", "peak", "cells")
top_ns = st.one_of(st.integers(1, 49), st.sampled_from(["1..49", "3..9", "beta:1,1", "beta:.2,3"]))


class NoChance(Stream):
    """A stream from which nothing may be drawn."""

    def word(self) -> int:
        raise AssertionError("nothing should be drawn")


def boxes(mixer: CutMix, frame: Frame, count: int) -> list[tuple[int, int, int, int]]:
    """Return the boxes of many streams."""
    found = []
    for number in range(count):
        draw = mixer.draw(frame, Stream("boxes", number), heat_map(0))
        assert isinstance(draw, BoxDraw)
        found.append(draw.box)
    return found


def counts(top_n: int | str, number: int, grid: int = 7) -> list[int]:
    """Return how many cells many streams give."""
    mixer = CutMix(region="cells", top_n=top_n, grid=grid)
    draws = [mixer.draw(FRAME, Stream("counts", index)) for index in range(number)]
    return [len(draw.cells) for draw in draws if isinstance(draw, CellsDraw)]


@given(
    frame=frames,
    other=frames,
    seed=seeds,
    region=st.sampled_from(REGIONS),
    top_n=top_ns,
    alpha=st.floats(0.01, 5),
)
def test_every_region_mixes_truly(
    frame: Frame, other: Frame, seed: int, region: Any, top_n: int | str, alpha: float
) -> None:
    mixer = CutMix(region=region, top_n=top_n, alpha=alpha)
    draw = mixer.draw(frame, Stream(seed), heat_map(seed))
    check_mixer(mixer, draw, frame, seed, other)
    base, donor = image(seed, frame), image(seed + 1, other)
    expected = pasted(base, donor, draw.boxes(frame))
    assert (mixer.apply((base, donor), draw) == expected).all()


@given(frame=frames, chosen=grids_with_cells())
def test_the_boxes_of_cells_are_their_mask(frame: Frame, chosen: tuple[int, list[int]]) -> None:
    grid, cells = chosen
    draw = CellsDraw(grid, tuple(cells))
    found = np.zeros(frame, np.uint8)
    for x0, y0, x1, y1 in draw.boxes(frame):
        found[y0:y1, x0:x1] += 1
    assert np.array_equal(found, draw.mask(frame))


@given(seed=seeds, count=st.integers(1, 49))
def test_attentive_takes_the_best_cells_and_draws_nothing(seed: int, count: int) -> None:
    scores = heat_map(seed)
    scores.flat[::5] = scores.flat[0]  # ties
    draw = CutMix(top_n=count).draw(FRAME, NoChance(), scores)
    steps = np.rint((scores - scores.min()) / (scores.max() - scores.min()) * 10_000)
    ranked = sorted(range(49), key=lambda cell: (-steps.flat[cell], cell))
    assert draw == CellsDraw(7, tuple(ranked[:count]))


def test_six_of_49_cells_at_224_pixels_weigh_six_49ths() -> None:
    mixer = augcli.AttentiveCutMix(top_n=6)
    draw = mixer.draw(Frame(224, 224), Stream(), heat_map(1))
    given, total = donor_pixels(mixer, draw, Frame(224, 224))
    assert given / total == 6 / 49


@pytest.mark.parametrize("region", ["attentive", "peak"])
def test_a_map_of_another_grid_is_refused(region: Any) -> None:
    for scores in (None, heat_map(1, 6)):
        with pytest.raises(ValueError, match=r"heat map \(7, 7\) of the donor"):
            CutMix(region=region).draw(FRAME, Stream(), scores)


def test_cells_are_drawn_without_a_heat_map_and_all_alike() -> None:
    mixer = CutMix(region="cells", top_n=3, grid=3)
    found = np.zeros(9)
    for number in range(3000):
        draw = mixer.draw(FRAME, Stream("cells", number))
        assert isinstance(draw, CellsDraw)
        assert len(set(draw.cells)) == 3
        found[list(draw.cells)] += 1
    assert ((found - 1000) ** 2 / 1000).sum() < 26.1  # chi², 1 in 1000


def test_a_range_draws_each_number_of_cells_alike() -> None:
    found = np.bincount(counts("3..9", 3500), minlength=11)
    assert found.sum() == found[3:10].sum()
    assert ((found[3:10] - 500) ** 2 / 500).sum() < 22.5  # chi², 1 in 1000


def test_beta_draws_a_share_of_all_cells() -> None:
    """With beta:1,1 floor(49 u), but at least 1: 1 has twice the chance, 49 has none."""
    found = np.bincount(counts("beta:1,1", 4900), minlength=50)
    assert found[0] == found[49] == 0
    expected = np.array([200.0] + [100.0] * 47)
    assert ((found[1:49] - expected) ** 2 / expected).sum() < 82.7  # chi², 1 in 1000


def test_beta_of_a_high_mean_takes_many_cells() -> None:
    assert 0.85 < np.mean(counts("beta:90,10", 300)) / 49 < 0.92


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        *(("6", 6), (6, 6), ("3..9", Range(3, 9)), (" 3 .. 9 ", Range(3, 9)), ("3,9", Range(3, 9))),
        *(([3, 9], Range(3, 9)), ("beta:1,2.50", BetaLaw(1, 2.5)), ("beta: 1, 3", BetaLaw(1, 3))),
        ("beta:0.123456789,1", BetaLaw(0.123457, 1)),
    ],
)
def test_top_n_is_parsed(written: Any, parsed: int | Range | BetaLaw) -> None:
    mixer = CutMix(top_n=written)
    assert (mixer.top_n, type(mixer.top_n)) == (parsed, type(parsed))
    assert CutMix(top_n=parsed) == CutMix(top_n=str(parsed)) == mixer


@pytest.mark.parametrize(("top_n", "value"), [(6, 6), ("3,9", "3..9"), ("beta:.2,3", "beta:0.2,3")])
def test_top_n_is_recorded_as_a_number_or_text(top_n: int | str, value: int | str) -> None:
    assert values(CutMix(top_n=top_n))["top_n"] == value


@pytest.mark.parametrize(
    "wrong",
    [
        *(0, -1, "0", "9..3", "0..3", "3..", "..3", "1..2..3", "six", "", "beta:1", "beta:0,1"),
        *("beta:nan,1", "beta:1,-1", "beta:1,2,3", "3.5..9", "3,9,12", 2.5, None, True),
        *([9, 3], [3], [3, 9.5], []),
    ],
)
def test_a_wrong_top_n_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"^top_n is .*, but must be a number from 1 such as"):
        CutMix(top_n=wrong)


@pytest.mark.parametrize("wrong", [10, "3..10"])
def test_more_cells_than_the_grid_has_are_refused(wrong: int | str) -> None:
    with pytest.raises(ParameterError, match=r"^top_n is .*, but a 3 x 3 grid has 9 cells"):
        CutMix(top_n=wrong, grid=3)


def test_box_has_the_sides_and_centre_of_its_law() -> None:
    """Repeats each draw with the words of its stream, by other arithmetic."""
    for number, box in enumerate(boxes(CutMix(region="box"), FRAME, 300)):
        stream = Stream("boxes", number)
        lam = stream.uniform()
        x, y = stream.integer(23), stream.integer(15)
        width, height = (int(side * (1 - lam) ** 0.5 + 0.5) for side in (23, 15))
        pixels = set(
            itertools.product(
                range(x - width // 2, x - width // 2 + width),
                range(y - height // 2, y - height // 2 + height),
            )
        ) & set(itertools.product(range(23), range(15)))
        inside = set(itertools.product(range(box[0], box[2]), range(box[1], box[3])))
        assert inside == pixels


def test_box_realises_less_than_it_draws_because_it_is_clipped() -> None:
    """Drawn from Beta(1, 1), sides r of a frame of 1 x 1 have the density 2r.

    Centres are uniform, so an axis keeps r - r²/4 on average: the mean share inside is the
    integral of 2r (r - r²/4)², 77/240, and not 1/2. A box is whole with the chance (1 - r)²:
    1 box of 6.
    """
    frame = Frame(224, 168)
    found = np.array(boxes(CutMix(region="box"), frame, 6000))
    shares = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1]) / (224 * 168)
    assert abs(shares.mean() - 77 / 240) < 0.01
    clipped = (found[:, :2] == 0) | (found[:, 2:] == [168, 224])
    assert abs(clipped.any(axis=1).mean() - 5 / 6) < 0.02


def test_boxes_of_a_pixel_lie_everywhere_alike() -> None:
    """The centre is uniform over all pixels, the first and the last included."""
    frame = Frame(3, 5)
    found = np.zeros(frame)
    mixer = CutMix(region="box")
    for number in itertools.count():
        draw = mixer.draw(frame, Stream("pixels", number))
        assert isinstance(draw, BoxDraw)
        x0, y0, x1, y1 = draw.box
        # Sides of one pixel are not clipped, so the box is its centre.
        if (1 - Stream("pixels", number).uniform()) ** 0.5 * 5 + 0.5 < 2 and x1 > x0 and y1 > y0:
            found[y0, x0] += 1
        if number == 15_000:
            break
    expected = found.sum() / 15
    assert expected > 50
    assert ((found - expected) ** 2 / expected).sum() < 36.1  # chi², 1 in 1000


def test_peak_centres_the_box_on_the_best_cell() -> None:
    scores = np.zeros((3, 3), np.float32)
    scores[1, 2] = scores[2, 0] = 1  # a tie: the lower index wins
    mixer = CutMix(region="peak", grid=3)
    frame = Frame(15, 27)
    for number in range(200):
        lam = Stream("peak", number).uniform()
        width, height = (int(side * (1 - lam) ** 0.5 + 0.5) for side in (27, 15))
        left, top = 22 - width // 2, 7 - height // 2
        box = (left, max(0, top), min(27, left + width), min(15, top + height))
        assert mixer.draw(frame, Stream("peak", number), scores) == BoxDraw(box)


def test_sides_are_exact_where_they_are_odd() -> None:
    found = boxes(CutMix(region="peak"), Frame(225, 225), 400)
    inside = [x1 - x0 for x0, _, x1, _ in found if x0 > 0 and x1 < 225]
    assert {side % 2 for side in inside} == {0, 1}


def test_a_box_that_hides_all_or_nothing_is_told() -> None:
    mixer, frame = CutMix(region="box"), Frame(4, 6)
    assert mixer.remark(BoxDraw((0, 0, 6, 4)), frame) == "the box covers the whole image"
    assert "nothing was pasted" in str(mixer.remark(BoxDraw((2, 1, 2, 2)), frame))
    assert mixer.remark(BoxDraw((2, 1, 3, 2)), frame) is None
    assert mixer.remark(CellsDraw(1, (0,)), frame) is None


def test_scores_says_whose_heat_map_is_needed() -> None:
    assert [CutMix(region=one).scores for one in ("attentive", "box", "peak", "cells")] == [
        "donor",
        None,
        "donor",
        None,
    ]
    assert CutMix(region="box", label_mode="attention").scores == "both"


@given(frame=frames, seed=seeds, region=st.sampled_from(REGIONS))
def test_attention_labels_weigh_what_each_image_shows(frame: Frame, seed: int, region: Any) -> None:
    mixer = CutMix(region=region, label_mode="attention")
    base_map, donor_map = heat_map(seed), heat_map(seed + 1)
    draw = mixer.draw(frame, Stream(seed), donor_map)
    mask = mixer.mask(draw, frame)
    stays, arrives = masses(base_map, donor_map, frame, lambda x, y: bool(mask[y, x]))
    weighed = weigh(mixer, draw, frame, (base_map, donor_map))
    given, total = weighed.donated
    assert abs(given / total - arrives / (arrives + stays)) < 1e-9
    area = donor_pixels(mixer, draw, frame)
    weights = {"area": area[0] / area[1], "attention": given / total}
    assert weighed.record == {"weights": weights}


def test_attention_labels_fall_back_to_area_where_nothing_is_hot() -> None:
    mixer = CutMix(label_mode="attention", grid=2, top_n=1)
    nothing = np.zeros((2, 2), np.float32)
    one = np.array([[1, 0], [0, 0]], np.float32)
    draw, frame = CellsDraw(2, (0,)), Frame(6, 6)
    for maps in [(nothing, one), (one, nothing), (one, one[::-1].copy())]:
        weighed = weigh(mixer, draw, frame, maps)
        assert weighed.donated == (9, 36)
        assert weighed.record == {"weights": {"area": 0.25, "attention": None}}
        assert weighed.remark == "labels by area: the heat maps show nothing"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--top-n", "3..9"),
        ("--region", "box", "--alpha", "0.5"),
        ("--region", "peak"),
        ("--region", "cells", "--grid", "5"),
        ("--label-mode", "attention"),
        ("--region", "box", "--label-mode", "attention"),
    ],
)
def test_the_command_writes_what_its_rows_say(
    cli: Cli, photos: Path, tmp_path: Path, scorer: Path, options: tuple[str, ...]
) -> None:
    def expected(base: Image, donor: Image, draw: dict[str, Any]) -> tuple[Image, int, int]:
        height, width = base.shape[:2]
        shown = np.zeros((height, width), bool)
        cells = sorted(draw.get("cells", []))
        boxes = [draw["box"]] if "box" in draw else []
        for cell in cells:
            row, column = divmod(cell, draw["grid"])
            left, top, right, bottom = (
                int(edge * side / draw["grid"] + 0.5)
                for edge, side in (
                    *((column, width), (row, height)),
                    *((column + 1, width), (row + 1, height)),
                )
            )
            if column and cell - 1 in cells:  # it continues the box beside it
                left, top, *_ = boxes.pop()
            boxes.append([left, top, right, bottom])
        for x0, y0, x1, y1 in boxes:
            shown[y0:y1, x0:x1] = True
        return pasted(base, donor, boxes), int(shown.sum()), shown.size

    out = run(cli, photos, tmp_path / "out", "cutmix", "--model", scorer, *options)
    draws = check_rows(out, photos, expected)
    assert all(("weights" in draw) == ("attention" in options) for draw in draws)


def test_the_attentive_name_makes_the_default() -> None:
    assert augcli.AttentiveCutMix(top_n=6) == CutMix(region="attentive", top_n=6)
    assert issubclass(CellsDraw, CutMixDraw)
    assert dataclasses.is_dataclass(CutMix)
