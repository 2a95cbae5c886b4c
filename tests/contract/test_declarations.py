"""What every augmentation declares: command line, recipe, Python and docs say the same."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augcli.augmentations import METHODS
from augcli.cli.options import CommandOptions
from augcli.errors import ParameterError
from augcli.params import build, declared, values
from augcli.recipes.options import RunOptions
from tests.contract.cases import COMMANDS, EVERY_METHOD, options

if TYPE_CHECKING:
    from tests.contract.cases import Method

every_method = pytest.mark.parametrize("cls", EVERY_METHOD, ids=lambda cls: cls.name)
every_command = pytest.mark.parametrize("cls", COMMANDS, ids=lambda cls: cls.name)

few = settings(max_examples=8)

PUBLISHED = re.compile(r"arXiv \d{4}\.\d{4,5}|JMLR \d+, \d+-\d+")
"""How a paper is cited."""


def fields_of(cls: Method) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a method, which is a dataclass though its base can't say so."""
    return dataclasses.fields(cls)  # type: ignore[arg-type]


def test_names_are_unique_and_safe_on_a_command_line_and_in_a_file_name() -> None:
    names = [cls.name for cls in EVERY_METHOD]
    assert list(METHODS) == names
    assert len(set(names)) == len(names)
    assert [one for one in names if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", one)] == []
    # The manifest's word for a source that is copied to the output.
    assert "original" not in names


@every_method
def test_every_field_is_declared_with_help_and_an_allowed_type(cls: Method) -> None:
    fields = declared(cls)
    assert [field.name for field in fields] == [field.name for field in fields_of(cls)]
    for field in fields:
        plain = field.kind in (int, float, bool, str, Path) or field.choices
        assert plain or field.param.parse, f"{field.name} is a {field.kind}"
        assert re.fullmatch(r"\S.*\.", field.param.help), field.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name)


@every_method
def test_options_are_given_by_name_and_never_change(cls: Method) -> None:
    assert all(field.kw_only for field in fields_of(cls))
    for field in declared(cls):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(cls(), field.name, field.default)


@every_command
def test_no_option_takes_the_name_of_one_that_all_commands_share(cls: Method) -> None:
    own = {field.name for field in declared(cls)}
    shared = {field.name for one in (RunOptions, CommandOptions) for field in declared(one)}
    assert own & (shared | {"input_folder", "help", "version"}) == set()


@every_method
def test_the_defaults_build(cls: Method) -> None:
    assert build(cls, {}) == cls()


@every_method
@few
@given(data=st.data())
def test_a_table_builds_what_the_constructor_builds(cls: Method, data: st.DataObject) -> None:
    """A table as in a recipe, or as recorded in run.json."""
    method = data.draw(options(cls))
    table = json.loads(json.dumps(values(method), allow_nan=False))
    assert build(cls, table) == method


@every_method
def test_a_default_can_be_typed_as_help_shows_it(cls: Method) -> None:
    for field in declared(cls):
        if field.default is not None:
            made = build(cls, {field.name: field.value_of_text(str(field.default))})
            assert made == cls(), field.name


@every_method
def test_an_unknown_key_is_an_error_with_a_suggestion(cls: Method) -> None:
    name = max((field.name for field in declared(cls)), key=len)
    with pytest.raises(ParameterError, match=f"did you mean '{name}'"):
        build(cls, {name + "s": 1})


@every_method
def test_a_class_says_in_one_short_line_what_it_does(cls: Method) -> None:
    """The line is the command's help; the example shows numbers."""
    first = (cls.__doc__ or "").partition("\n")[0]
    assert 0 < len(first) <= 80
    assert first.endswith(".") or "," in first or ":" in first
    assert "Example:" in (cls.__doc__ or "")


@every_command
def test_a_module_names_its_paper_and_how_it_differs(cls: Method) -> None:
    text = " ".join((sys.modules[cls.__module__].__doc__ or "").split())
    named = PUBLISHED.findall(cls.paper)
    assert named != []
    assert [one for one in named if one not in text] == []
    assert re.search(r" Differs from .* in", text)


@every_method
def test_a_method_takes_one_or_two_images_and_has_a_version(cls: Method) -> None:
    assert cls.sources in (1, 2)
    assert cls.version >= 1


@every_method
@few
@given(data=st.data())
def test_only_a_method_that_can_score_asks_for_heat_maps(cls: Method, data: st.DataObject) -> None:
    """A command that can't score has no ``--model``; one that scores needs a grid."""
    method = data.draw(options(cls))
    assert method.scores is None or cls.can_score
    assert method.scores in (
        (None, "base") if cls.sources == 1 else (None, "donor", "both", "base")
    )
    assert method.map_grid >= 1
