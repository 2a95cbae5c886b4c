"""``augcli preview``, ``--preview`` and ``augcli sheet``, as a person types them."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.cells import cell_len

import augcli
from augcli.cli.graphics import graphics_of
from augcli.cli.half_blocks import half_blocks
from augcli.report.pictures.gallery import Part
from augcli.report.sheets.sheet import Sheet, Tile
from tests.photos import read, times

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

ESCAPES = re.compile(r"\x1b\[[\d;]*m")


def test_preview_is_a_command_with_preview(cli: Cli, photos: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    options = ["--patch", 5, "--rows", 2]
    outcome = cli("preview", photos, "cutout", *options, "-o", first)
    assert outcome == (0, f"{first}\n", "")
    assert cli("cutout", photos, "--preview", *options, "-o", second).code == 0
    assert first.read_bytes() == second.read_bytes()
    assert cli("cutout", photos, "--preview", "--rows", 2, "-o", second).code == 0
    assert first.read_bytes() != second.read_bytes()


def test_only_the_picture_is_written(cli: Cli, photos: Path, tmp_path: Path) -> None:
    before = times(tmp_path)
    assert cli("preview", photos, "cutmix", "-o", tmp_path / "a.jpg").code == 0
    assert set(times(tmp_path)) - set(before) == {"a.jpg"}
    assert cli("preview", photos, "cutmix", "--graphics", "blocks").code == 0
    assert set(times(tmp_path)) - set(before) == {"a.jpg"}


def test_a_recipe_comes_first_or_last(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('[[step]]\nuse = "flip"\n[[step]]\nuse = "mixup"\n')
    monkeypatch.chdir(photos)
    lines = (("preview", recipe, photos), ("preview", photos, recipe), ("preview", recipe))
    pictures = []
    for number, words in enumerate((*lines, ("run", recipe, photos, "--preview"))):
        path = tmp_path / f"{number}.png"
        assert cli(*words, "--rows", 1, "-o", path).code == 0
        pictures.append(path.read_bytes())
    assert len({*pictures}) == 1


def test_json_has_rows_of_the_manifest(cli: Cli, photos: Path, tmp_path: Path) -> None:
    words = ("cutmix", "--vary", "top_n=3,6", "--rows", 2, "--json")
    outcome = cli("preview", photos, *words)
    made = json.loads(outcome.out)
    assert (made["message_type"], made["picture"], len(made["rows"])) == ("preview", None, 2)
    augcli.augment(photos, augcli.CutMix(top_n=6), out=tmp_path / "out", workers=0)
    rows = {row.source_a: row for row in augcli.read(tmp_path / "out").rows}
    for three, six in made["rows"]:
        assert (three["value"], six["value"]) == ("top_n=3", "top_n=6")
        assert six["sha256"] == rows[six["base"]].sha256
        assert six["label"] == dict(rows[six["base"]].label.weights)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["preview"], "preview needs INPUT"),
        (["preview", "{photos}"], "preview needs INPUT and then a method or a recipe"),
        (["preview", "{photos}", "cutmx", "-o", "a.png"], "did you mean 'cutmix'?"),
        (["preview", "{photos}", "cutmix", "-o", "{mine}"], "is no sheet of augcli; give another"),
        (["preview", "{photos}", "cutmix"], "give a file with --out sheet.png, or --graphics blo"),
        (
            ["preview", "{photos}", "cutmix", "--vary", "topn=3", "-o", "a.png"],
            "--vary names 'topn",
        ),
        (["preview", "{photos}", "cutmix", "--vary", "grid=0", "-o", "a.png"], "--grid is 0, but"),
        (["preview", "{photos}", "cutmix", "--rows", "0", "-o", "a.png"], "--rows is 0, but must"),
        (["preview", "{photos}/no", "cutmix", "-o", "a.png"], "does not exist"),
        (["cutmix", "{photos}", "--vary", "top_n=3"], "--vary needs --preview"),
        (["cutmix", "{photos}", "--rows", "3"], "--rows needs --preview"),
        (["prepare", "cutmix", "{photos}", "--preview"], "--preview is for a run: leave it out"),
        (["prepare", "cutmix", "{photos}", "--dry-run"], "--dry-run is for a run: leave it out"),
        (["sheet", "{photos}", "-o", "a.png"], "is not an output folder of augcli"),
        (["sheet", "{photos}", "-o", "a.gif"], "must end in .png or .jpg"),
        (["sheet", "{photos}", "--graphics", "kity"], "did you mean 'kitty'?"),
        (["sheet", "{photos}"], "give a file with --out sheet.png"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    cli: Cli, photos: Path, tmp_path: Path, words: list[str], problem: str
) -> None:
    mine = tmp_path / "mine.png"
    mine.write_text("mine")
    outcome = cli(*(word.format(photos=photos, mine=mine) for word in words))
    assert (outcome.code, outcome.out) == (2, "")
    assert problem in outcome.err
    assert outcome.err.count("\n") == 1
    assert mine.read_text() == "mine"


def test_a_sheet_of_an_output_folder(cli: Cli, photos: Path, tmp_path: Path) -> None:
    assert cli("mixup", photos, "--out", tmp_path / "out").code == 0
    path = tmp_path / "sheet.png"
    assert cli("sheet", tmp_path / "out", "--rows", 2, "-o", path) == (0, f"{path}\n", "")
    alone = read(path).shape[1]
    assert cli("sheet", tmp_path / "out", "--rows", 2, "--against", photos, "-o", path).code == 0
    assert read(path).shape[1] < alone


def sheet(colour: tuple[int, int, int]) -> Sheet:
    """A sheet of six columns whose pictures have one colour."""
    parts = (
        Part("a class with a name that is too long", 0.75, 0.0, 0.75),
        Part("b", 0.25, 0.75, 0.25),
    )
    tile = Tile(np.full((40, 60, 3), colour, np.uint8), "cat/猫 with a long name.jpg", parts)
    row = [tile, None, Tile(None, "x"), *[tile] * 3]
    return Sheet("cutmix", "top_n=3", tuple("abcdef"), [row])


@pytest.mark.parametrize("columns", [10, 40, 80, 200])
@pytest.mark.parametrize(
    ("many", "colour", "written"),
    # Colours of their own: rich keeps how it wrote a colour.
    [(True, (200, 30, 30), "38;2;200;30;30"), (False, (0, 0, 255), "38;5;21")],
)
def test_half_blocks_fit_into_the_terminal(
    columns: int, many: bool, colour: tuple[int, int, int], written: str
) -> None:
    text = half_blocks(sheet(colour), columns, many=many)
    plain = ESCAPES.sub("", text)
    assert max(map(cell_len, plain.splitlines())) <= columns
    assert written in text
    for word in ("cutmix", "0.7500", "0.2500", "a", "f"):
        assert word in plain


@pytest.mark.parametrize("graphics", ["kitty", "iterm2"])
def test_graphics_hold_the_picture_of_the_sheet(
    cli: Cli, photos: Path, tmp_path: Path, graphics: str
) -> None:
    words = ("preview", photos, "mixup", "--rows", 1)
    assert cli(*words, "-o", tmp_path / "a.png").code == 0
    shown = cli(*words, "--graphics", graphics).out.rstrip("\n")
    if graphics == "kitty":
        chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", shown)
        assert [keys[-3:] for keys, _ in chunks] == ["m=1"] * (len(chunks) - 1) + ["m=0"]
        data = "".join(chunk for _, chunk in chunks)
    else:
        data = shown.partition(":")[2].removesuffix("\x07")
    assert base64.b64decode(data)[:8] == (tmp_path / "a.png").read_bytes()[:8]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, None),
        ({"TERM": "xterm-256color", "TMUX": "/tmp/x", "TERM_PROGRAM": "WezTerm"}, None),
        ({}, None),
    ],
)
def test_graphics_are_those_that_the_terminal_names(
    environment: dict[str, str], expected: str | None
) -> None:
    assert graphics_of(environment) == expected


@pytest.mark.parametrize(("answer", "start"), [(b"\x1b[?62;4;6c", "\x1bP0;1q"), (b"", "\x1b[1m")])
def test_a_terminal_is_asked_for_sixels(photos: Path, answer: bytes, start: str) -> None:
    """It answers with its attributes, or not at all; and shows the picture, or half-blocks."""
    outer, inner = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, "-m", "augcli", "preview", str(photos), "cutout", "--rows", "1"]
    with subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=subprocess.PIPE, env=environment
    ) as process:
        os.close(inner)
        seen: list[bytes] = []

        def listen() -> None:
            while True:
                try:
                    block = os.read(outer, 65536)
                except OSError:  # the other end is closed
                    return
                if not block:
                    return
                seen.append(block)
                if b"\x1b[c" in block and answer:
                    os.write(outer, answer)

        reader = threading.Thread(target=listen)
        reader.start()
        assert process.stderr is not None
        problems = process.stderr.read()
        assert process.wait(120) == 0, problems
    reader.join(30)
    os.close(outer)
    shown = b"".join(seen).decode()
    assert shown.replace("\x1b[c", "", 1).lstrip().startswith(start) or start in shown
    assert ("\x1bP0;1q" in shown) == bool(answer)
