"""Questions to other processes: there is always an answer, whatever a library does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from augcli.doctor import probes
from augcli.doctor.probes import ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that other processes can import as ``fragile``."""
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), before])))
    return tmp_path / "fragile.py"


def test_answers_version_and_file(module: Path) -> None:
    module.write_text("__version__ = '1.2'")
    answer = ask("import", "fragile")
    assert (answer.value, answer.failure) == ({"version": "1.2", "file": str(module)}, "")


def test_an_error_is_reported_in_one_line(module: Path) -> None:
    module.write_text("raise ImportError('libGL.so.1: cannot open\\n  shared object file')")
    failure = "ImportError: libGL.so.1: cannot open shared object file"
    assert ask("import", "fragile") == (None, failure, "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_crash_is_reported_with_its_signal(module: Path) -> None:
    module.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)")
    assert ask("import", "fragile").failure == "ended with SIGILL"


def test_an_end_without_an_answer_is_reported_with_its_exit_code(module: Path) -> None:
    module.write_text("import os\nos._exit(9)")
    assert ask("import", "fragile").failure == "ended with exit code 9"


def test_a_library_that_hangs_is_stopped(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module.write_text("import time\ntime.sleep(100)")
    monkeypatch.setattr(probes, "TIMEOUT", 0.5)
    assert ask("import", "fragile").failure.startswith("no answer within")


def test_what_a_library_prints_is_no_answer(module: Path) -> None:
    module.write_text(
        "import sys\nprint('hello')\nprint('[1, \"\"]', end='')\nsys.stderr.write('careful')"
    )
    answer = ask("import", "fragile")
    assert answer.value == {"version": "", "file": str(module)}
    assert answer.stderr == "careful"


def test_a_file_of_the_current_folder_hides_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    assert ask("import", "numpy").failure == ""


def test_the_processor_scores() -> None:
    assert "cpu" in ask("devices").value
    result = ask("device", "cpu").value
    assert result["on_device"] == result["steps"] > 0
    assert result["milliseconds"] > 0


def test_a_device_that_is_not_there_is_a_failure() -> None:
    failure = ask("device", "abacus").failure
    assert failure.startswith("device is 'abacus', but this onnxruntime has only")


def test_all_formats_are_tried() -> None:
    names = ["JPEG", "PNG", "WebP", "GIF", "BMP", "DIB", "TIFF", "PNM", "AVIF", "HEIC"]
    names.append("NPY")
    assert list(ask("formats").value) == names


def test_opencv_names_its_instructions() -> None:
    assert ask("opencv features").value


def test_where_no_process_can_be_started_that_is_the_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert ask("devices").failure == "a process can't be started (No such file or directory)"
