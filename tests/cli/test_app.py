"""The command line: sources of options, output streams, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from augcli.augmentations import REGISTRY
from tests.photos import rows, times

if TYPE_CHECKING:
    from tests.conftest import Cli

COMMANDS = [[], *([augmentation.name] for augmentation in REGISTRY), ["run"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_fits_80_columns_when_help_is_shown(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    helps = {flag: cli(*command, flag) for flag in ("--help", "-h")}
    lines = helps["--help"].out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0].startswith(" ".join(["Usage: augcli", *command]))
    assert helps["-h"] == helps["--help"]
    assert (helps["-h"].code, helps["-h"].err) == (0, "")


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_shows_the_version_when_asked(cli: Cli, flag: str) -> None:
    assert cli(flag) == (0, f"augcli {augcli.__version__}\n", "")


def test_called_alone_it_names_five_commands_to_start_with(cli: Cli) -> None:
    end = cli()
    assert (end.code, end.err) == (0, "")
    commands = [line.split()[1] for line in end.out.splitlines() if line.startswith("  augcli ")]
    assert len(commands) == 5
    listed = cli("--help").out.partition("Commands:")[2]
    assert [name for name in commands if f"\n  {name} " not in listed] == []
    assert max(map(len, end.out.splitlines())) <= 80


def test_lists_the_commands(cli: Cli) -> None:
    end = cli("--help")
    assert end.code == 0
    description, _, commands = (end.out + end.err).partition("Commands:")
    assert "Make augmented image data sets" in description
    # No first sentence is cut short.
    assert "..." not in commands


def seed_of(out: Path) -> Any:
    return json.loads((out / "run.json").read_text())["identity"]["seed"]


@pytest.mark.parametrize(
    ("flag", "variable", "file", "expected"),
    [
        (None, None, None, 0),
        (None, None, "seed = 3", 3),
        (None, None, "seed = 3\n[cutout]\nseed = 4\n[cutmix]\nseed = 5", 4),
        (None, "2", "seed = 3", 2),
        ("1", "2", "seed = 3", 1),
        ("1", None, "[cutout]\nseed = 4", 1),
    ],
)
def test_takes_flag_then_environment_then_file_when_an_option_is_given_often(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    photos: Path,
    tmp_path: Path,
    flag: str | None,
    variable: str | None,
    file: str | None,
    expected: int,
) -> None:
    arguments: list[object] = ["cutout", photos, "--out", tmp_path / "out"]
    if variable:
        monkeypatch.setenv("AUGCLI_SEED", variable)
    if file:
        (tmp_path / "augcli.toml").write_text(file)
        arguments += ["--config", tmp_path / "augcli.toml"]
    if flag:
        arguments += ["--seed", flag]
    assert cli(*arguments).code == 0
    assert seed_of(tmp_path / "out") == expected


def test_turns_a_switch_off_when_the_flag_says_no(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, photos: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUGCLI_INSIDE", "1")
    outs = [tmp_path / "yes", tmp_path / "no"]
    codes = [
        cli("cutout", photos, "--out", out, "--patch", 20, *more).code
        for out, more in zip(outs, ([], ["--no-inside"]), strict=True)
    ]
    whole = [
        all(
            (x1 - x0, y1 - y0) == (20, 20)
            for row in rows(out)
            for x0, y0, x1, y1 in json.loads(row["draw"])["boxes"]
        )
        for out in outs
    ]
    assert (codes, whole) == ([0, 0], [True, False])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("topn = 3", "topn is not known; did you mean 'top_n'?"),
        ("[cutmix]\nsede = 3", "[cutmix] sede is not known; did you mean 'seed'?"),
        ("[cutmx]\nseed = 3", "[cutmx] is not a command; did you mean 'cutmix'?"),
        ("[cutmix]\nholes = 2", "[cutmix] holes is not known"),
        ("seed = ", "is not TOML: "),
    ],
)
def test_is_refused_when_the_config_file_is_wrong(
    cli: Cli, photos: Path, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "augcli.toml"
    path.write_text(text)
    end = cli("cutmix", photos, "--out", tmp_path / "out", "--config", path)
    assert (end.code, end.out, (tmp_path / "out").exists()) == (2, "", False)
    assert end.err.startswith(f"augcli: --config {path}: {words}")
    assert len(end.err.splitlines()) == 1


def test_names_the_option_when_the_config_file_has_a_wrong_value(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    path = tmp_path / "augcli.toml"
    path.write_text('copies = "two"')
    end = cli("cutmix", photos, "--config", path)
    assert (end.code, end.err) == (
        2,
        f"augcli: copies in {path}: is 'two', but must be a whole number\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["cutmx"], "cutmix"), (["cutmix", "--topn", "6"], "--top-n")],
    ids=["command", "option"],
)
def test_suggests_the_nearest_when_a_word_is_mistyped(
    cli: Cli, arguments: list[str], words: str
) -> None:
    end = cli(*arguments)
    assert (end.code, end.out) == (2, "")
    assert words in end.err.splitlines()[-1]


@pytest.mark.parametrize("name", ["cutout", "cutmix"])
def test_shows_the_plan_and_writes_nothing_when_dry(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path, name: str
) -> None:
    more = ["--model", scorer] if name == "cutmix" else []
    end = cli(name, photos, "--dry-run", "--copies", 2, *more)
    assert (end.code, end.err) == (0, "")
    lines = end.out.splitlines()
    assert lines[0] == f"input    {photos}: 9 images (cat 4, dog 3, emu 2)"
    assert lines[1] == f"out      {photos}-{name}, which can be written"
    assert lines[2] == "outputs  18 images, 0 already made"
    assert lines[3].startswith("space    about ")
    assert lines[-1] == "nothing was written"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_names_images_without_a_class_when_dry(cli: Cli, photos: Path) -> None:
    lines = cli("cutout", photos / "cat", "--dry-run").out.splitlines()
    assert lines[0] == f"input    {photos}/cat: 4 images ((unlabelled) 4)"
    assert lines[5].startswith("      (unlabelled)   {")


def test_shows_the_rows_that_will_be_made_when_dry(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path
) -> None:
    arguments = ["cutmix", photos, "--out", tmp_path / "out", "--model", scorer, "--json"]
    plan = json.loads(cli(*arguments, "--dry-run").out)
    assert (plan["message_type"], len(plan["rows"]), plan["failures"]) == ("plan", 9, [])
    assert cli(*arguments).code == 0
    expected = {row["source_a"]: row for row in rows(tmp_path / "out")}
    for row in plan["rows"]:
        assert {name: str(value) for name, value in row.items()} == expected[row["source_a"]]


def test_prints_only_the_path_when_quiet(cli: Cli, photos: Path, tmp_path: Path) -> None:
    end = cli("cutout", photos, "--out", tmp_path / "out", "--quiet")
    assert end == (0, f"{tmp_path}/out/metadata.csv\n", "")


def test_writes_one_event_a_line_when_json_is_asked_for(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    (photos / "cat/bad.jpg").touch()
    end = cli("cutout", photos, "--out", tmp_path / "out", "--json")
    events = [json.loads(line) for line in end.out.splitlines()]
    kinds = [event["message_type"] for event in events]
    error = next(event for event in events if event["message_type"] == "error")
    assert (end.code, end.err, kinds[0], kinds[-1]) == (1, "", "start", "summary")
    assert set(kinds) == {"start", "progress", "error", "summary"}
    assert (error["source"], error["stage"]) == ("cat/bad.jpg", "decode")
    assert (events[-1]["images"], events[-1]["failed"]) == (9, 1)


def test_writes_a_fatal_event_when_json_is_asked_for_and_input_is_missing(
    cli: Cli, tmp_path: Path
) -> None:
    end = cli("cutout", tmp_path / "absent", "--json")
    event = json.loads(end.out)
    assert (end.code, event["message_type"], event["exit_code"]) == (2, "fatal", 2)
    assert end.err == f"augcli: {event['text']}\n"


def test_writes_plain_lines_when_there_is_no_terminal(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    end = cli("cutout", photos, "--out", tmp_path / "out")
    lines = end.err.splitlines()
    assert lines[:2] == [
        f"augcli cutout: 9 images of 3 classes from {photos}, 9 outputs, 0 workers",
        "9 images of 3 classes",
    ]
    assert "\x1b" not in end.err
    assert end.out == f"{tmp_path}/out/metadata.csv\n"


def test_reads_the_current_folder_when_no_input_is_given(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    empty = cli("cutout")
    monkeypatch.chdir(photos)
    full = cli("cutout")
    assert (empty.code, empty.out) == (2, "")
    assert "holds no image" in empty.err
    assert full[:2] == (0, f"{tmp_path}/photos-cutout/metadata.csv\n")
    assert times(tmp_path / "empty") == {}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_prints_a_script_when_a_shell_asks_for_completion(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("_AUGCLI_COMPLETE", f"source_{shell}")
    end = cli()
    assert (end.code, "_AUGCLI_COMPLETE" in end.out) == (0, True)
