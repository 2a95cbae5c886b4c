"""ResizeMix: the whole donor lies in a box inside the base; the law of the box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.base import donor_pixels
from augcli.augmentations.resizemix import ResizeMix, ResizeMixDraw
from augcli.augmentations.weights import weigh
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.pixels.resize import resize
from augcli.rng import Stream
from tests.augmentations.mixing import check_mixer, check_rows, masses, run
from tests.strategies import frames, heat_map, image, seeds

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.pixels.frame import Image
    from tests.conftest import Cli

FRAME = Frame(15, 23)
taus = st.floats(0.001, 1)


@given(frame=frames, other=frames, seed=seeds, tau=taus)
def test_resizemix_mixes_truly(frame: Frame, other: Frame, seed: int, tau: float) -> None:
    mixer = ResizeMix(scope=(tau, 1.0))
    draw = mixer.draw(frame, Stream(seed))
    check_mixer(mixer, draw, frame, seed, other)
    x0, y0, x1, y1 = draw.box
    base, donor = image(seed, frame), image(seed + 1, other)
    expected = resize(donor, Frame(y1 - y0, x1 - x0))
    assert (mixer.apply((base, donor), draw)[y0:y1, x0:x1] == expected).all()


@given(frame=frames, seed=seeds, tau=taus)
def test_the_box_lies_inside_and_has_tau_of_each_side(frame: Frame, seed: int, tau: float) -> None:
    x0, y0, x1, y1 = ResizeMix(scope=(tau, tau)).draw(frame, Stream(seed)).box
    assert 0 <= x0 < x1 <= frame.width
    assert 0 <= y0 < y1 <= frame.height
    assert x1 - x0 == max(1, round(tau * frame.width))
    assert y1 - y0 == max(1, round(tau * frame.height))


def test_the_box_is_centred_anywhere_and_shifted_inside() -> None:
    """Replays each draw with the words of its stream, as the authors' code places the box."""
    for number in range(300):
        x0, y0, x1, y1 = ResizeMix().draw(FRAME, Stream("box", number)).box
        stream = Stream("box", number)
        stream.uniform()
        found = []
        for length, side in ((23, x1 - x0), (15, y1 - y0)):
            start = stream.integer(length) - side // 2
            while start < 0:
                start += 1
            while start + side > length:
                start -= 1
            found.append(start)
        assert (x0, y0) == tuple(found)


def test_the_donor_has_tau_squared_of_the_picture() -> None:
    """For tau uniform over 0.1 to 0.8 its mean is (0.8³ - 0.1³) / 2.1, which is 0.2433."""
    mixer, frame = ResizeMix(), Frame(200, 150)
    shares = []
    for number in range(6000):
        given, total = donor_pixels(mixer, mixer.draw(frame, Stream("law", number)), frame)
        shares.append(given / total)
    assert abs(np.mean(shares) - 0.2433) < 0.008
    assert 0.0095 < min(shares) < 0.012
    assert 0.62 < max(shares) < 0.645


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        *(("0.1, 0.8", "0.1..0.8"), ("0.1..0.8", "0.1..0.8")),
        *(((0.5, 1), "0.5..1"), ([0.2, 0.2], "0.2..0.2")),
    ],
)
def test_the_scope_is_parsed(written: Any, parsed: Any) -> None:
    assert str(ResizeMix(scope=written).scope) == parsed
    assert ResizeMix(scope=parsed) == ResizeMix(scope=written)


@pytest.mark.parametrize(
    "wrong", ["0.8,0.1", "0,0.5", "0.1,1.1", "0.5", "a,b", "0.1,0.2,0.3", "nan,1", 0.5, None, (1,)]
)
def test_a_wrong_scope_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"^scope is .*, but must be two shares"):
        ResizeMix(scope=wrong)


@given(frame=frames, seed=seeds)
def test_attention_labels_count_all_of_the_donor_and_what_the_base_keeps(
    frame: Frame, seed: int
) -> None:
    mixer = ResizeMix(label_mode="attention")
    draw = mixer.draw(frame, Stream(seed))
    x0, y0, x1, y1 = draw.box
    maps = heat_map(seed), heat_map(seed + 1)
    stays, _ = masses(*maps, frame, lambda x, y: x0 <= x < x1 and y0 <= y < y1)
    given, total = weigh(mixer, draw, frame, maps).donated
    assert abs(given / total - 1 / (1 + stays)) < 1e-9


def test_a_donor_on_top_of_everything_has_the_whole_label() -> None:
    mixer, draw = ResizeMix(label_mode="attention"), ResizeMixDraw((0, 0, 23, 15))
    given, total = weigh(mixer, draw, FRAME, (heat_map(1), heat_map(2))).donated
    assert given == total


@pytest.mark.parametrize("options", [(), ("--scope", "0.3,1", "--label-mode", "attention")])
def test_the_command_writes_what_its_rows_say(
    cli: Cli, photos: Path, tmp_path: Path, scorer: Path, options: tuple[str, ...]
) -> None:
    def expected(base: Image, donor: Image, draw: dict[str, Any]) -> tuple[Image, int, int]:
        x0, y0, x1, y1 = draw["box"]
        output = base.copy()
        output[y0:y1, x0:x1] = resize(donor, Frame(y1 - y0, x1 - x0))
        return output, (y1 - y0) * (x1 - x0), base.shape[0] * base.shape[1]

    out = run(cli, photos, tmp_path / "out", "resizemix", "--model", scorer, *options)
    draws = check_rows(out, photos, expected)
    assert all(("weights" in draw) == ("attention" in options) for draw in draws)
