"""The errors: exit codes for pipelines, sentences for people."""

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
    for kind in base.__subclasses__():
        yield from tree(kind)


def test_each_class_has_its_exit_code() -> None:
    classes = [kind for kind in tree(AugcliError) if kind.__module__ == errors.__name__]
    codes = {kind.__name__: kind.exit_code for kind in classes if kind is not Interrupted}
    assert codes == EXIT_CODES


def test_no_exit_code_has_two_meanings() -> None:
    of_signals = {Interrupted(number).exit_code for number in (signal.SIGINT, signal.SIGTERM)}
    codes = [errors.EXIT_OK, errors.EXIT_SOME_FAILED, errors.EXIT_BUG, *of_signals]
    assert len({*codes, *EXIT_CODES.values()}) == len(codes) + len(set(EXIT_CODES.values()))


def test_an_interruption_ends_with_the_code_of_its_signal() -> None:
    codes = [Interrupted(number).exit_code for number in (signal.SIGINT, signal.SIGTERM)]
    assert codes == [130, 143]


def test_an_interruption_says_how_much_was_made() -> None:
    known = Interrupted(signal.SIGINT, made=373, total=1509)
    assert str(known) == "interrupted: 373 of 1,509 made; run the same command to continue"
    assert str(Interrupted(signal.SIGINT)) == "interrupted; run the same command to continue"


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
        Interrupted(signal.SIGINT, made=373, total=1509),
        UnreadableImage("is cut short"),
    ]
    covered = {type(error) for error in special}
    classes = [kind for kind in tree(AugcliError) if kind.__module__ == errors.__name__]
    return special + [kind("what and why") for kind in classes if kind not in covered]


@pytest.mark.parametrize("error", examples(), ids=lambda error: type(error).__name__)
def test_an_error_comes_out_of_another_process_as_it_was(error: Exception) -> None:
    """Pools pickle what their workers raise, and break if that can't be read back."""
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(copied) is type(error)
        assert str(copied) == str(error)
        assert vars(copied) == vars(error)


def test_a_parameter_error_names_its_flag() -> None:
    error = ParameterError("top_n", "is 0, but must be at least 1")
    assert (error.flag, str(error)) == ("--top-n", "top_n is 0, but must be at least 1")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("topn", "; did you mean 'top_n'?"),
        ("top-n", "; did you mean 'top_n'?"),
        ("gird", "; did you mean 'grid'?"),
        ("grid", "; did you mean 'grid'?"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_near_miss_names_the_nearest_known_word(word: str, hint: str) -> None:
    assert near_miss(word, ["grid", "top_n", "patch"]) == hint


def test_near_miss_says_nothing_when_nothing_is_known() -> None:
    assert near_miss("grid", []) == ""
