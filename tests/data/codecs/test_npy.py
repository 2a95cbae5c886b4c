"""Pictures as arrays: the same pixels as NumPy reads, or a refusal."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.file_kinds import file_kind
from augcli.data.codecs.headers import read_header
from augcli.data.codecs.npy import npy_header
from augcli.errors import UnreadableImage
from tests.photos import picture

if TYPE_CHECKING:
    from numpy.typing import NDArray


def saved(array: NDArray[Any]) -> bytes:
    """Return an array as NumPy writes it."""
    target = io.BytesIO()
    np.save(target, array)
    return target.getvalue()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (1, 1), (1000, 1, 3)])
def test_the_pixels_are_those_of_the_array(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    data = saved(array)
    assert npy_header(*shape) + array.tobytes() == data
    header = read_header(data)
    assert (header.container, header.height, header.width) == ("NPY", *shape[:2])
    decoded = decode(data)
    wide = array.reshape(*shape[:2], -1)
    np.testing.assert_array_equal(decoded.image, np.broadcast_to(wide, (*shape[:2], 3)))
    assert decoded.grey == (wide.shape[2] == 1)
    assert decoded.notes == ()
    assert decoded.image.flags.writeable
    assert decoded.image.flags.c_contiguous


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2), np.uint16),
        np.zeros((2, 2), np.float32),
        np.zeros((2, 2), bool),
        np.zeros(4, np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 3, 1), np.uint8),
        np.zeros((0, 2), np.uint8),
        np.asfortranarray(picture(1, 5, 6)),
        np.array([object(), None], dtype=object),
    ],
)
def test_other_arrays_are_no_pictures(array: NDArray[Any]) -> None:
    data = saved(array)
    assert not file_kind(data).is_read
    with pytest.raises(UnreadableImage, match="a NumPy array, which augcli does not read"):
        decode(data)


def test_a_picture_must_have_all_of_its_bytes_and_no_more() -> None:
    data = saved(picture(1, 5, 6))
    for size in range(128, len(data)):
        with pytest.raises(UnreadableImage, match="cut short"):
            decode(data[:size])
    with pytest.raises(UnreadableImage, match="more bytes than pixels"):
        decode(data + b"a")


def test_a_huge_picture_is_refused_by_its_header() -> None:
    with pytest.raises(UnreadableImage):
        decode(npy_header(999_999_999, 999_999_999, 3))
    with pytest.raises(UnreadableImage, match="max_pixels"):
        decode(saved(picture(1, 20, 20)), max_pixels=399)


def test_two_thousand_damaged_pictures_are_read_or_refused() -> None:
    data = saved(picture(1, 5, 6))
    for seed in range(2000):
        chance = random.Random(seed)
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 2, 5))):
            damaged[chance.randrange(140)] = chance.randrange(256)
        try:
            assert decode(bytes(damaged)).image.size
        except UnreadableImage:
            continue
