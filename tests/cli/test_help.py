"""``--help``: groups, whole words at 80 columns, and examples that run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, get_args

import pytest
import typer.main

from augcli.augmentations import REGISTRY
from augcli.cli.app import application
from augcli.cli.examples import EXAMPLES, OF_ANY_METHOD, examples
from augcli.cli.generated import heat_map_options, options_of, prepare_options
from augcli.params import Declared, Group, declared
from augcli.recipes.options import RunOptions
from tests import models
from tests.photos import class_folders
from tests.toy_classifiers import save_classifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Cli


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the words of each command and what Typer made of it."""
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, words)
        else:
            yield words, command


COMMANDS = dict(commands(typer.main.get_command(application())))
every_command = pytest.mark.parametrize("words", COMMANDS)


@pytest.fixture
def help_of(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns the help of a command in a terminal of some width."""

    def text(words: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERMINAL_WIDTH", str(columns))
        return cli(*words.split(), "--help").out

    return text


@every_command
def test_no_line_breaks_inside_a_word(help_of: Any, words: str) -> None:
    texts = [parameter.help or "" for parameter in COMMANDS[words].params]
    choices = [parameter.metavar or "" for parameter in COMMANDS[words].params]
    for columns in (60, 80):
        lines = help_of(words, columns).splitlines()
        shown = " ".join(lines).split()
        for text in (*texts, *choices, COMMANDS[words].help):
            assert [word for word in text.split() if word not in shown] == []
        # A remark such as [default: same] stays on one line.
        assert [line for line in lines if re.search(r"\[(at|\d+)$", line)] == []
    assert max(map(len, lines)) <= 80


def groups_in(text: str) -> dict[str, list[str]]:
    """Return the options under each heading of a help text."""
    groups: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][a-z]+:", line):
            heading = line[:-1].lower()
        option = re.match(r"  (?:-\w, )?--(?:\[no-\])?([\w-]+)", line)
        if option:
            groups.setdefault(heading, []).append(option[1].replace("-", "_"))
    return groups


def declared_by_command() -> Iterator[tuple[str, list[Declared]]]:
    sets = {method.name: options_of(method) for method in REGISTRY}
    sets |= {"run": options_of(None), "heatmaps": heat_map_options()}
    sets |= {"scorer prepare": prepare_options()}
    for words, options in sets.items():
        yield words, [field for fields in options.values() for field in fields]


@pytest.mark.parametrize(
    ("words", "fields"),
    [pytest.param(words, fields, id=words) for words, fields in declared_by_command()],
)
def test_options_stand_in_the_group_that_declares_them(
    help_of: Any, words: str, fields: list[Declared]
) -> None:
    expected: dict[str, list[str]] = {}
    for group in get_args(Group):
        names = [field.name for field in fields if field.param.group == group]
        if names:
            expected[group] = names
    expected["run"].append("help")
    groups = groups_in(help_of(words))
    assert groups == expected
    assert list(groups) == [group for group in get_args(Group) if group in expected]


def test_options_of_a_run_are_in_a_group_of_their_own() -> None:
    """Only what belongs to a method is under "Method", which is the default."""
    names = {field.name for field in declared(RunOptions) if field.param.group == "method"}
    assert names == {"pair", "seed"}


@every_command
def test_help_ends_with_two_examples(help_of: Any, words: str) -> None:
    heading, *lines = help_of(words).splitlines()[-3:]
    assert (heading, len(lines)) == ("Examples:", 2)
    assert [line for line in lines if not line.startswith(f"  augcli {words}")] == []


def test_examples_are_for_commands_that_exist() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    assert examples("a-new-method").count("\n  augcli a-new-method images") == len(OF_ANY_METHOD)


@every_command
def test_examples_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "images", {"cat": 3, "dog": 2})
    (tmp_path / "recipe.toml").write_text('[[step]]\nuse = "mixup"')
    (tmp_path / "attentive.toml").write_text('[[step]]\nuse = "cutmix"')
    models.save_scorer(tmp_path / "scorer.onnx")
    save_classifier(tmp_path / "classifier.onnx")
    assert cli("cutmix", "images").code == 0
    if words == "report":
        assert cli("mixup", "images").code == 0
    if words == "recipe init":
        (tmp_path / "attentive.toml").unlink()
        (tmp_path / "recipe.toml").unlink()
    if words == "scorer prepare":
        # No file that augcli did not make is replaced.
        (tmp_path / "scorer.onnx").unlink()
    if words == "finish":
        shared = ("cutout", "images", "--patch", "16", "--out", "shared")
        assert cli(*shared, "--shard", "0/1").code == 0
    for line in examples(words).splitlines()[1:]:
        monkeypatch.setenv("AUGCLI_OVERWRITE", "1")
        arguments = shlex.split(line.partition(">")[0])[1:]
        end = cli(*arguments)
        assert end.code == 0, (line, end.err)


def test_the_help_of_all_commands_ends_with_examples(cli: Cli) -> None:
    text = cli("--help").out
    assert "  augcli cutmix images --top-n 6\n" in text
    assert "Commands:\n  cutout " in text


@pytest.mark.parametrize("words", ["recipe", "scorer"])
def test_a_group_that_is_called_alone_shows_its_help(cli: Cli, words: str) -> None:
    assert cli(*words.split()) == cli(*words.split(), "--help")


@every_command
def test_help_as_markdown_and_as_a_man_page_says_the_same(cli: Cli, words: str) -> None:
    page, written = (
        cli(*words.split(), "--help").out,
        [parameter.opts for parameter in COMMANDS[words].params],
    )
    flags = [flag for names in written for flag in names if flag.startswith("--")]
    markdown = cli(*words.split(), "--help", "--format", "markdown")
    man = cli(*words.split(), "--format=man", "--help")
    assert (markdown.code, markdown.err, man.code, man.err) == (0, "", 0, "")
    assert markdown.out.startswith(f"# augcli {words}\n\n`augcli {words}")
    title = f"augcli {words}".upper().replace(" ", "-").replace("-", "\\-")
    assert man.out.startswith(f".TH {title} 1 ")
    for flag in flags:
        shown = flag in page or flag.replace("--", "--[no-]") in page
        assert shown, flag
        word = flag[2:] if flag in page else f"[no-]{flag[2:]}"
        assert f"--{word}" in markdown.out
        assert f"--{word}".replace("-", "\\-") in man.out
    for example in examples(words).splitlines()[1:]:
        assert f"{example}\n" in markdown.out
    # Each row of a table has two cells, whatever its texts hold.
    rows = [line for line in markdown.out.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


def test_no_line_of_a_man_page_is_taken_for_a_command(cli: Cli) -> None:
    known = r"\.(TH|SH|TP|B|PP|nf|fi)\b"
    for words in COMMANDS:
        lines = cli(*words.split(), "--help", "--format", "man").out.splitlines()
        assert [
            line for line in lines if re.match(r"[.']", line) and not re.match(known, line)
        ] == []


def completed(cli: Cli, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """Return what a shell is offered at the end of a line."""
    words = line.split(" ")
    monkeypatch.setenv("_AUGCLI_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    return cli().out.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("augcli cut", ["cutout", "cutmix"]),
        ("augcli cutmix images --region ", ["attentive", "box", "peak", "cells"]),
        ("augcli cutmix images --region p", ["peak"]),
        ("augcli cutmix images --format j", ["jpg"]),
        ("augcli cutmix images --per-class m", ["max", "median"]),
        ("augcli cutmix images --label-m", ["--label-mode"]),
        ("augcli preview images cut", ["cutout", "cutmix"]),
        ("augcli preview images cutmix --label-m", ["--label-mode"]),
        ("augcli recipe init f", ["family"]),
        ("augcli sheet images-cutmix --graphics k", ["kitty"]),
        # Nothing: then a shell offers paths.
        ("augcli cutmix im", []),
        ("augcli cutmix images --labels ", []),
        ("augcli verify images-", []),
    ],
)
def test_completion_offers_values_and_leaves_paths_to_the_shell(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, line: str, expected: list[str]
) -> None:
    assert completed(cli, monkeypatch, line) == expected
