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

GOOD = Finding("versions", "augcli", "ok", "1.0")
NOTE = Finding("devices", "azure", "note", "is of no use", "use `device` cpu")
BAD = Finding("formats", "WebP", "problem", "can't write it", "pip install something")


def test_prints_all_findings_and_tries_a_folder(cli: Cli, tmp_path: Path) -> None:
    end = cli("doctor", tmp_path)
    assert (end.code, end.err) == (0, "")
    assert end.out.endswith("\nnothing is wrong\n")
    areas = [line for line in end.out.splitlines() if line and not line.startswith(" ")]
    assert areas[:-1] == ["versions", "devices", "processor", "formats", "folder"]
    assert f"{tmp_path}: files can be written, renamed and locked" in " ".join(end.out.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ([GOOD, NOTE], 0, "nothing is wrong"),
        ([GOOD, BAD], 1, "1 problem"),
        ([BAD, NOTE, BAD], 1, "2 problems"),
    ],
)
def test_ends_with_1_where_something_is_wrong(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, found: list[Finding], code: int, last: str
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter(found))
    end = cli("doctor")
    assert (end.code, end.out.splitlines()[-1]) == (code, last)
    printed = json.loads(cli("doctor", "--json").out)
    assert printed["message_type"] == "doctor"
    assert printed["problems"] == sum(finding.state == "problem" for finding in found)
    spelled = [
        finding._replace(fix=finding.fix.replace("`device`", "--device")) for finding in found
    ]
    assert [Finding(**fields) for fields in printed["findings"]] == spelled


def test_a_folder_that_is_not_there_is_a_problem(cli: Cli, tmp_path: Path) -> None:
    end = cli("doctor", tmp_path / "nowhere")
    assert end.code == 1
    assert "can't be written in it (No such file or directory)" in " ".join(end.out.split())


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
def test_a_library_that_can_not_be_imported_does_not_stop_the_doctor(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError('it is broken')")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    end = call("doctor", "--json", env=environment(PYTHONPATH=path))
    assert (end.code, end.err) == (1, "")
    findings = [Finding(**fields) for fields in json.loads(end.out)["findings"]]
    # The first one: without NumPy, OpenCV can't be imported either.
    first = next(finding for finding in findings if "can't be imported" in finding.text)
    assert "ImportError: it is broken" in first.text
    assert first.fix.startswith("pip install")
