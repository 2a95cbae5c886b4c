"""Names and recorded texts move no cursor and forge no line; fatal errors are JSON if asked for."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.guarantees.test_attacks import change_parts
from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Outcome
    from tests.conftest import Cli

EVIL = "a\nfailed: b\r\x1b[2J\x9b31m\u202egpj.\u2028\x7f"
"""A line break that forges a line, commands of terminals, and marks that reverse a line."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no file has such a name there")


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """INPUT with such names of a class, of a file, and of the folder itself."""
    folder = class_folders(tmp_path / EVIL, {EVIL: 3, "dog": 2})
    (folder / "dog" / f"{EVIL}.jpg").write_bytes(b"no picture")
    (folder / f"{EVIL}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "dog" / f"\udcff{EVIL}.jpg").write_bytes(b"no picture")
    (folder / "dog" / f"{EVIL}.lnk").symlink_to("nowhere")
    (folder / f"{EVIL} empty").mkdir()
    return folder


def is_clean(text: str) -> bool:
    return all(char.isprintable() for line in text.split("\n") for char in line)


def test_no_line_is_forged(cli: Cli, evil: Path, tmp_path: Path, scorer: Path) -> None:
    out = tmp_path / f"{EVIL} out"
    table = tmp_path / f"{EVIL}.csv"
    table.write_text(f'file_name,label\n"{EVIL}",cat\n')
    recipe = tmp_path / f"{EVIL}.toml"
    recipe.write_text(f'[[step]]\nuse = "cutout"\nname = {json.dumps(EVIL)}\npatch = 4\n')
    commands: list[tuple[Any, ...]] = [
        ("cutout", evil, "--out", out),
        ("cutout", evil, "--out", out, "--seed", 2),
        ("cutmix", evil, "--model", scorer, "--out", tmp_path / f"{EVIL} mix"),
        ("cutout", evil, "--out", out, "--labels", table),
        ("cutout", evil, "--out", out, "--labels", tmp_path / EVIL / "none.csv"),
        ("cutout", evil, "--out", out, "--config", tmp_path / f"{EVIL} no"),
        ("cutout", tmp_path / f"{EVIL} no"),
        ("cutout", evil, f"--{EVIL}"),
        ("cutout", evil, "--fill", EVIL),
        ("cutmix", evil, "--model", evil / "dog" / f"{EVIL}.jpg"),
        ("cutmix", evil, "--heatmaps", evil / "dog" / f"{EVIL}.jpg"),
        ("heatmaps", evil, "--model", scorer, "--out", tmp_path / f"{EVIL}.npz"),
        ("run", recipe, evil, "--out", tmp_path / "recipe"),
        (EVIL,),
        ("verify", tmp_path / EVIL),
        ("status", tmp_path / EVIL),
        ("scorer", "show", tmp_path / EVIL / "none"),
        ("scorer", "prepare", tmp_path / EVIL / "none"),
        ("recipe", "check", recipe.with_name(f"{EVIL} no")),
        ("recipe", "init", EVIL),
    ]
    for command in commands:
        # Standard output has the path of the result as it is, for programs.
        end = cli(*command)
        assert is_clean(end.err)
        assert not any(line.startswith("failed: b") for line in end.err.splitlines())


def test_what_people_read_on_standard_output_is_printable(
    cli: Cli, evil: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'[[step]]\nuse = "cutout"\nname = {json.dumps(EVIL)}\npatch = 4\n')
    recipe.write_text(recipe.read_text().replace("\x7f", ""))
    assert cli("cutout", evil, "--out", out, "--fill", "black").code == 1
    record = json.loads((out / "run.json").read_text())
    commands: list[tuple[Any, ...]] = [
        ("cutout", evil, "--out", out, "--fill", "black", "--dry-run"),
        ("recipe", "check", recipe),
        ("verify", out),
        ("status", out),
    ]
    for words in commands:
        end = cli(*words)
        assert end.code in (0, 1)
        assert (is_clean(end.out), is_clean(end.err)) == (True, True)
    record["identity"]["command"] = record["platform"] = EVIL
    record["counts"]["remarks"] = {EVIL: 1}
    (out / "run.json").write_text(json.dumps(record))
    change_parts(out, lambda part: part.update(command=EVIL))
    for words in (*commands[2:], ("verify", out, "--against", evil)):
        end = cli(*words)
        assert (is_clean(end.out), is_clean(end.err)) == (True, True)


def test_json_holds_the_exact_name(cli: Cli, evil: Path, tmp_path: Path) -> None:
    end = cli("cutout", evil, "--out", tmp_path / "out", "--json")
    assert all(" " <= char <= "~" or char == "\n" for char in end.out)
    events = [json.loads(line) for line in end.out.splitlines()]
    assert f"dog/{EVIL}.jpg" in [event.get("source") for event in events]


def fatal(end: Outcome) -> dict[str, Any]:
    assert end.code == 2
    event: dict[str, Any] = json.loads(end.out)
    assert (event["message_type"], event["exit_code"]) == ("fatal", 2)
    assert end.err == f"augcli: {event['text']}\n"
    return event


WRONG = [
    ["cutout", "absent"],
    ["cutout", "--no-such-option"],
    ["cutout", "photos", "--patch", "many"],
    ["nonsense"],
    ["heatmaps", "absent"],
    ["run", "absent.toml", "photos"],
    ["scorer", "prepare", "absent.onnx"],
    ["status", "absent"],
    ["verify", "absent"],
    ["scorer", "show", "absent.onnx"],
    ["recipe", "check", "absent.toml"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_variable_asks_for_fatal_errors_as_json(
    cli: Cli, photos: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("AUGCLI_JSON", "1")
    fatal(cli(*words))
    monkeypatch.setenv("AUGCLI_JSON", "0")
    assert cli(*words).out == ""


CONFIGURED = [words for words in WRONG if words[0] in ("cutout", "heatmaps", "run")]


@pytest.mark.parametrize("words", [*CONFIGURED, ["cutout", "photos", "--colour"]], ids=" ".join)
@pytest.mark.parametrize("how", ["--config F", "--config=F", "AUGCLI_CONFIG", "table", "wrong"])
def test_a_configuration_file_asks_for_fatal_errors_as_json(
    cli: Cli, photos: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], how: str
) -> None:
    monkeypatch.chdir(photos.parent)
    path = photos.parent / "augcli.toml"
    text = f"[{words[0]}]\njson = true\n" if how == "table" else "json = true\n"
    path.write_text(text if how != "wrong" else "json = true\nnonsense = 1\n")
    if how == "AUGCLI_CONFIG":
        monkeypatch.setenv("AUGCLI_CONFIG", str(path))
        more = []
    else:
        more = [f"--config={path}"] if how == "--config=F" else ["--config", str(path)]
    fatal(cli(words[0], *more, *words[1:]))
    monkeypatch.setenv("AUGCLI_JSON", "no")
    assert cli(words[0], *more, *words[1:]).out == ""


def test_a_variable_asks_for_json_of_every_command(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("cutout", photos, "--out", tmp_path / "out").code == 0
    monkeypatch.setenv("AUGCLI_JSON", "yes")
    for words in (("status", tmp_path / "out"), ("verify", tmp_path / "out"), ("scorer", "show")):
        assert json.loads(cli(*words).out)["message_type"] in ("status", "verified", "scorer")
    monkeypatch.setenv("AUGCLI_JSON", "perhaps")
    assert cli("status", tmp_path / "out").code == 2


def test_a_terminal_shows_a_path_that_is_printable(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a\x1b[31m"
    exact = os.path.join(out, "metadata.csv") + "\n"
    assert cli("cutout", photos, "--out", out).out == exact
    monkeypatch.setattr("augcli.cli.streams._is_terminal", lambda: True)
    assert is_clean(cli("cutout", photos, "--out", out).out)
