"""Random streams: golden values, so that a seed makes the same data set in every version."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.rng import Stream, digest

KEYS: list[tuple[str | int, ...]] = [
    (),
    (0, "cutout", 0, "a.jpg", 0),
    (1, "cutout", 0, "a.jpg", 0),
    (0, "cutmix", 0, "a.jpg", 0),
    (0, "cutout", 1, "a.jpg", 0),
    (0, "cutout", 0, "b.jpg", 0),
    (0, "cutout", 0, "a.jpg", 1),
    (2**63, "prob", "cutmix", 0, "Straße/猫 1.png", 9),
]
"""Each part of a key changed once."""

FIRST_WORDS = [
    [17228700350945518310, 11035154758489452666],
    [8280349418793071131, 16195069842285225064],
    [8140299050012599618, 5140253970005626728],
    [15345151555752770768, 3431467020563792288],
    [5578586788842518414, 9840864349575742322],
    [3956740639580680949, 13889993609730290276],
    [5401027258820873969, 2357962694509568623],
    [3684824509397709751, 2340887425912180287],
]

parts = st.lists(st.one_of(st.integers(), st.text(max_size=8)), max_size=4)


class Scripted(Stream):
    """A stream with given words, for cases that are rare in random ones."""

    def __init__(self, *words: int) -> None:
        super().__init__()
        self.script = list(words)

    def word(self) -> int:
        return self.script.pop(0)


@pytest.mark.parametrize(("key", "words"), list(zip(KEYS, FIRST_WORDS, strict=True)))
def test_a_stream_begins_with_these_words(key: tuple[str | int, ...], words: list[int]) -> None:
    """A change here changes every data set that was ever made: raise STREAM, then these."""
    stream = Stream(*key)
    assert [stream.word() for _ in words] == words


def test_integers_and_uniforms_of_a_key_are_these() -> None:
    stream = Stream(3, "golden", "a.jpg")
    assert [stream.integer(bound) for bound in (2, 7, 49, 1000, 2**32, 2**63)] == [
        1,
        1,
        3,
        401,
        266252876,
        8860130748493959977,
    ]
    assert [stream.uniform() for _ in range(3)] == [
        0.08411767403074777,
        0.4391701619012751,
        0.26796317177785456,
    ]


def test_words_are_the_same_one_by_one_and_at_once() -> None:
    one_by_one, at_once = Stream(5), Stream(5)
    expected = [one_by_one.word() for _ in range(9)]
    found = at_once.words(9)
    assert found.dtype == np.uint64
    assert found.tolist() == expected
    assert at_once.word() == one_by_one.word()


def test_streams_are_independent_of_the_order_in_which_they_are_made_and_used() -> None:
    forward = {key: [stream.word() for _ in range(3)] for key in KEYS for stream in [Stream(*key)]}
    backward = [Stream(*key) for key in reversed(KEYS)]
    turns = [[stream.word() for stream in backward] for _ in range(3)]
    assert forward == {key: [turn[at] for turn in turns] for at, key in enumerate(reversed(KEYS))}


@given(first=parts, second=parts)
def test_digest_differs_when_any_part_differs(
    first: list[str | int], second: list[str | int]
) -> None:
    """The length prefix keeps parts apart; a number counts as its text."""
    equal = [str(one) for one in first] == [str(one) for one in second]
    assert (digest(*first) == digest(*second)) == equal


@pytest.mark.parametrize(("first", "second"), [(("ab", "c"), ("a", "bc")), (("1:a",), ("", "a"))])
def test_digest_keeps_parts_apart(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert digest(*first) != digest(*second)


@pytest.mark.parametrize("size", [1, 4, 8, 16, 64])
def test_digest_has_the_size_that_was_asked_for(size: int) -> None:
    assert len(digest("a", size=size)) == size


def test_digest_takes_names_that_are_not_utf8() -> None:
    assert digest("\udcff.jpg") != digest("\udcfe.jpg")


@given(bound=st.integers(1, 2**64 - 1), key=st.integers())
def test_integer_stays_below_its_bound(bound: int, key: int) -> None:
    stream = Stream(key)
    assert all(0 <= stream.integer(bound) < bound for _ in range(5))


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 49, 2**64 - 1])
def test_integer_reaches_both_of_its_ends(bound: int) -> None:
    assert Scripted(2**64 - 1).integer(bound) == bound - 1
    assert Scripted(max(1, 2**63 // bound)).integer(bound) == 0


@pytest.mark.parametrize("bound", [3, 5, 6, 7, 10])
def test_integer_is_exactly_uniform_over_small_words(
    bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With words of 6 bits every word can be tried: each number comes equally often."""
    monkeypatch.setattr("augcli.rng._WORD", 64)
    found: Counter[int] = Counter()
    for word in range(64):
        stream = Scripted(word)
        try:
            found[stream.integer(bound)] += 1
        except IndexError:
            continue
    assert found == dict.fromkeys(range(bound), 64 // bound)


@pytest.mark.parametrize("bound", [2, 7, 49])
def test_integer_takes_every_value_equally_often(bound: int) -> None:
    stream, count = Stream("uniform", bound), 400 * bound
    found = Counter(stream.integer(bound) for _ in range(count))
    squares = sum((found[one] - 400) ** 2 for one in range(bound)) / 400
    # Chi-squared with bound - 1 degrees: mean bound - 1, and five deviations above.
    assert squares < bound - 1 + 5 * (2 * (bound - 1)) ** 0.5


@given(key=st.integers())
def test_uniform_is_a_multiple_of_its_step_below_one(key: int) -> None:
    found = Stream(key).uniform()
    assert 0 <= found < 1
    assert (Fraction(found) * 2**53).denominator == 1


def test_uniform_covers_its_range_evenly() -> None:
    stream = Stream("uniform")
    found = Counter(int(stream.uniform() * 10) for _ in range(4000))
    assert sorted(found) == list(range(10))
    assert all(abs(count - 400) < 5 * (4000 * 0.1 * 0.9) ** 0.5 for count in found.values())


@pytest.mark.parametrize(("word", "expected"), [(0, 0.0), (2**64 - 1, 1 - 2**-53), (2**63, 0.5)])
def test_uniform_of_the_outermost_words(word: int, expected: float) -> None:
    assert Scripted(word).uniform() == expected
