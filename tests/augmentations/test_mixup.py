"""MixUp: exact blends, and the distribution of lambda."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.base import donor_pixels
from augcli.augmentations.mixup import MixUp, MixUpDraw
from augcli.augmentations.weights import weigh
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.augmentations.mixing import check_mixer, check_rows, fitted, run
from tests.strategies import frames, heat_map, image, seeds

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.pixels.frame import Image
    from tests.conftest import Cli

WHOLE = 65_536
shares = st.integers(0, WHOLE)


@given(frame=frames, other=frames, seed=seeds, alpha=st.floats(0.01, 5))
def test_mixup_mixes_truly(frame: Frame, other: Frame, seed: int, alpha: float) -> None:
    mixer = MixUp(alpha=alpha)
    check_mixer(mixer, mixer.draw(frame, Stream(seed)), frame, seed, other)


@given(frame=frames, seed=seeds, share=shares)
def test_every_value_is_the_rounded_blend(frame: Frame, seed: int, share: int) -> None:
    base, donor = image(seed, frame), image(seed + 1, frame)
    mixed = MixUp().apply((base, donor), MixUpDraw((share, WHOLE)))
    lam = Fraction(share, WHOLE)
    expected = [
        round(lam * mine + (1 - lam) * theirs)
        for mine, theirs in zip(base.ravel().tolist(), donor.ravel().tolist(), strict=True)
    ]
    assert mixed.ravel().tolist() == expected


@given(frame=frames, share=shares)
def test_the_donor_weighs_one_minus_lambda(frame: Frame, share: int) -> None:
    given, total = donor_pixels(MixUp(), MixUpDraw((share, WHOLE)), frame)
    assert Fraction(given, total) == 1 - Fraction(share, WHOLE)


def test_lambda_follows_its_law() -> None:
    """Of Beta(0.2, 0.2) the variance is 1 / 5.6: lambdas lie near 0 and 1."""
    draws = [MixUp().draw(Frame(2, 3), Stream("law", number)) for number in range(6000)]
    lams = np.array([draw.lam[0] for draw in draws]) / WHOLE
    assert abs(lams.mean() - 0.5) < 0.02
    assert abs(lams.var() - 1 / 5.6) < 0.006
    assert {draw.lam[1] for draw in draws} == {WHOLE}


def test_lambda_is_uniform_with_an_alpha_of_one() -> None:
    for number in range(50):
        draw = MixUp(alpha=1.0).draw(Frame(2, 3), Stream("law", number))
        assert draw.lam[0] == round(Stream("law", number).uniform() * WHOLE)


@pytest.mark.parametrize("wrong", [0, -1, 0.001, 2000, float("nan"), "a"])
def test_a_wrong_alpha_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"^alpha is .*, but must be"):
        MixUp(alpha=wrong)


@given(frame=frames, seed=seeds, share=shares)
def test_attention_labels_are_lambda_too(frame: Frame, seed: int, share: int) -> None:
    """Both maps have the mass 1, and each is shown by its share."""
    mixer, draw = MixUp(label_mode="attention"), MixUpDraw((share, WHOLE))
    assert mixer.scores == "both"
    given, total = weigh(mixer, draw, frame, (heat_map(seed), heat_map(seed + 1))).donated
    assert abs(given / total - (1 - share / WHOLE)) < 1e-9


@pytest.mark.parametrize("options", [(), ("--alpha", "1", "--label-mode", "attention")])
def test_the_command_writes_what_its_rows_say(
    cli: Cli, photos: Path, tmp_path: Path, scorer: Path, options: tuple[str, ...]
) -> None:
    def expected(base: Image, donor: Image, draw: dict[str, Any]) -> tuple[Image, int, int]:
        share, whole = draw["lam"]
        blended = share * base.astype(np.int64) + (whole - share) * fitted(donor, base).astype(int)
        return np.rint(blended / whole).astype(np.uint8), whole - share, whole

    out = run(cli, photos, tmp_path / "out", "mixup", "--model", scorer, *options)
    draws = check_rows(out, photos, expected)
    assert all(("weights" in draw) == ("attention" in options) for draw in draws)
