"""Cutout on or off the best cells of a heat map, and without a heat map."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.cutout import Cutout, CutoutDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import ranked_cells
from augcli.pixels.masks import cells_mask
from augcli.rng import Stream
from tests.strategies import frames, heat_map, image, seeds

At = Literal["random", "attended", "background"]
WIDE = Frame(90, 140)


def peak(*cells: int) -> np.ndarray:
    """Return a heat map whose best cells are these, best first."""
    scores = np.zeros(49, np.float32)
    for rank, cell in enumerate(cells):
        scores[cell] = 49 - rank
    return scores.reshape(7, 7)


@pytest.mark.parametrize(
    ("options", "boxes", "fill"),
    [
        ({"patch": 16, "fill": "noise"}, ((16, 0, 32, 15),), "noise:1711921060"),
        (
            {"patch": 0.25, "holes": 2, "fill": "black"},
            ((18, 2, 26, 10), (13, 0, 21, 5)),
            (0, 0, 0),
        ),
        ({"patch": 5, "inside": True, "fill": "#010203"}, ((43, 1, 48, 6),), (1, 2, 3)),
        ({"patch": 500, "fill": "image-mean"}, ((0, 0, 48, 32),), "image-mean"),
    ],
)
def test_random_patches_are_the_same_for_ever(
    options: dict[str, Any], boxes: tuple[Any, ...], fill: Any, request: pytest.FixtureRequest
) -> None:
    index = request.node.callspec.indices["options"]
    draw = Cutout(**options).draw(Frame(32, 48), Stream(1, "golden", index))
    assert draw == CutoutDraw(boxes, fill)
    assert draw.to_json() == {"boxes": boxes, "fill": fill}


@given(
    frames,
    seeds,
    st.sampled_from(["random", "attended", "background"]),
    st.integers(1, 50),
    st.integers(1, 4),
    st.booleans(),
)
def test_picture_is_made_again_from_json(
    frame: Frame, seed: int, at: At, patch: int, holes: int, inside: bool
) -> None:
    method = Cutout(at=at, patch=patch, holes=holes, inside=inside, fill="noise")
    base, scores = image(seed, frame), heat_map(seed)
    before, scores_before = base.copy(), scores.copy()
    draw = method.draw(frame, Stream(seed, "test"), scores)
    made = method.apply((base,), draw)
    record = json.loads(json.dumps(draw.to_json()))
    again = CutoutDraw.from_json(record)
    assert again == draw
    assert np.array_equal(Cutout().apply((base,), again), made)
    assert np.array_equal(base, before)
    assert np.array_equal(scores, scores_before)
    assert len(draw.boxes) == holes
    for x0, y0, x1, y1 in draw.boxes:
        assert 0 <= x0 < x1 <= frame.width
        assert 0 <= y0 < y1 <= frame.height
        if inside:
            assert (x1 - x0, y1 - y0) == (min(patch, frame.width), min(patch, frame.height))


@pytest.mark.parametrize(
    ("at", "scores"), [("random", None), ("attended", "base"), ("background", "base")]
)
def test_only_random_patches_need_no_heat_map(at: At, scores: str | None) -> None:
    method = Cutout(at=at, fill="black")
    assert (method.scores, method.map_grid, method.can_score) == (scores, 7, True)
    for missing in (None, np.zeros((6, 6), np.float32)):
        if scores is None:
            method.draw(WIDE, Stream(1), missing)
        else:
            with pytest.raises(ValueError, match=r"a heat map \(7, 7\) of the image is needed"):
                method.draw(WIDE, Stream(1), missing)


@given(frames, seeds, st.integers(1, 50), st.integers(1, 49), st.booleans())
def test_attended_patches_are_centred_on_the_best_cells(
    frame: Frame, seed: int, patch: int, holes: int, inside: bool
) -> None:
    scores = heat_map(seed)
    method = Cutout(at="attended", patch=patch, holes=holes, inside=inside, fill="black")
    draw = method.draw(frame, Stream(seed), scores)
    assert draw.cells == ranked_cells(scores, holes)
    assert draw.boxes == method.draw(frame, Stream(seed + 1), scores).boxes
    for cell, (x0, y0, x1, y1) in zip(draw.cells, draw.boxes, strict=True):
        for position, start, end, length in (
            (cell % 7, x0, x1, frame.width),
            (cell // 7, y0, y1, frame.height),
        ):
            borders = [int(index * length / 7 + 0.5) for index in (position, position + 1)]
            # The whole patch around the cell's middle, half a pixel to the upper left at most.
            begin = (sum(borders) - patch) // 2
            if inside:
                begin = max(0, min(begin, length - patch))
            covered = [place for place in range(begin, begin + patch) if 0 <= place < length]
            if covered:
                assert (start, end) == (covered[0], covered[-1] + 1)
            else:
                assert end - start == 1
                assert start in (0, length - 1)


def test_attended_patch_erases_the_salient_cell() -> None:
    draw = Cutout(at="attended", patch=20, fill="black").draw(WIDE, Stream(1), peak(17, 3))
    # Cell 17 is row 2, column 3: rows 26 to 39 and columns 60 to 80.
    assert draw == CutoutDraw(((60, 22, 80, 42),), (0, 0, 0), (17,))


def test_attended_patches_are_as_many_as_there_are_cells() -> None:
    with pytest.raises(ParameterError, match="holes is 50, but a 7 x 7 heat map has 49 cells"):
        Cutout(at="attended", holes=50)
    assert Cutout(holes=50).holes == Cutout(at="background", holes=50).holes == 50


@given(frames, seeds, st.integers(1, 50), st.integers(1, 49), st.integers(1, 3), st.booleans())
def test_background_patches_touch_the_best_cells_only_with_a_remark(
    frame: Frame, seed: int, patch: int, keep_top: int, holes: int, inside: bool
) -> None:
    scores = heat_map(seed)
    method = Cutout(
        at="background", patch=patch, keep_top=keep_top, holes=holes, inside=inside, fill="black"
    )
    draw = method.draw(frame, Stream(seed), scores)
    assert draw.cells == ranked_cells(scores, keep_top)
    best = cells_mask(draw.cells, frame, 7)
    touched = sum(int(best[y0:y1, x0:x1].sum()) for x0, y0, x1, y1 in draw.boxes)
    remark = method.remark(draw, frame)
    if (0, 0, frame.width, frame.height) in draw.boxes:
        assert remark == "a patch covers the whole image"
    else:
        assert remark == ("a patch had to touch the best cells" if touched else None)


@given(frames, seeds, st.integers(1, 30), st.integers(1, 20), st.booleans())
def test_background_patch_is_the_first_random_one_that_is_clear(
    frame: Frame, seed: int, patch: int, keep_top: int, inside: bool
) -> None:
    scores = heat_map(seed)
    best = cells_mask(ranked_cells(scores, keep_top), frame, 7)
    plain = Cutout(patch=patch, holes=100, inside=inside, fill="black")
    tried = plain.draw(frame, Stream(seed)).boxes
    clear = [box for box in tried if not best[box[1] : box[3], box[0] : box[2]].any()]
    method = Cutout(at="background", patch=patch, keep_top=keep_top, inside=inside, fill="black")
    (found,) = method.draw(frame, Stream(seed), scores).boxes
    if clear:
        assert found == clear[0]
    else:
        x0, y0, x1, y1 = found
        assert (x1 - x0, y1 - y0) == (min(patch, frame.width), min(patch, frame.height))


def test_background_falls_back_to_the_lowest_place() -> None:
    # All cells are to be avoided, so every patch touches one; cell 48 has the least heat.
    falling = np.arange(49, 0, -1, dtype=np.float32).reshape(7, 7)
    method = Cutout(at="background", patch=30, keep_top=49, fill="black")
    draw = method.draw(Frame(70, 105), Stream(1), falling)
    assert draw.boxes == ((75, 40, 105, 70),)
    assert method.remark(draw, Frame(70, 105)) == "a patch had to touch the best cells"


def test_background_patches_go_everywhere_else() -> None:
    """Over many copies every pixel that a clear patch can reach is reached, no other one."""
    method = Cutout(at="background", patch=9, keep_top=1, fill="black")
    frame = Frame(35, 49)
    reached = np.zeros(frame, bool)
    for copy in range(2000):
        ((x0, y0, x1, y1),) = method.draw(frame, Stream(copy, "all"), peak(24)).boxes
        reached[y0:y1, x0:x1] = True
    assert np.array_equal(reached, cells_mask([24], frame, 7) == 0)


def test_whole_image_is_remarked_first() -> None:
    method = Cutout(at="background", patch=500, fill="black")
    draw = method.draw(WIDE, Stream(1), peak(1))
    assert method.remark(draw, WIDE) == "a patch covers the whole image"
