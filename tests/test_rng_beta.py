"""The Beta distribution and samples: their distributions, and golden values."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from augcli.rng import Stream

DRAWS = 20_000
PARAMETERS = [
    (1.0, 1.0),
    (0.2, 0.2),
    (0.5, 0.5),
    (0.05, 2.0),
    (1.0, 3.0),
    (3.0, 1.0),
    (1.0001, 1.0001),
    (2.0, 5.0),
    (5.0, 2.0),
    (0.4, 9.0),
    (20.0, 3.0),
]


def below(limit: float, first: float, second: float) -> float:
    """Return the chance of a Beta value below a limit, integrated over t**first."""
    if limit > 0.5:
        return 1 - below(1 - limit, second, first)
    steps = 20_000
    middles = (np.arange(steps) + 0.5) / steps * limit**first
    area = ((1 - middles ** (1 / first)) ** (second - 1)).mean() * limit**first / first
    norm = math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)
    return float(area / math.exp(norm))


def drawn(first: float, second: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    stream = Stream("beta", str(first), str(second))
    return np.array([stream.beta(first, second) for _ in range(DRAWS)])


@pytest.mark.parametrize(("first", "second"), PARAMETERS)
def test_beta_follows_its_law(first: float, second: float) -> None:
    """Kolmogorov-Smirnov at 99 places: as far off as one stream in a thousand would be."""
    values = np.sort(drawn(first, second))
    limits = np.linspace(0.01, 0.99, 99)
    found = np.searchsorted(values, limits) / DRAWS
    expected = [below(limit, first, second) for limit in limits]
    assert np.abs(found - expected).max() < 1.95 / math.sqrt(DRAWS)


@pytest.mark.parametrize(("first", "second"), PARAMETERS)
def test_beta_has_the_mean_and_variance_of_its_law(first: float, second: float) -> None:
    values = drawn(first, second)
    both = first + second
    variance = first * second / both**2 / (both + 1)
    assert values.min() >= 0
    assert values.max() <= 1
    assert abs(values.mean() - first / both) < 4 * math.sqrt(variance / DRAWS)
    assert abs(values.var() / variance - 1) < 0.1


def test_beta_of_one_and_one_is_one_uniform_word() -> None:
    one, other = Stream("a"), Stream("a")
    assert [one.beta(1, 1) for _ in range(5)] == [other.uniform() for _ in range(5)]


def test_beta_gives_the_same_first_values_for_good() -> None:
    """Golden values: another one means that the same seed makes another data set."""
    expected = {
        (1.0, 1.0): [0.16276296310725547, 0.40213151797561675, 0.394610850290778],
        (0.2, 0.2): [0.9997224027756602, 0.8947171331383288, 0.8387799877673388],
        (0.5, 2.0): [0.3704348881728947, 0.022049276623874903, 0.32593622989952564],
        (2.0, 5.0): [0.12652729754336178, 0.2347453550901264, 0.45753816701471806],
    }
    streams = {parameters: Stream(0, "golden") for parameters in expected}
    assert expected == {
        parameters: [stream.beta(*parameters) for _ in range(3)]
        for parameters, stream in streams.items()
    }


@pytest.mark.parametrize("parameters", [(0.01, 0.01), (0.01, 1000.0), (1000.0, 0.01), (1000, 1000)])
def test_beta_stays_between_0_and_1_at_extreme_parameters(parameters: tuple[float, float]) -> None:
    stream = Stream("extreme")
    assert all(0 <= stream.beta(*parameters) <= 1 for _ in range(2000))


def test_sample_gives_every_choice_and_order_alike() -> None:
    stream = Stream("sample")
    counts = Counter(stream.sample(2, 4) for _ in range(12_000))
    assert set(counts) == set(itertools.permutations(range(4), 2))
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 31.3  # chi², 1 in 1000


def test_sample_gives_the_same_first_values_for_good() -> None:
    stream = Stream(0, "golden")
    assert stream.sample(6, 49) == (7, 20, 1, 36, 38, 30)
    assert stream.sample(1, 1) == (0,)
    assert stream.sample(3, 3) == (2, 0, 1)
