"""GridMask: the lattice, the share that it drops, and the distribution of the draws."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.gridmask import GridMask, GridMaskDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import frames, image, seeds

units = st.tuples(st.integers(2, 30), st.integers(0, 30)).map(lambda one: (one[0], sum(one)))


@given(
    frames,
    seeds,
    units | st.just((0.43, 1.0)),
    st.floats(0, 1),
    st.integers(0, 360),
    st.sampled_from(["black", "noise"]),
)
def test_picture_is_made_again_from_json(
    frame: Frame, seed: int, unit: tuple[float, float], ratio: float, rotate: int, fill: str
) -> None:
    method = GridMask(unit=unit, ratio=ratio, rotate=rotate, fill=fill)
    base = image(seed, frame)
    before = base.copy()
    draw = method.draw(frame, Stream(seed, "test"))
    made = method.apply((base,), draw)
    record = json.loads(json.dumps(draw.to_json()))
    assert np.array_equal(GridMask().apply((base,), GridMaskDraw.from_json(record)), made)
    assert np.array_equal(base, before)
    assert made.shape == base.shape
    assert made.dtype == np.uint8
    changed = (made != base).any(axis=2)
    assert not changed[draw.mask(frame) == 0].any()


@given(frames, seeds, units, st.floats(0, 1), st.integers(0, 360))
def test_draw_stays_in_its_bounds(
    frame: Frame, seed: int, unit: tuple[int, int], ratio: float, rotate: int
) -> None:
    method = GridMask(unit=unit, ratio=ratio, rotate=rotate, fill="black")
    draw = method.draw(frame, Stream(seed, "test"))
    low, high = unit
    assert low <= draw.unit < max(high, low + 1)
    assert 1 <= draw.kept < draw.unit
    assert draw.kept == min(max(int(draw.unit * ratio + 0.5), 1), draw.unit - 1)
    assert all(0 <= start < draw.unit for start in draw.offset)
    assert 0 <= draw.angle < max(1, rotate)


def test_unit_is_uniform_below_its_upper_end() -> None:
    method = GridMask(unit=(4, 8), fill="black")
    draws = [method.draw(Frame(30, 40), Stream(copy, "unit")) for copy in range(2000)]
    found = Counter(draw.unit for draw in draws)
    assert sorted(found) == [4, 5, 6, 7]
    assert all(abs(count - 500) < 4 * np.sqrt(2000 * 0.25 * 0.75) for count in found.values())


def test_default_unit_is_the_papers_on_pictures_of_224() -> None:
    draws = [GridMask(fill="black").draw(Frame(224, 300), Stream(n)) for n in range(3000)]
    found = {draw.unit for draw in draws}
    assert (min(found), max(found)) == (96, 223)


@pytest.mark.parametrize("rotate", [0, 360])
@pytest.mark.parametrize(("unit", "ratio"), [((10, 11), 0.6), ((10, 11), 0.3), ((8, 17), 0.5)])
def test_share_dropped_is_the_square_of_what_is_not_kept(
    unit: tuple[int, int], ratio: float, rotate: int
) -> None:
    """The squares are dropped, and not the stripes, which would be the opposite share."""
    method = GridMask(unit=unit, ratio=ratio, rotate=rotate, fill="black")
    frame = Frame(23, 67)
    draws = [method.draw(frame, Stream(copy, "share")) for copy in range(500)]
    shares = np.array([draw.mask(frame).mean() for draw in draws])
    exact = np.mean([(1 - draw.kept / draw.unit) ** 2 for draw in draws])
    assert exact == pytest.approx((1 - ratio) ** 2, abs=0.025)
    assert shares.mean() == pytest.approx(exact, abs=4 * shares.std() / np.sqrt(len(shares)))


@pytest.mark.parametrize("frame", [Frame(20, 300), Frame(300, 20)])
def test_turned_lattice_reaches_the_ends_of_long_pictures(frame: Frame) -> None:
    method = GridMask(unit=(10, 20), rotate=360, fill="black")
    for copy in range(20):
        mask = method.draw(frame, Stream(copy, "ends")).mask(frame)
        for end in (mask[:40, :40], mask[-40:, -40:]):
            assert 0.05 < end.mean() < 0.35


@pytest.mark.parametrize(
    ("draw", "frame", "remark"),
    [
        (GridMaskDraw(100, 60, (0, 0), 0, (0, 0, 0)), Frame(50, 70), "nothing is dropped"),
        (GridMaskDraw(100, 10, (50, 50), 0, (0, 0, 0)), Frame(9, 7), "the whole image is dropped"),
        (GridMaskDraw(10, 6, (3, 3), 45, (0, 0, 0)), Frame(50, 70), None),
        # Larger than a unit, but turned so that it lies between four squares of one pixel.
        (GridMaskDraw(10, 9, (0, 0), 45, (0, 0, 0)), Frame(12, 13), "nothing is dropped"),
        (GridMaskDraw(30, 6, (3, 3), 45, (0, 0, 0)), Frame(50, 70), None),
    ],
)
def test_remark_tells_of_nothing_and_everything(
    draw: GridMaskDraw, frame: Frame, remark: str | None
) -> None:
    assert GridMask().remark(draw, frame) == remark


@given(frames, units, st.integers(0, 359), st.data())
def test_remark_is_what_the_mask_says(
    frame: Frame, units: tuple[int, int], angle: int, data: st.DataObject
) -> None:
    unit = units[0]
    kept = data.draw(st.integers(1, unit - 1))
    offset = (data.draw(st.integers(0, unit - 1)), data.draw(st.integers(0, unit - 1)))
    draw = GridMaskDraw(unit, kept, offset, angle, (0, 0, 0))
    mask = draw.mask(frame)
    words = {0: "nothing is dropped", mask.size: "the whole image is dropped"}
    assert GridMask().remark(draw, frame) == words.get(int(mask.sum()))


@given(st.integers(0, 359), st.integers(2, 9), st.data())
def test_pictures_of_three_units_hold_a_whole_one(
    angle: int, unit: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(1, unit - 1))
    offset = (data.draw(st.integers(0, unit - 1)), data.draw(st.integers(0, unit - 1)))
    mask = GridMaskDraw(unit, kept, offset, angle, (0, 0, 0)).mask(Frame(3 * unit, 4 * unit))
    assert mask.any()
    assert not mask.all()


@pytest.mark.parametrize("unit", ["1,5", "9,3", "0.5,2", "wide"])
def test_unit_must_be_a_range(unit: str) -> None:
    with pytest.raises(ParameterError, match=r"^unit is "):
        GridMask(unit=unit)  # type: ignore[arg-type]


def test_draws_are_the_same_for_ever() -> None:
    method = GridMask(rotate=90, fill="#010203")
    found = [method.draw(Frame(32, 48), Stream(1, "golden", copy)) for copy in range(2)]
    assert found == [
        GridMaskDraw(unit=18, kept=11, offset=(9, 7), angle=87, fill=(1, 2, 3)),
        GridMaskDraw(unit=17, kept=10, offset=(7, 0), angle=32, fill=(1, 2, 3)),
    ]
