"""Where a wrong value stands is what the error names: a flag, the environment or a file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augcli.augmentations import REGISTRY
from augcli.augmentations.cutmix import CutMix
from augcli.cli.generated import heat_map_options, options_of, prepare_options
from augcli.cli.suggestions import suggestion
from augcli.files import Place
from augcli.params import declared
from augcli.recipes.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.params import Declared
    from tests.conftest import Cli

WRONG = "?"
"""No number, no switch, no choice, no size."""


def every_option() -> Iterator[tuple[list[str], str, Declared]]:
    """Yield each declared option once, with a command that has it and the command's table."""
    shared = {field.name for field in declared(RunOptions)}
    for method in REGISTRY:
        for field in options_of(method)[method]:
            yield [method.name], method.name, field
    tables = {
        "cutmix": (["cutmix"], options_of(CutMix)),
        "run": (["run", "recipe.toml"], options_of(None)),
        "heatmaps": (["heatmaps"], heat_map_options()),
        "scorer": (["scorer", "prepare", "a.onnx"], prepare_options()),
    }
    for table, (words, options) in tables.items():
        for fields in options.values():
            for field in fields:
                if table != "cutmix" or field.name in shared:
                    yield words, table, field


every = pytest.mark.parametrize(
    ("words", "table", "field"),
    [
        pytest.param(*case, id=f"{' '.join(case[0][:2])} {case[2].name}")
        for case in every_option()
        if case[2].name != "config"
    ],
)


@every
def test_the_environment_is_named_when_its_value_is_wrong(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: list[str], table: str, field: Declared
) -> None:
    if field.kind in (str, Path, Place) and not field.param.parse:
        pytest.skip("any text is a value")
    variable = f"AUGCLI_{field.name.upper()}"
    monkeypatch.setenv(variable, WRONG)
    end = cli(*words)
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith(f"augcli: {variable} (environment): is "), end.err
    assert WRONG in end.err
    assert "--" not in end.err


@every
def test_the_file_is_named_when_its_value_is_wrong(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
    table: str,
    field: Declared,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUGCLI_WORKERS")
    Path("recipe.toml").write_text('[[step]]\nuse = "flip"')
    Path("own.toml").write_text(f"[{table}]\n{field.name} = [{{}}]")
    Path("shared.toml").write_text(f"{field.name} = [{{}}]")
    own, shared = (cli(*words, "--config", name) for name in ("own.toml", "shared.toml"))
    assert (own.code, own.out, shared.code, shared.out) == (2, "", 2, "")
    assert own.err.startswith(f"augcli: {field.name} in own.toml ([{table}]): is "), own.err
    assert shared.err.startswith(f"augcli: {field.name} in shared.toml: is "), shared.err
    assert "--" not in own.err + shared.err


def test_the_flag_is_named_when_it_overrides_a_variable(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGCLI_TOP_N", "6")
    assert cli("cutmix", "--top-n", "x").err.startswith("augcli: --top-n is 'x', but ")


def test_an_error_of_the_run_names_where_the_option_stands(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, photos: Path, tmp_path: Path
) -> None:
    """Options that only a run can judge: files, folders, and what the images allow."""
    absent, file = tmp_path / "absent.onnx", tmp_path / "augcli.toml"
    file.write_text(f'pair = "different"\n[cutmix]\nmodel = "{absent}"')
    from_file = cli("cutmix", photos, "--config", file).err
    monkeypatch.setenv("AUGCLI_MODEL", str(absent))
    from_variable = cli("cutmix", photos).err
    monkeypatch.setenv("AUGCLI_OUT", str(photos))
    own_input = cli("cutout", photos).err
    monkeypatch.setenv("AUGCLI_CONFIG", str(tmp_path / "absent.toml"))
    config = cli("cutout", photos).err
    assert f"augcli: model in {file} ([cutmix]) {absent}: can't be read" in from_file
    assert f"augcli: AUGCLI_MODEL (environment) {absent}: can't be read" in from_variable
    assert own_input.endswith("give another folder with AUGCLI_OUT (environment)\n")
    assert config.startswith(f"augcli: AUGCLI_CONFIG (environment) {tmp_path}/absent.toml: can't")


def test_a_recipe_is_named_when_its_option_does_not_fit_the_images(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mix.toml"
    recipe.write_text('[run]\npair = "different"\n[[step]]\nuse = "mixup"')
    for name in ("dog", "emu"):
        shutil.rmtree(photos / name)
    end = cli("run", recipe, photos)
    assert end.err == (
        f"augcli: pair in {recipe} ([run]) different needs images of two classes, but all are "
        "of 'cat'; use pair any\n"
    )
    # The same option on the command line is a flag again.
    assert "augcli: --pair different" in cli("run", recipe, photos, "--pair", "different").err


@pytest.mark.parametrize("word", ["on", "ON", " yes ", "t"])
def test_a_switch_of_the_environment_takes_the_usual_words(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, photos: Path, word: str
) -> None:
    monkeypatch.setenv("AUGCLI_DRY_RUN", word)
    assert cli("cutout", photos).out.endswith("nothing was written\n")
    monkeypatch.setenv("AUGCLI_DRY_RUN", "")
    assert cli("cutout", photos, "--quiet").out.endswith("metadata.csv\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("cutmx", "'cutmx' is not a command of augcli; did you mean 'cutmix'?"),
        (
            "photos",
            "'photos' is not a command of augcli; "
            "the command comes first, such as augcli cutmix photos",
        ),
        ("scorer prepar", "'prepar' is not a command of scorer; did you mean 'prepare'?"),
        ("zebra", "'zebra' is not a command of augcli; see augcli --help"),
        ("cutmix --topn 6", "--topn is not an option of cutmix; did you mean --top-n?"),
        ("cutmix --topn=6", "--topn is not an option of cutmix; did you mean --top-n?"),
        ("cutmix --top_n 6", "--top_n is not an option of cutmix; did you mean --top-n?"),
        ("cutmix -top-n 6", "-top-n is not an option of cutmix; did you mean --top-n?"),
        ("cutmix --holes 6", "--holes is not an option of cutmix; that is an option of cutout"),
        (
            "cutout --top-n 6",
            "--top-n is not an option of cutout; that is an option of cutmix and heatmaps",
        ),
        (
            "cutout --topn 6",
            "--topn is not an option of cutout; did you mean --top-n? "
            "That is an option of cutmix and heatmaps",
        ),
        ("cutmix --zebra", "--zebra is not an option of cutmix; see augcli cutmix --help"),
        ("--json cutmix", "--json is not an option of augcli; write it after the command"),
        ("verify --agains x", "--agains is not an option of verify; did you mean --against?"),
        ("status", "status needs OUT; see augcli status --help"),
        ("run", "run needs RECIPE; see augcli run --help"),
        ("cutmix a b", "cutmix does not take another argument: b; see augcli cutmix --help"),
        (
            "cutmix --top-n",
            "option '--top-n' requires an argument; see augcli cutmix --help",
        ),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, photos: Path, words: str, message: str
) -> None:
    monkeypatch.chdir(photos.parent)
    end = cli(*words.split())
    assert (end.code, end.err) == (2, f"augcli: {message}\n")
    # Only where JSON is wanted, the sentence is on standard output too.
    assert (message in end.out) == ("--json" in words)


def test_a_file_with_an_option_of_another_command_says_whose_it_is(
    cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / "augcli.toml"
    path.write_text("[cutmix]\nholes = 2")
    assert cli("cutmix", "--config", path).err == (
        f"augcli: --config {path}: [cutmix] holes is not known; that is an option of cutout\n"
    )


def test_many_owners_are_not_all_named() -> None:
    commands = {name: ["seed"] for name in "abcd"} | {"e": []}
    assert suggestion("seed", "e", commands) == "; that is an option of a, b and others"
