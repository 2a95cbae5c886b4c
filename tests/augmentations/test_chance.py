"""Bernoulli masks: exact thresholds, independent of how many words are drawn at once."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations import chance
from augcli.augmentations.chance import bernoulli_mask, happens, word_threshold
from augcli.rng import Stream

probabilities = st.floats(0, 1)


@given(probabilities, st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_mask_compares_one_word_a_place(
    probability: float, height: int, width: int, seed: int
) -> None:
    mask = bernoulli_mask(Stream(seed), probability, (height, width, 3))
    stream = Stream(seed)
    words = [stream.word() for _ in range(height * width * 3)]
    assert mask.dtype == np.uint8
    assert mask.ravel().tolist() == [word < Fraction(probability) * 2**64 for word in words]


@given(probabilities, st.integers(0, 99))
def test_happens_is_a_mask_of_one_place(probability: float, seed: int) -> None:
    mask = bernoulli_mask(Stream(seed), probability, (1,))
    assert happens(Stream(seed), probability) is bool(mask[0])


def test_never_and_always_are_exact() -> None:
    assert (word_threshold(0.0), word_threshold(1.0)) == (0, 2**64)
    assert bernoulli_mask(Stream(1), 0.0, (50, 70)).sum() == 0
    assert bernoulli_mask(Stream(1), 1.0, (50, 70)).sum() == 3500
    assert not happens(Stream(1), 0.0)
    assert happens(Stream(1), 1.0)


def test_pieces_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bernoulli_mask(Stream(1), 0.3, (13, 17))
    monkeypatch.setattr(chance, "WORDS_AT_ONCE", 10)
    assert bernoulli_mask(Stream(1), 0.3, (13, 17)).tolist() == whole.tolist()
