"""Arrays that don't fit are refused by every public function on arrays; the message says what fits.

Without the checks, most of these arrays give a wrong picture and no error.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.augmentations import METHODS
from augcli.augmentations.flip import Flip
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import image

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.augmentations.base import Augmentation
    from augcli.pixels.frame import Image

FRAME = Frame(32, 48)
PICTURE = image(1, FRAME)
HEAT_MAP = np.array([[0.1, 0.9], [0.9, 0.3]], np.float32)


class Tensor:
    """Stands in for a tensor of PyTorch: it has a shape and a number of axes, but is no array."""

    ndim = 3
    shape = FRAME
    dtype = "torch.uint8"


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "floats 0..1": (PICTURE / np.float32(255), ValueError, "is float32 (32, 48, 3), but must be "),
    "floats 0..255": (PICTURE.astype(np.float64), ValueError, "numpy.rint(image)"),
    "16 bits": (PICTURE.astype(np.uint16), ValueError, "is uint16 (32, 48, 3), but must be uint8"),
    "truth values": (PICTURE > 100, ValueError, "is bool (32, 48, 3), but must be uint8"),
    "CHW": (PICTURE.transpose(2, 0, 1), ValueError, "give it as image.transpose(1, 2, 0)"),
    "a batch": (PICTURE[None], ValueError, "is uint8 (1, 32, 48, 3), but must be uint8 (H, W, "),
    "two bands": (PICTURE[..., :2], ValueError, "is uint8 (32, 48, 2), but must be uint8 (H, W, "),
    "grey without an axis": (PICTURE[..., 0], ValueError, "numpy.dstack([image, image, image])"),
    "a tensor": (Tensor(), TypeError, "give a tensor as tensor.permute(1, 2, 0).cpu().numpy()"),
    "a list": (PICTURE.tolist(), TypeError, "is a builtins.list, but must be a NumPy array"),
}
GREY_OR_ALPHA: dict[str, tuple[Any, type[Exception], str]] = {
    "grey": (PICTURE[..., :1], ValueError, "numpy.dstack([image, image, image])"),
    "alpha": (
        np.dstack([PICTURE, PICTURE[..., 0]]),
        ValueError,
        "leave alpha out with image[..., :3]",
    ),
}
each_wrong = pytest.mark.parametrize("case", WRONG)
each_not_rgb = pytest.mark.parametrize("case", [*WRONG, *GREY_OR_ALPHA])


def refused(case: str, call: Callable[[Any], object]) -> None:
    """Check that a function refuses an array, with a sentence that says what fits."""
    array, kind, words = {**WRONG, **GREY_OR_ALPHA}[case]
    with pytest.raises(kind) as error:
        call(array)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@each_not_rgb
def test_heat_map_refuses_what_is_no_image(case: str) -> None:
    refused(case, augcli.heat_map)


@each_not_rgb
def test_cutout_refuses_what_is_no_image(case: str) -> None:
    refused(case, lambda array: augcli.cutout(array, (1, 1, 9, 9)))


@each_not_rgb
@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_apply_refuses_what_is_no_image(method: type[Augmentation[Any]], case: str) -> None:
    given: dict[str, Any] = {"fill": "black", "size": "20x20"}
    fields = method.__dataclass_fields__  # type: ignore[attr-defined]
    step = method(**{name: value for name, value in given.items() if name in fields})
    draw = step.draw(FRAME, Stream(1, "x"), np.eye(7, dtype=np.float32))
    good = (PICTURE,) * step.sources
    assert step.apply(good, draw).dtype == np.uint8

    def apply_to(array: Any, place: int) -> Image:
        images = list(good)
        images[place] = array
        return step.apply(tuple(images), draw)

    for place in range(step.sources):
        refused(case, partial(apply_to, place=place))


def test_apply_refuses_an_image_that_is_in_no_tuple_and_another_number_of_them() -> None:
    draw = Flip().draw(FRAME, Stream(1, "x"))
    with pytest.raises(TypeError, match=r"^images is a ndarray, but must be a tuple of arrays$"):
        Flip().apply(PICTURE, draw)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^flip takes 1 image, not 2$"):
        Flip().apply((PICTURE, PICTURE), draw)
    with pytest.raises(ValueError, match=r"^cutmix takes 2 images, not 1$"):
        augcli.CutMix().apply((PICTURE,), augcli.CutMix(region="box").draw(FRAME, Stream(1, "x")))


@each_wrong
def test_paste_cells_refuses_what_is_no_image(case: str) -> None:
    refused(case, lambda array: augcli.paste_cells(PICTURE, array, [1]))
    if case != "a batch":
        refused(case, lambda array: augcli.paste_cells(array, array, [1]))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("other", [FRAME, Frame(9, 70)])
def test_paste_cells_takes_grey_and_alpha(channels: int, other: Frame) -> None:
    base = np.zeros((*FRAME, channels), np.uint8)
    donor = np.full((*other, channels), 7, np.uint8)
    pasted = augcli.paste_cells(base, donor, [0], grid=2)
    assert (pasted.shape, pasted.dtype.name) == (base.shape, "uint8")
    assert np.unique(pasted[:16, :24]).tolist() == [7]
    assert int(pasted.sum()) == 7 * 16 * 24 * channels


def test_paste_cells_refuses_base_and_donor_of_different_channels() -> None:
    with pytest.raises(ValueError, match="the base has 3 channels and the donor 1, but they must"):
        augcli.paste_cells(PICTURE, PICTURE[..., :1], [1])


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_paste_cells_refuses_a_batch_with_the_channels_first(kind: Any, channels: int) -> None:
    batch = np.zeros((2, channels, 32, 48), kind)
    with pytest.raises(ValueError, match=r"give NCHW as images.transpose\(0, 2, 3, 1\)$"):
        augcli.paste_cells(batch, batch, [1])
    good = batch.transpose(0, 2, 3, 1)
    assert augcli.paste_cells(good, good + kind(1), [1], grid=2).sum() == 2 * channels * 16 * 24


def test_paste_cells_refuses_a_batch_of_a_tensor() -> None:
    tensor: Any = type("Tensor", (), {"ndim": 4, "shape": (2, 3, 32, 48)})()
    with pytest.raises(TypeError, match=r"tensor.permute\(0, 2, 3, 1\).cpu\(\).numpy\(\)$"):
        augcli.paste_cells(tensor, tensor, [1])


@pytest.mark.parametrize("cells", [[True, False], [1.0], np.eye(2, dtype=bool)[0]])
def test_paste_cells_refuses_cells_that_are_no_whole_numbers(cells: Any) -> None:
    for array in (PICTURE, PICTURE[None]):
        with pytest.raises(TypeError, match=r"^cells must be whole numbers, not "):
            augcli.paste_cells(array, array, cells)


def test_paste_cells_takes_cells_as_arrays_and_as_ranked_cells_gives_them() -> None:
    black = np.zeros_like(PICTURE)
    expected = augcli.paste_cells(black, PICTURE, [1, 2], grid=2)
    best = augcli.ranked_cells(HEAT_MAP, 2)
    forms: list[Any] = [best, np.array(best), list(map(np.int64, best))]
    for cells in forms:
        assert np.array_equal(augcli.paste_cells(black, PICTURE, cells, grid=2), expected)
        batch = augcli.paste_cells(black[None], PICTURE[None], [cells], grid=2)
        assert np.array_equal(batch[0], expected)


@pytest.mark.parametrize(
    ("heat_map", "count", "kind", "words"),
    [
        (HEAT_MAP.tolist(), 1, TypeError, "is a list, but must be a NumPy array (grid, grid)"),
        (HEAT_MAP.ravel(), 1, ValueError, "has the shape (4,), but must be (grid, grid)"),
        (HEAT_MAP[None], 1, ValueError, "has the shape (1, 2, 2), but must be (grid, grid)"),
        (HEAT_MAP[:1], 1, ValueError, "has the shape (1, 2), but must be (grid, grid)"),
        (HEAT_MAP, 0, ValueError, "count is 0, but the heat map has 4 cells"),
        (HEAT_MAP, 5, ValueError, "count is 5, but the heat map has 4 cells"),
        (HEAT_MAP * np.float32("nan"), 1, ValueError, "holds NaN or infinity"),
        (
            np.where(HEAT_MAP > 0.5, np.float32("inf"), HEAT_MAP),
            1,
            ValueError,
            "holds NaN or infinity",
        ),
    ],
)
def test_ranked_cells_refuses_what_is_no_heat_map(
    heat_map: Any, count: int, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as error:
        augcli.ranked_cells(heat_map, count)
    assert words in str(error.value)
