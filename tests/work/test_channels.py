"""Grey stays grey: one channel, grey noise; and transparent pictures over a background."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

import augcli
from augcli.augmentations import METHODS
from augcli.augmentations.fill import fill_pixels
from augcli.data.codecs.encoding import encode
from augcli.errors import ParameterError
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from tests.photos import picture, read, rows

if TYPE_CHECKING:
    from pathlib import Path

GREY_MODES = ("L", "1", "I;16")


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """INPUT: grey pictures, JPEG and PNG."""
    for label in ("one", "zero"):
        (tmp_path / "grey" / label).mkdir(parents=True)
        for number, ending in enumerate(("png", "jpg", "png")):
            image = Pillow.fromarray(picture(number + 3 * (label == "one"), 28, 28)).convert("L")
            image.save(tmp_path / "grey" / label / f"{number}.{ending}")
    return tmp_path / "grey"


def modes(out: Path) -> dict[str, str]:
    """Return the mode of each output by its name."""
    found = {}
    for row in rows(out):
        with Pillow.open(out / row["file_name"]) as image:
            found[row["file_name"]] = image.mode
    return found


def made(folder: Path, out: Path, method: Any, **options: Any) -> set[str]:
    """Make outputs, verify them, and return their modes."""
    augcli.augment(folder, method, out=out, workers=0, **options)
    verified = augcli.verify(out, against=folder)
    assert verified.problems == []
    assert verified.identical == verified.rows > 0
    return set(modes(out).values())


PLAIN = [name for name in METHODS if name not in ("spatial-dropout", "resize")]


@pytest.mark.parametrize("name", PLAIN)
def test_every_method_leaves_grey_pictures_grey(
    grey: Path, tmp_path: Path, scorer: Path, name: str
) -> None:
    assert made(grey, tmp_path / "out", METHODS[name](), model=scorer, originals="encode") == {"L"}


@pytest.mark.parametrize("fill", ["mean", "image-mean", "black", "noise", "#808080"])
def test_fills_without_colour_leave_them_grey(grey: Path, tmp_path: Path, fill: str) -> None:
    out = tmp_path / "out"
    assert made(grey, out, augcli.Cutout(patch=9, fill=fill)) == {"L"}
    assert made(grey, tmp_path / "rgb", augcli.Cutout(patch=9, fill=fill), channels="rgb") == {
        "RGB"
    }
    pairs = zip(rows(out), rows(tmp_path / "rgb"), strict=True)
    for one, three in pairs:
        if one["file_name"].endswith("png"):
            assert np.array_equal(
                read(out / one["file_name"]), read(tmp_path / "rgb" / three["file_name"])
            )


def test_noise_in_grey_has_one_value_a_pixel(grey: Path, tmp_path: Path) -> None:
    made(grey, tmp_path / "out", augcli.Cutout(patch=20, fill="noise"), format="png")
    for row in rows(tmp_path / "out"):
        assert len(np.unique(read(tmp_path / "out" / row["file_name"]))) > 50
    image = picture(1, 20, 30)
    flat = np.repeat(image[..., :1], 3, axis=2)
    grey_noise, colour_noise = fill_pixels("noise:7", flat), fill_pixels("noise:7", image)
    assert isinstance(grey_noise, np.ndarray)
    assert isinstance(colour_noise, np.ndarray)
    assert (grey_noise == grey_noise[..., :1]).all()
    assert not (colour_noise == colour_noise[..., :1]).all()
    # One row of grey does not make a picture grey.
    framed = image.copy()
    framed[0] = 0
    assert np.array_equal(fill_pixels("noise:7", framed), colour_noise)


def test_a_coloured_fill_makes_colour(grey: Path, tmp_path: Path) -> None:
    method = augcli.Cutout(patch=9, fill="#ff8000")
    assert made(grey, tmp_path / "out", method, originals="encode") == {"L", "RGB"}
    for name, mode in modes(tmp_path / "out").items():
        assert mode == ("L" if "-original-" in name else "RGB")


@pytest.mark.parametrize("file_format", ["jpg", "png", "webp"])
def test_each_format_writes_one_channel_if_it_has_one(
    grey: Path, tmp_path: Path, file_format: str
) -> None:
    method = augcli.Cutout(patch=9, fill="noise")
    expected = {"RGB" if file_format == "webp" else "L"}
    assert made(grey, tmp_path / "out", method, format=file_format) == expected


def test_colour_on_either_side_of_a_mix_gives_colour(
    grey: Path, tmp_path: Path, scorer: Path
) -> None:
    (grey / "photo").mkdir()
    for number in range(3):
        image = Pillow.fromarray(picture(20 + number, 28, 28))
        image.save(grey / "photo" / f"{number}.png")
    out = tmp_path / "out"
    assert made(grey, out, augcli.AttentiveCutMix(top_n=9), model=scorer) == {"L", "RGB"}
    found = modes(out)
    for row in rows(out):
        coloured = "photo" in (row["label_a"], row["label_b"])
        assert found[row["file_name"]] == ("RGB" if coloured else "L"), row


def test_a_grey_picture_stored_as_colour_is_written_as_colour(tmp_path: Path) -> None:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    Pillow.fromarray(picture(1, 28, 28)).convert("L").convert("RGB").save(
        tmp_path / "photos" / "cat" / "a.png"
    )
    assert made(tmp_path / "photos", tmp_path / "out", augcli.Cutout(patch=9)) == {"RGB"}


def test_a_chain_leaves_them_grey_too(grey: Path, tmp_path: Path, scorer: Path) -> None:
    chain = Recipe.parse(
        '[[step]]\nuse = "flip"\n[[step]]\nuse = "cutmix"\n'
        '[[step]]\nuse = "colour"\n[[step]]\nuse = "erasing"\n'
    )
    assert made(grey, tmp_path / "out", chain, model=scorer, size="24x24") == {"L"}


@pytest.mark.parametrize("file_format", ["jpg", "png"])
def test_one_channel_holds_the_red_one(file_format: Any) -> None:
    image = np.repeat(picture(3, 20, 30)[..., :1], 3, axis=2)
    data = encode(image, file_format, quality=95, one_channel=True)
    with Pillow.open(io.BytesIO(data)) as opened:
        assert opened.mode == "L"
        assert np.abs(np.asarray(opened).astype(int) - image[..., 0]).mean() < 2
    assert len(data) < len(encode(image, file_format, quality=95))


@pytest.fixture
def transparent(tmp_path: Path) -> Path:
    """INPUT: pictures with a transparent half, where the colours behind are red."""
    for label in ("ant", "bee"):
        (tmp_path / "cut-outs" / label).mkdir(parents=True)
        for number in range(2):
            pixels = np.full((28, 28, 4), 255, np.uint8)
            pixels[..., :3] = picture(number, 28, 28)
            pixels[:14] = (255, 0, 0, 0)
            Pillow.fromarray(pixels).save(tmp_path / "cut-outs" / label / f"{number}.png")
    return tmp_path / "cut-outs"


def test_a_background_shows_behind_transparency(
    transparent: Path, tmp_path: Path, scorer: Path
) -> None:
    method = augcli.AttentiveCutMix(top_n=9)
    out = tmp_path / "out"
    summary = augcli.augment(transparent, method, out=out, model=scorer, workers=0)
    assert summary.remarks == {"transparency dropped": 4}
    over = tmp_path / "over"
    options: dict[str, Any] = {"background": "#0A14C8", "originals": "encode"}
    summary = augcli.augment(transparent, method, out=over, model=scorer, workers=0, **options)
    assert summary.remarks == {}
    assert augcli.verify(over, against=transparent).identical == 8
    for row in rows(over):
        image = read(over / row["file_name"])
        assert (image[:14] == (10, 20, 200)).all()
        assert row["method"] == "original" or not (image[14:] == (10, 20, 200)).all()


@pytest.mark.parametrize("value", ["white", "#fff", 7])
def test_other_backgrounds_are_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"background is .* but must be a colour such as"):
        RunOptions(background=value)
