"""The errors: what a pipeline learns from an exit code, and a person from a sentence."""

from __future__ import annotations

import copy
import pickle
import signal
from typing import TYPE_CHECKING

import pytest

from augcli import errors
from augcli.errors import AugcliError, Interrupted, ParameterError, UnreadableImage, near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_CODES = {
    "AugcliError": 2,
    "UsageError": 2,
    "ParameterError": 2,
    "InputError": 2,
    "OutputError": 2,
    "RecipeError": 2,
    "ScorerError": 2,
    "HeatMapsError": 2,
    "Stopped": 3,
}
"""Every class but Interrupted, whose code is the signal's."""


def tree(base: type[AugcliError]) -> Iterator[type[AugcliError]]:
    """Yield a class and all classes below it."""
    yield base
    for one in base.__subclasses__():
        yield from tree(one)


def test_each_class_has_its_exit_code() -> None:
    classes = [one for one in tree(AugcliError) if one.__module__ == errors.__name__]
    found = {one.__name__: one.exit_code for one in classes if one is not Interrupted}
    assert found == EXIT_CODES


def test_no_exit_code_has_two_meanings() -> None:
    of_signals = {Interrupted(number).exit_code for number in (signal.SIGINT, signal.SIGTERM)}
    codes = [errors.EXIT_OK, errors.EXIT_SOME_FAILED, errors.EXIT_BUG, *of_signals]
    assert len({*codes, *EXIT_CODES.values()}) == len(codes) + len(set(EXIT_CODES.values()))


def test_an_interruption_ends_with_the_code_of_its_signal() -> None:
    found = [Interrupted(number).exit_code for number in (signal.SIGINT, signal.SIGTERM)]
    assert found == [130, 143]


def test_every_class_is_drawn_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    names = [*EXIT_CODES, "Interrupted", "UnreadableImage"]
    assert [name for name in names if name not in drawn] == []


def test_an_unreadable_image_never_ends_a_run() -> None:
    assert not issubclass(UnreadableImage, AugcliError)


def examples() -> list[Exception]:
    """Return one error of each class."""
    special: list[Exception] = [
        ParameterError("top_n", "is 0, but must be at least 1"),
        Interrupted(signal.SIGTERM),
        UnreadableImage("is cut short"),
    ]
    made = {type(one) for one in special}
    classes = [one for one in tree(AugcliError) if one.__module__ == errors.__name__]
    return special + [one("what and why") for one in classes if one not in made]


@pytest.mark.parametrize("error", examples(), ids=lambda error: type(error).__name__)
def test_an_error_comes_out_of_another_process_as_it_was(error: Exception) -> None:
    """Pools pickle what their workers raise; one that can't be read back breaks them."""
    for found in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(found) is type(error)
        assert str(found) == str(error)
        assert vars(found) == vars(error)


def test_a_parameter_error_names_its_flag() -> None:
    error = ParameterError("top_n", "is 0, but must be at least 1")
    assert (error.flag, str(error)) == ("--top-n", "top_n is 0, but must be at least 1")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("topn", "; did you mean 'top_n'?"),
        ("top-n", "; did you mean 'top_n'?"),
        ("gird", "; did you mean 'grid'?"),
        ("grid", "; did you mean 'grid'?"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_near_miss_names_the_nearest_known_word(word: str, told: str) -> None:
    assert near_miss(word, ["grid", "top_n", "patch"]) == told


def test_near_miss_says_nothing_when_nothing_is_known() -> None:
    assert near_miss("grid", []) == ""
