"""DropBlock on pixels: gamma, valid places, realised share, and the schedule over copies."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.dropblock import DropBlock, DropBlockDraw
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import frames, image, seeds


def expected_share(frame: Frame, block: int, keep: float) -> np.ndarray:
    """Return the exact probability that each pixel is dropped, by counting blocks."""
    height, width = frame
    gamma = (1 - keep) / block**2 * height * width / ((height - block + 1) * (width - block + 1))
    reached = np.zeros(frame, int)
    for top in range(height - block + 1):
        for left in range(width - block + 1):
            reached[top : top + block, left : left + block] += 1
    return np.asarray(1 - (1 - gamma) ** reached)


def dropped(draw: DropBlockDraw, frame: Frame) -> np.ndarray:
    black = np.zeros((*frame, 3), np.uint8)
    return DropBlock().apply((black,), DropBlockDraw(draw.seed, draw.block, draw.keep, (1, 1, 1)))[
        ..., 0
    ]


@given(frames, seeds, st.integers(1, 50), st.floats(0, 1), st.sampled_from(["black", "noise"]))
def test_picture_is_made_again_from_json(
    frame: Frame, seed: int, block: int, keep: float, fill: str
) -> None:
    method = DropBlock(block=block, keep=keep, fill=fill)
    base = image(seed, frame)
    before = base.copy()
    draw = method.draw(frame, Stream(seed, "test"))
    made = method.apply((base,), draw)
    record = json.loads(json.dumps(draw.to_json()))
    assert np.array_equal(DropBlock().apply((base,), DropBlockDraw.from_json(record)), made)
    assert np.array_equal(base, before)
    assert made.shape == base.shape
    assert made.dtype == np.uint8


@given(frames, seeds, st.integers(1, 50), st.floats(0, 1))
def test_pixels_are_those_of_a_loop(frame: Frame, seed: int, block: int, keep: float) -> None:
    height, width = frame
    side = min(block, height, width)
    base = image(seed, frame)
    places = (height - side + 1) * (width - side + 1)
    gamma = (1 - Fraction(keep)) / side**2 * height * width / places
    assert gamma <= 1
    expected = base.copy()
    words = Stream("dropblock", seed)
    for top in range(height - side + 1):
        for left in range(width - side + 1):
            if words.word() < int(gamma * 2**64):
                expected[top : top + side, left : left + side] = (10, 20, 30)
    method = DropBlock(block=block, keep=keep, fill="#0a141e")
    draw = method.draw(frame, Stream(seed, "test"))
    assert (draw.block, draw.keep) == (side, keep)
    made = method.apply((base,), DropBlockDraw(seed, side, keep, draw.fill))
    assert made.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("frame", "block", "keep"),
    [
        (Frame(56, 56), 8, 0.9),
        (Frame(40, 75), 9, 0.75),
        (Frame(75, 40), 1, 0.6),
        (Frame(21, 30), 21, 0.5),
    ],
)
def test_share_dropped_is_the_exact_expectation(frame: Frame, block: int, keep: float) -> None:
    exact = expected_share(frame, block, keep)
    method = DropBlock(block=block, keep=keep, fill="black")
    masks = np.stack(
        [dropped(method.draw(frame, Stream(copy, "share")), frame) for copy in range(600)]
    )
    shares = masks.mean(axis=(1, 2))
    deviation = shares.std() / np.sqrt(len(shares))
    assert shares.mean() == pytest.approx(exact.mean(), abs=4 * deviation)
    # Blocks overlap, so it is less than 1 - keep, but for single pixels not at all.
    assert exact.mean() <= 1 - keep + 1e-12
    # Corners are reached by one place only, the middle by many.
    corner, middle = (0, 0), (frame.height // 2, frame.width // 2)
    for y, x in (corner, middle):
        chance = exact[y, x]
        found = masks[:, y, x].mean()
        assert found == pytest.approx(chance, abs=4.5 * np.sqrt(chance * (1 - chance) / 600))


def test_share_of_the_usual_case_is_as_documented() -> None:
    """The class docstring says 9.4%; timm, with seeds anywhere, drops 11.5%."""
    frame = Frame(224, 224)
    method = DropBlock(block=32, keep=0.9, fill="black")
    shares = [dropped(method.draw(frame, Stream(n, "timm")), frame).mean() for n in range(600)]
    assert np.mean(shares) == pytest.approx(0.0942, abs=0.005)


def test_linear_schedule_goes_from_one_to_the_target() -> None:
    method = DropBlock(keep=0.8, schedule="linear")
    keeps = [method.for_copy(copy, 5).keep for copy in range(5)]
    assert keeps == pytest.approx([1, 0.95, 0.9, 0.85, 0.8])
    assert (keeps[0], keeps[-1]) == (1, 0.8)
    assert method.for_copy(0, 1).keep == 0.8


def test_constant_schedule_is_the_same_for_every_copy() -> None:
    method = DropBlock(keep=0.8)
    assert [method.for_copy(copy, 5) for copy in range(5)] == [method] * 5


def test_block_may_be_a_share_of_the_shorter_side() -> None:
    method = DropBlock(block=0.25, fill="black")
    found = [method.draw(frame, Stream(1)).block for frame in (Frame(40, 100), Frame(100, 40))]
    assert found == [10, 10]


@pytest.mark.parametrize(
    ("options", "frame", "remark"),
    [
        (
            {"block": 30},
            Frame(20, 50),
            "the block is larger than the image and was cut to its shorter side",
        ),
        ({"block": 20}, Frame(20, 50), "nothing is dropped"),
        ({"keep": 1.0}, Frame(20, 50), "nothing is dropped"),
        ({"block": 2}, Frame(20, 50), None),
        ({"block": 1, "keep": 0.0}, Frame(1, 1), None),
    ],
)
def test_remark_tells_of_large_blocks_and_of_none(
    options: dict[str, float], frame: Frame, remark: str | None
) -> None:
    method = DropBlock(**options, fill="black")  # type: ignore[arg-type]
    assert method.remark(method.draw(frame, Stream(1)), frame) == remark


def test_draw_is_the_same_for_ever() -> None:
    draw = DropBlock(block=3, fill="#010203").draw(Frame(32, 48), Stream(1, "golden"))
    assert draw == DropBlockDraw(810102133, 3, 0.9, (1, 2, 3))
    assert np.flatnonzero(draw.seeds(Frame(12, 20))).tolist() == [96, 137]
