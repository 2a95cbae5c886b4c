"""What must be true of every augmentation of the registry."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augcli.augmentations.base import Mixer, donor_pixels
from tests.contract.cases import (
    COMMANDS,
    EVERY_METHOD,
    MIXERS,
    black_and_white,
    cases,
    default_case,
)

if TYPE_CHECKING:
    from tests.contract.cases import Method

every_method = pytest.mark.parametrize("cls", EVERY_METHOD, ids=lambda cls: cls.name)
every_command = pytest.mark.parametrize("cls", COMMANDS, ids=lambda cls: cls.name)
every_mixer = pytest.mark.parametrize("cls", MIXERS, ids=lambda cls: cls.name)
few = settings(max_examples=8)

EXTREME = [(1, 1), (1, 40), (40, 1), (2, 3), (7, 6), (8, 7), (33, 50), (224, 224)]


@every_method
@few
@given(data=st.data())
def test_the_result_is_a_picture_of_the_size_that_masks_move_to(
    cls: Method, data: st.DataObject
) -> None:
    case = data.draw(cases(cls))
    found = case.apply()
    moved = case.method.apply_to_mask(np.ones(case.frame, np.uint8), case.draw)
    assert found.dtype == np.uint8
    assert found.shape == (*moved.shape, 3)


@every_command
@few
@given(data=st.data())
def test_a_drop_or_mix_keeps_the_size_of_the_base(cls: Method, data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    assert case.apply().shape == (*case.frame, 3)


@every_command
@pytest.mark.parametrize("frame", EXTREME, ids=lambda frame: f"{frame[0]}x{frame[1]}")
def test_the_defaults_work_on_a_frame_of(cls: Method, frame: tuple[int, int]) -> None:
    assert default_case(cls, frame).apply().shape == (*frame, 3)


@every_method
@few
@given(data=st.data())
def test_the_inputs_stay_as_they_are(cls: Method, data: st.DataObject) -> None:
    """They are shared: a source is the base of one output and the donor of another."""
    case = data.draw(cases(cls))
    before = [one.tobytes() for one in case.images]
    heat = None if case.heat_map is None else case.heat_map.tobytes()
    found = case.apply()
    case.draw_again()
    if found is not case.images[0]:
        assert not any(
            np.shares_memory(found, one) and found.flags.writeable for one in case.images
        )
    assert [one.tobytes() for one in case.images] == before
    assert (None if case.heat_map is None else case.heat_map.tobytes()) == heat


@every_method
@few
@given(data=st.data())
def test_over_a_spare_image_the_picture_is_the_same(cls: Method, data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    spare, *others = (one.copy() for one in case.images)
    found = case.method.apply_over((spare, *others), case.draw)
    assert found.tobytes() == case.apply().tobytes()
    assert [one.tobytes() for one in others] == [one.tobytes() for one in case.images[1:]]


@every_method
@few
@given(data=st.data())
def test_the_same_stream_gives_the_same_bytes(cls: Method, data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    again = case.draw_again()
    assert again == case.draw
    assert case.apply(again).tobytes() == case.apply().tobytes()


@every_method
@few
@given(data=st.data())
def test_a_draw_read_back_from_json_makes_the_same_picture(
    cls: Method, data: st.DataObject
) -> None:
    """The manifest records the draw, so that any output can be made again from its row."""
    case = data.draw(cases(cls))
    text = json.dumps(case.draw.to_json(), allow_nan=False)
    again = cls.draw_type.from_json(json.loads(text))
    assert again == case.draw
    assert case.apply(again).tobytes() == case.apply().tobytes()


@every_method
def test_a_draw_stays_small_on_a_large_picture(cls: Method) -> None:
    """Random values for every pixel are recorded as a seed, never as a list."""
    case = default_case(cls, (600, 900))
    assert len(json.dumps(case.draw.to_json())) < 500


@every_method
@few
@given(data=st.data())
def test_method_and_draw_survive_pickling(cls: Method, data: st.DataObject) -> None:
    """They are sent to worker processes."""
    case = data.draw(cases(cls))
    assert pickle.loads(pickle.dumps((case.method, case.draw))) == (case.method, case.draw)


@every_mixer
@few
@given(data=st.data())
def test_the_donors_weight_is_its_share_of_the_picture_that_was_made(
    cls: Method, data: st.DataObject
) -> None:
    """A white donor on a black base: the weight is how bright the output is."""
    case = data.draw(cases(cls))
    assert isinstance(case.method, Mixer)
    found = case.method.apply(black_and_white(case), case.draw)
    shown, every = donor_pixels(case.method, case.draw, case.frame)
    # Only a blend is rounded, by half of one of 255 steps.
    opaque = case.method.opacity(case.draw)[0] in (0, case.method.opacity(case.draw)[1])
    assert 0 <= shown <= every
    assert abs(float(found.mean()) / 255 - shown / every) < (1e-9 if opaque else 0.5001 / 255)


@every_mixer
@few
@given(data=st.data())
def test_the_weight_counts_the_mask_pixel_by_pixel(cls: Method, data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    assert isinstance(case.method, Mixer)
    mask = case.method.mask(case.draw, case.frame)
    part, whole = case.method.opacity(case.draw)
    counted = sum(1 for row in mask.tolist() for pixel in row if pixel == 1)
    assert mask.dtype == np.uint8
    assert mask.shape == case.frame
    assert set(np.unique(mask).tolist()) <= {0, 1}
    assert donor_pixels(case.method, case.draw, case.frame) == (
        counted * part,
        case.frame.height * case.frame.width * whole,
    )


@every_method
@few
@given(data=st.data())
def test_pixels_outside_of_the_mask_are_the_bases(cls: Method, data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    mask = case.method.mask(case.draw, case.frame)
    if mask is None:
        return
    assert mask.dtype == np.uint8
    assert mask.shape == case.frame
    assert set(np.unique(mask).tolist()) <= {0, 1}
    # Dropout may make the pixels that it keeps brighter.
    if not getattr(case.method, "rescale", False):
        outside = mask == 0
        assert case.apply()[outside].tolist() == case.images[0][outside].tolist()


@every_method
@few
@given(data=st.data(), copies=st.integers(1, 5))
def test_each_copy_has_a_method_of_the_same_kind(
    cls: Method, data: st.DataObject, copies: int
) -> None:
    method = data.draw(cases(cls)).method
    found = [method.for_copy(copy, copies) for copy in range(copies)]
    assert {type(one) for one in found} == {cls}
    assert found == [method.for_copy(copy, copies) for copy in range(copies)]


@every_method
@few
@given(data=st.data())
def test_a_remark_is_a_short_phrase_or_nothing(cls: Method, data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    remark = case.method.remark(case.draw, case.frame)
    assert remark is None or 0 < len(remark) <= 80
