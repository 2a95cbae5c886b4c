"""The files of docs/cluster do what they say; plain processes play the scheduler."""

from __future__ import annotations

import os
import re
import runpy
import stat
import subprocess
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import ROOT, furnish
from tests.photos import tree

if TYPE_CHECKING:
    from tests.conftest import Cli

FILES = ROOT / "docs/cluster"
AUGCLI = f"""#!/bin/sh
exec {sys.executable} -m augcli "$@"
"""
SBATCH = """#!/bin/sh
# As Slurm: a task for each number of the array, one after the other; then the job's number.
for word in "$@"; do
    case $word in
        --array=*) numbers=${word#--array=} ;;
        --wrap) wrap=yes ;;
        -*) ;;
        *) script=$word ;;
    esac
done
if [ -n "$wrap" ]; then
    sh -c "$script" >&2
else
    echo "$numbers" >> submitted
    for range in $(echo "$numbers" | tr , ' '); do
        for number in $(seq "${range%-*}" "${range#*-}"); do
            [ "$number" != "$SKIPPED" ] && SLURM_ARRAY_TASK_ID=$number sh "$script" >&2
        done
    done
    echo 4711
fi
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with INPUT, which is the current one, and with augcli on the path."""
    monkeypatch.chdir(furnish(tmp_path))
    for name, text in (("augcli", AUGCLI), ("sbatch", SBATCH)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("AUGCLI_WORKERS", "0")
    return tmp_path


@pytest.fixture
def alone(place: Path, cli: Cli) -> dict[str, bytes]:
    """What one run on one machine leaves."""
    assert cli("cutmix", "images", "--top-n", 6, "--out", "alone").code == 0
    return tree(place / "alone")


def run(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_slurm(place: Path, alone: dict[str, bytes]) -> None:
    end = run("sh", FILES / "slurm.sh", TASKS="3", SKIPPED="2")
    assert "task 2/3 (has not begun)" in end.stderr
    assert not (place / "shared/metadata.csv").exists()
    end = run("sh", FILES / "slurm-again.sh", TASKS="3")
    assert end.returncode == 0, end.stderr
    assert tree(place / "shared") == alone
    assert (place / "submitted").read_text().split() == ["0-2", "2"]


def test_kubernetes(place: Path, alone: dict[str, bytes]) -> None:
    text = (FILES / "kubernetes.yaml").read_text(encoding="utf-8")
    task, finish = re.findall(r"- -c\n +- (.*)\n", text)
    (count,) = re.findall(r"completions: (\d+)", text)
    assert f"$JOB_COMPLETION_INDEX/{count}" in task
    # As in a smaller job.
    task = task.replace(f"/{count}", "/3")
    for number in range(3):
        end = run("sh", "-c", task, JOB_COMPLETION_INDEX=str(number))
        assert end.returncode == 0, end.stderr
    assert run("sh", "-c", finish).returncode == 0
    assert tree(place / "shared") == alone


def test_make(place: Path, alone: dict[str, bytes]) -> None:
    end = run("make", "-j4", "-f", FILES / "Makefile", "shared/metadata.csv")
    assert end.returncode == 0, end.stderr
    assert tree(place / "shared") == alone


def test_dvc(place: Path, alone: dict[str, bytes]) -> None:
    text = (FILES / "dvc.yaml").read_text(encoding="utf-8")
    prepare, share, finish = re.findall(r"cmd: (.*)\n", text)
    (items,) = re.findall(r"foreach: \[(.*)\]", text)
    shares = [share.replace("${item}", item) for item in re.findall(r'"(\d+)"', items)]
    for line in (prepare, *shares, finish):
        end = run("sh", "-c", line)
        assert end.returncode == 0, end.stderr
    assert tree(place / "shared") == alone


class Step:
    """Plays a task of Airflow: it runs when the DAG is read, once for each mapped argument."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self) -> Step:
        self._function()
        return self

    def expand(self, **arguments: list[Any]) -> Step:
        ((name, values),) = arguments.items()
        for value in values:
            self._function(**{name: value})
        return self

    def __rshift__(self, other: Step) -> Step:
        return other


def test_airflow(place: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    sdk: Any = types.ModuleType("airflow.sdk")
    sdk.task = lambda function=None, **_: Step(function) if function else Step
    sdk.dag = lambda **_: lambda function: function
    monkeypatch.setitem(sys.modules, "airflow", types.ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    runpy.run_path(str(FILES / "airflow_dag.py"))
    assert tree(place / "shared") == alone


def test_the_page_names_every_file() -> None:
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    assert {path.name for path in FILES.iterdir()} == set(
        re.findall(r"\(cluster/([\w.-]+)\)", page)
    )
