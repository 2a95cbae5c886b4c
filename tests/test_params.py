"""The declaration of parameters: a wrong value gives the same message everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.errors import ParameterError
from augcli.params import Declared, Param, build, check, declared, values


def parse_even(found: Any) -> int:
    """Return an even number."""
    number = int(found)
    if number % 2:
        raise ValueError(f"is {found!r}, but must be even")
    return number


@dataclass(frozen=True, kw_only=True)
class Everything:
    """One parameter of each type."""

    count: Annotated[int, Param("A count.", 1, 10, "px")] = 3
    share: Annotated[float, Param("A share.", 0, 1)] = 0.5
    switch: Annotated[bool, Param("A switch.")] = False
    word: Annotated[str, Param("A word.")] = "a"
    file_name: Annotated[Path | None, Param("A file.", short="-f")] = None
    pair: Annotated[Literal["any", "same"], Param("A choice.")] = "any"
    limit: Annotated[int | None, Param("A limit.", minimum=1)] = None
    ceiling: Annotated[float, Param("A ceiling.", maximum=9)] = 1.0
    even: Annotated[int | str, Param("Even.", parse=parse_even, metavar="EVEN")] = 2
    not_declared: int = 0

    def __post_init__(self) -> None:
        check(self)


def field_named(name: str) -> Declared:
    """Return one of the parameters above."""
    return next(field for field in declared(Everything) if field.name == name)


def test_declared_lists_annotated_fields_in_order() -> None:
    names = "count share switch word file_name pair limit ceiling even"
    assert [field.name for field in declared(Everything)] == names.split(" ")


@pytest.mark.parametrize(
    ("name", "kind", "optional", "default"),
    [
        ("count", int, False, 3),
        ("share", float, False, 0.5),
        ("switch", bool, False, False),
        ("word", str, False, "a"),
        ("file_name", Path, True, None),
        ("pair", Literal["any", "same"], False, "any"),
        ("limit", int, True, None),
    ],
)
def test_declared_knows_type_and_default(
    name: str, kind: object, optional: bool, default: object
) -> None:
    field = field_named(name)
    assert (field.kind, field.optional, field.default) == (kind, optional, default)


def test_flag_and_choices_are_words_of_the_command_line() -> None:
    assert field_named("file_name").flag == "--file-name"
    assert field_named("pair").choices == ("any", "same")
    assert field_named("count").choices == ()


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("count", "1 to 10 px"),
        ("share", "0 to 1"),
        ("limit", "at least 1"),
        ("ceiling", "at most 9"),
        ("word", ""),
    ],
)
def test_bounds_are_given_in_words(name: str, bounds: str) -> None:
    assert field_named(name).param.bounds == bounds


@pytest.mark.parametrize(
    ("name", "found", "message"),
    [
        ("count", 0, "count is 0, but must be 1 to 10 px"),
        ("count", 11, "count is 11, but must be 1 to 10 px"),
        ("count", 2.0, "count is 2.0, but must be a whole number"),
        ("count", True, "count is True, but must be a whole number"),
        ("count", "3", "count is '3', but must be a whole number"),
        ("count", None, "count is None, but must be a whole number"),
        ("share", float("nan"), "share is nan, but must be 0 to 1"),
        ("share", float("inf"), "share is inf, but must be 0 to 1"),
        ("share", -0.1, "share is -0.1, but must be 0 to 1"),
        ("share", True, "share is True, but must be a number"),
        ("share", "0.5", "share is '0.5', but must be a number"),
        ("switch", 1, "switch is 1, but must be true or false"),
        ("word", 1, "word is 1, but must be text"),
        ("file_name", 1, "file_name is 1, but must be text"),
        ("pair", "sane", "pair is 'sane', but must be one of any, same; did you mean 'same'?"),
        ("pair", 3, "pair is 3, but must be one of any, same"),
        ("limit", 0, "limit is 0, but must be at least 1"),
        ("ceiling", 9.5, "ceiling is 9.5, but must be at most 9"),
        ("even", 3, "even is 3, but must be even"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    name: str, found: object, message: str
) -> None:
    with pytest.raises(ParameterError) as from_python:
        Everything(**{name: found})  # type: ignore[arg-type]
    with pytest.raises(ParameterError) as from_a_table:
        build(Everything, {name: found})
    assert [str(from_python.value), str(from_a_table.value)] == [message, message]
    assert from_python.value.name == name


@given(count=st.integers(-5, 20))
def test_bounds_are_inclusive(count: int) -> None:
    try:
        accepted = Everything(count=count).count == count
    except ParameterError:
        accepted = False
    assert accepted == (1 <= count <= 10)


def test_values_become_what_their_type_says() -> None:
    made = Everything(share=1, file_name="a/b", even="4")  # type: ignore[arg-type]
    assert (made.share, type(made.share)) == (1.0, float)
    assert made.file_name == Path("a/b")
    assert made.even == 4


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "7", 7),
        ("share", "0.25", 0.25),
        ("share", "1", 1.0),
        ("switch", "yes", True),
        ("switch", "TRUE", True),
        ("switch", "0", False),
        ("switch", "no", False),
        ("word", "7", "7"),
        ("file_name", "a b.csv", Path("a b.csv")),
        ("pair", "same", "same"),
        ("limit", "4", 4),
        ("even", "4", 4),
    ],
)
def test_text_of_a_command_line_becomes_a_value(name: str, text: str, value: object) -> None:
    assert field_named(name).value_of_text(text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("count", "many", "count is 'many', but must be a whole number"),
        ("count", "2.5", "count is '2.5', but must be a whole number"),
        ("count", "0", "count is 0, but must be 1 to 10 px"),
        ("share", "half", "share is 'half', but must be a number"),
        ("share", "nan", "share is nan, but must be 0 to 1"),
        ("switch", "maybe", "switch is 'maybe', but must be true or false"),
        ("pair", "", "pair is '', but must be one of any, same"),
    ],
)
def test_wrong_text_gives_the_same_message(name: str, text: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        field_named(name).value_of_text(text)
    assert str(caught.value) == message


def test_build_makes_what_the_constructor_makes() -> None:
    table = {"count": 4, "pair": "same", "even": "6"}
    assert build(Everything, table) == Everything(count=4, pair="same", even="6")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuont", "cuont is not known in [step]; did you mean 'count'?"),
        ("zebra", "zebra is not known in [step]"),
        ("not_declared", "not_declared is not known in [step]"),
    ],
)
def test_build_refuses_an_unknown_name_with_the_nearest_known(name: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        build(Everything, {name: 1}, "[step]")
    assert str(caught.value) == message


def test_values_make_an_equal_instance_again() -> None:
    made = Everything(count=9, file_name=Path("x/y"), limit=2, switch=True)
    found = values(made)
    assert found["file_name"] == str(Path("x/y"))
    assert build(Everything, found) == made
