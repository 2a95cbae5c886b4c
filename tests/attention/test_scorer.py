"""The scorer: what a network gets as input, what becomes of its output, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from augcli import heat_map
from augcli.attention.model_file import scorer_sha256, shipped_model, shipped_small_model
from augcli.attention.scorer import Scorer
from augcli.errors import ScorerError, UnreadableImage
from tests import models
from tests.photos import picture

HALF_PRECISION = 2.0**-11
"""Heat maps are rounded to 16 bits."""


def plain(red: int, green: int, blue: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((40, 60, 3), (red, green, blue), np.uint8)


def test_gives_the_brightness_of_cells_when_the_scorer_is_brightness(scorer: Path) -> None:
    image = picture(1, 56, 56)
    expected = image.reshape(7, 8, 7, 8, 3).mean(axis=(1, 3, 4)) / 255
    assert heat_map(image, model=scorer) == pytest.approx(expected, rel=HALF_PRECISION)


def test_is_float32_of_the_grid_when_called_with_any_size(scorer: Path) -> None:
    maps = [
        heat_map(picture(2, *frame), model=scorer, grid=grid)
        for frame in [(1, 1), (5, 300), (56, 56), (301, 7)]
        for grid in (1, 3, 7)
    ]
    assert [(one.shape, one.dtype.name) for one in maps] == [
        ((grid, grid), "float32") for _ in range(4) for grid in (1, 3, 7)
    ]


def test_area_averages_when_the_map_is_larger_than_the_grid(tmp_path: Path) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=64)
    image = picture(3, 64, 64)
    eight = image.reshape(8, 8, 8, 8, 3).mean(axis=(1, 3, 4)) / 255
    # 7 copies of each value, cut into 7 runs of 8, is the area average by hand.
    expected = eight.repeat(7, 0).repeat(7, 1).reshape(7, 8, 7, 8).mean(axis=(1, 3))
    assert heat_map(image, model=model) == pytest.approx(expected, rel=HALF_PRECISION)


def test_accepts_both_ranks_when_the_map_has_a_channel_or_none(tmp_path: Path) -> None:
    image = picture(4, 30, 50)
    with_channel = heat_map(image, model=models.save_scorer(tmp_path / "4.onnx"))
    without = heat_map(image, model=models.save_scorer(tmp_path / "3.onnx", flat=True))
    assert with_channel.tolist() == without.tolist()


def test_scales_and_normalises_when_the_metadata_says_how(tmp_path: Path) -> None:
    model = models.save_scorer(
        tmp_path / "m.onnx",
        weights=(1, 10, 100),
        range=[-1, 1],
        mean=[0.1, 0.2, 0.3],
        std=[0.5, 0.25, 2],
    )
    scores = heat_map(plain(255, 51, 0), model=model)
    # 255, 51 and 0 become 1, -0.6 and -1.
    expected = (1 - 0.1) / 0.5 + 10 * (-0.6 - 0.2) / 0.25 + 100 * (-1 - 0.3) / 2
    assert scores == pytest.approx(np.full((7, 7), expected), rel=HALF_PRECISION)


@pytest.mark.parametrize(("order", "expected"), [(None, 1.0), ("RGB", 1.0), ("BGR", 0.2)])
def test_feeds_channels_in_order_when_the_metadata_names_one(
    tmp_path: Path, order: str | None, expected: float
) -> None:
    given: dict[str, Any] = {} if order is None else {"channel_order": f'"{order}"'}
    model = models.save_scorer(tmp_path / "m.onnx", weights=(1, 0, 0), **given)
    scores = heat_map(plain(255, 0, 51), model=model)
    assert scores == pytest.approx(np.full((7, 7), expected), rel=HALF_PRECISION)


def test_squashes_to_the_size_of_the_metadata_when_the_graph_takes_any(tmp_path: Path) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=None, input_size=[56, 112])
    assert Scorer(model).fit().frame == (56, 112)


def test_squashes_to_224_when_neither_graph_nor_metadata_has_a_size(tmp_path: Path) -> None:
    assert Scorer(models.save_scorer(tmp_path / "m.onnx", side=None)).fit().frame == (224, 224)


def test_gives_the_same_map_when_images_come_one_by_one_or_as_a_batch(scorer: Path) -> None:
    images = [picture(number, 20 + number, 70 - number) for number in range(8)]
    loaded = Scorer(scorer)
    batch = [one.tolist() for one in loaded.heat_maps(images)]
    assert batch == [loaded.heat_map(image).tolist() for image in images]


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("side", [40, 150], ids=["small", "large"])
def test_the_shipped_scorer_gives_the_same_map_in_batches_of_any_size(size: int, side: int) -> None:
    images = [picture(number, side, side + number % 5) for number in range(64)]
    loaded = Scorer()
    alone = [loaded.heat_map(image).tolist() for image in images]
    batches = [images[start : start + size] for start in range(0, 64, size)]
    assert [one.tolist() for batch in batches for one in loaded.heat_maps(batch)] == alone


def test_leaves_the_image_unchanged_when_it_scores(scorer: Path) -> None:
    image = picture(5, 56, 56)
    before = image.copy()
    heat_map(image, model=scorer)
    assert image.tobytes() == before.tobytes()


def test_takes_the_new_file_when_a_model_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    image = plain(255, 0, 0)
    first = heat_map(image, model=models.save_scorer(path, weights=(1, 0, 0)))
    second = heat_map(image, model=models.save_scorer(path, weights=(0, 1, 0)))
    assert (first[0, 0], second[0, 0]) == (1, 0)


def refusal(path: Path, grid: int = 7) -> str:
    with pytest.raises(ScorerError) as error:
        Scorer(path, grid=grid)
    text = str(error.value)
    assert text.startswith(f"`model` {path}: ")
    assert str(pickle.loads(pickle.dumps(error.value))) == text
    return text


def test_refuses_the_model_when_it_is_missing(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.onnx")


def test_refuses_the_model_when_it_is_a_folder(tmp_path: Path) -> None:
    assert "can't be read" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x09" + b"\xff" * 99])
def test_refuses_the_model_when_it_is_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert "is not an ONNX graph that onnxruntime can load" in refusal(path)


@pytest.mark.parametrize("side", [56, None])
def test_feeds_the_pixels_as_they_are_when_the_input_is_uint8(
    tmp_path: Path, side: int | None
) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=side, pixels=True, input_size=[56, 56])
    image = picture(5, 56, 56)
    expected = image.reshape(7, 8, 7, 8, 3).mean(axis=(1, 3, 4))
    assert heat_map(image, model=model) == pytest.approx(expected, rel=HALF_PRECISION)
    blue = models.save_scorer(
        tmp_path / "b.onnx", pixels=True, weights=(1, 0, 0), channel_order='"BGR"'
    )
    assert Scorer(blue).heat_map(plain(255, 0, 51)).tolist() == np.full((7, 7), 51).tolist()


def test_refuses_the_model_when_its_input_is_no_batch_of_images(tmp_path: Path) -> None:
    message = refusal(models.save_identity(tmp_path / "m.onnx", ["N", 56, 56]))
    assert "takes tensor(float) ['N', 56, 56]; a scorer is" in message


def test_refuses_the_model_when_its_input_is_not_float(tmp_path: Path) -> None:
    path = models.save_identity(tmp_path / "m.onnx", ["N", 3, 56, 56], TensorProto.UINT8)
    assert "takes tensor(uint8)" in refusal(path)


def test_refuses_the_model_when_it_takes_one_channel(tmp_path: Path) -> None:
    message = refusal(models.save_identity(tmp_path / "m.onnx", ["N", 1, 56, 56]))
    assert "takes tensor(float) ['N', 1, 56, 56]; a scorer is" in message


def test_refuses_the_model_when_its_batch_is_fixed_to_many(tmp_path: Path) -> None:
    assert "can't be run" in refusal(models.save_identity(tmp_path / "m.onnx", [4, 3, 56, 56]))


def test_refuses_the_model_when_it_gives_class_scores(tmp_path: Path) -> None:
    message = refusal(models.save_classifier(tmp_path / "m.onnx"))
    assert "gives (1, 3), not (1, h, w) or (1, 1, h, w)" in message


def test_refuses_the_model_when_it_gives_several_channels(tmp_path: Path) -> None:
    message = refusal(models.save_identity(tmp_path / "m.onnx", ["N", 3, 56, 56]))
    assert "gives (1, 3, 56, 56), not (1, h, w) or (1, 1, h, w)" in message


def test_refuses_the_model_when_it_has_two_outputs(tmp_path: Path) -> None:
    message = refusal(models.save_scorer(tmp_path / "m.onnx", outputs=2))
    assert "has 1 inputs and 2 outputs, not 1 and 1" in message


def test_refuses_the_model_when_its_map_is_smaller_than_the_grid(tmp_path: Path) -> None:
    message = refusal(models.save_scorer(tmp_path / "m.onnx", cell=14))
    assert "gives 4 x 4 scores, too few for a grid of 7" in message


def test_refuses_the_model_when_it_gives_nan(tmp_path: Path) -> None:
    message = refusal(models.save_scorer(tmp_path / "m.onnx", factor=np.nan))
    assert "gives heat maps with NaN or infinity" in message


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mean", [0, 0], "augcli.mean is [0, 0], but must be 3 numbers"),
        ("mean", "zero", "augcli.mean is 'zero', which is not JSON"),
        ("mean", [0, 0, "x"], "augcli.mean"),
        ("mean", "[NaN, 0, 0]", "augcli.mean"),
        ("std", [1, 0, 1], "augcli.std must be positive"),
        ("range", [0], "augcli.range is [0], but must be 2 numbers"),
        ("input_size", [0, 56], "augcli.input_size"),
        ("input_size", "56", "augcli.input_size is 56, but must be 2 numbers"),
        ("channel_order", '"GRB"', "augcli.channel_order is 'GRB', but must be RGB or BGR"),
        ("channel_order", "BGR", "augcli.channel_order is 'BGR', which is not JSON"),
    ],
)
def test_refuses_the_model_when_its_metadata_is_wrong(
    tmp_path: Path, key: str, value: Any, words: str
) -> None:
    message = refusal(models.save_scorer(tmp_path / "m.onnx", side=None, **{key: value}))
    assert words in message


def test_names_the_image_unreadable_when_its_map_alone_is_infinite(tmp_path: Path) -> None:
    loaded = Scorer(models.save_scorer(tmp_path / "m.onnx", after=["Log"]))
    with pytest.raises(UnreadableImage) as error:
        loaded.heat_map(plain(0, 0, 0))
    assert error.value.reason == "the scorer m.onnx gives NaN or infinity for it"


def test_finds_the_bright_object_when_the_shipped_model_looks(tmp_path: Path) -> None:
    image = np.full((224, 224, 3), 90, np.uint8)
    yy, xx = np.mgrid[:224, :224]
    image[(yy - 60) ** 2 + (xx - 150) ** 2 < 40**2] = (230, 120, 20)
    scores = heat_map(image)
    row, column = divmod(int(scores.argmax()), 7)
    assert (scores.shape, scores.dtype.name) == ((7, 7), "float32")
    assert (abs(row - 1.4) < 1.5, abs(column - 4.2) < 1.5) == (True, True)


def test_describes_itself_when_the_shipped_model_is_loaded() -> None:
    loaded = Scorer()
    assert (loaded.path, loaded.sha256) == (shipped_model(), scorer_sha256(None))
    sizes = [one.stat().st_size for one in (shipped_model(), shipped_small_model())]
    assert sum(sizes) <= 2_000_000


def test_scores_small_images_with_a_graph_of_their_own_when_the_scorer_is_the_shipped_one() -> None:
    loaded = Scorer()
    large, small = picture(6, 65, 40), picture(6, 64, 40)
    assert loaded.fit().fitted(large).shape == (112, 112, 3)
    assert loaded.fit().fitted(small).shape == (56, 56, 3)
    fitted = loaded.fit().fitted(small)
    scores = loaded.heat_map(small)
    assert scores.tolist() == loaded.storable_maps([fitted])[0].tolist()
    only = Scorer(shipped_small_model())
    assert scores.tolist() == only.heat_map(small).tolist()
    assert loaded.heat_maps([large, small, large])[1].tolist() == scores.tolist()
