"""``augcli doctor`` on the command line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from augcli.cli import doctor as printing
from augcli.cli.doctor import COLUMNS, lines_of
from augcli.doctor import examine as doctor
from augcli.doctor.examine import Finding
from tests.command import ROOT, call, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

WELL = Finding("versions", "augcli", "ok", "1.0")
NOTE = Finding("devices", "azure", "note", "is of no use", "leave it")
ILL = Finding("formats", "WebP", "problem", "can't write it", "pip install something")


def test_tells_what_is_there_and_tries_a_folder(cli: Cli, tmp_path: Path) -> None:
    end = cli("doctor", tmp_path)
    assert (end.code, end.err) == (0, "")
    assert end.out.endswith("\nnothing is wrong\n")
    areas = [line for line in end.out.splitlines() if line and not line.startswith(" ")]
    assert areas[:-1] == ["versions", "devices", "processor", "formats", "folder"]
    assert f"{tmp_path}: files are written, renamed and locked" in " ".join(end.out.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ([WELL, NOTE], 0, "nothing is wrong"),
        ([WELL, ILL], 1, "1 problem"),
        ([ILL, NOTE, ILL], 1, "2 problems"),
    ],
)
def test_ends_with_1_where_something_is_wrong(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, found: list[Finding], code: int, last: str
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter(found))
    end = cli("doctor")
    assert (end.code, end.out.splitlines()[-1]) == (code, last)
    told = json.loads(cli("doctor", "--json").out)
    assert told["message_type"] == "doctor"
    assert told["problems"] == sum(one.state == "problem" for one in found)
    assert [Finding(**one) for one in told["findings"]] == found


def test_a_folder_that_is_not_there_is_a_problem(cli: Cli, tmp_path: Path) -> None:
    end = cli("doctor", tmp_path / "nowhere")
    assert end.code == 1
    assert "can't be written there (No such file or directory)" in " ".join(end.out.split())


def test_lines_fit_a_narrow_terminal() -> None:
    long = Finding("folder", "/a/rather/long/path", "problem", "word " * 60, "do this, " * 30)
    lines = list(lines_of(long))
    assert max(map(len, lines)) <= COLUMNS
    assert " ".join(" ".join(lines).split()) == (
        f"PROBLEM {long.name}: {long.text}do: {long.fix.strip()}"
    )


def test_every_state_has_a_mark() -> None:
    assert set(printing.MARKS) == {"ok", "note", "problem"}


@pytest.mark.parametrize("module", ["numpy", "PIL", "cv2", "onnxruntime"])
def test_a_library_that_can_not_be_imported_does_not_take_the_doctor_with_it(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError('it is broken')")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    end = call("doctor", "--json", env=environment(PYTHONPATH=path))
    assert (end.code, end.err) == (1, "")
    found = [Finding(**one) for one in json.loads(end.out)["findings"]]
    # The first: OpenCV can't be imported without NumPy either.
    told = next(one for one in found if "can't be imported" in one.text)
    assert "ImportError: it is broken" in told.text
    assert told.fix.startswith("pip install")
