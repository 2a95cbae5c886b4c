"""The wheel, and what pyproject.toml promises."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import augcli
from tests.photos import class_folders, rows

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODEL = "augcli/attention/attention.onnx"


def call(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of the repository in its environment."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("AUGCLI_")
    }
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**plain, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the repository as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    # Without the network where the build backend is installed; else pip fetches it.
    here = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    built = call("-m", "pip", "wheel", "-q", "--no-deps", *here, "-w", folder, ROOT, cwd=folder)
    if built.returncode and not here:
        pytest.skip(f"hatchling is not installed and pip can't fetch it: {built.stderr[-200:]}")
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("augcli-*.whl")
    return found


def test_the_wheel_holds_the_package_the_scorer_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read(MODEL) == (ROOT / "models" / "attention.onnx").read_bytes()
    assert {MODEL, "augcli/py.typed", "augcli/__main__.py"} <= names
    version = augcli.__version__
    assert {name.partition("/")[0] for name in names} == {"augcli", f"augcli-{version}.dist-info"}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "augcli").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_every_other_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "augcli").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= names


def test_an_installed_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = ["-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel]
    installed = call(*pip, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    photos = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})

    where = call("-c", "import augcli; print(augcli.__file__)", cwd=tmp_path, PYTHONPATH=str(site))
    assert Path(where.stdout.strip()).is_relative_to(site)
    # One worker process: it has to find the package and the scorer as well.
    command = ["-m", "augcli", "cutmix", photos, "--top-n", 6, "--workers", 1]
    done = call(*command, cwd=tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "photos-cutmix")) == 4


def test_building_the_package_needs_the_build_backend_and_nothing_else() -> None:
    names = [Requirement(line).name for line in PROJECT["build-system"]["requires"]]
    assert names == ["hatchling"]
    test = [Requirement(line).name for line in PROJECT["project"]["optional-dependencies"]["test"]]
    assert "pytest-xdist" in test  # `make test` runs the suite with it


def test_the_version_is_said_once_and_the_same() -> None:
    assert PROJECT["project"]["version"] == augcli.__version__


def test_the_lowest_versions_are_the_lower_bounds() -> None:
    text = (ROOT / "tests" / "lowest.txt").read_text(encoding="utf-8")
    lowest = dict(re.findall(r"^([\w-]+)==([\d.]+)$", text, re.MULTILINE))
    bounds = {}
    for line in PROJECT["project"]["dependencies"]:
        requirement = Requirement(line)
        (bound,) = [one for one in requirement.specifier if one.operator == ">="]
        bounds[requirement.name] = Version(bound.version).release
    assert set(lowest) == set(bounds)
    for name, version in lowest.items():
        release = Version(version).release
        # numpy 1.26 is 1.26.0; only opencv's last number counts builds of one release.
        rest = release[len(bounds[name]) :]
        assert release[: len(bounds[name])] == bounds[name]
        assert name == "opencv-python-headless" or set(rest) <= {0}


def test_opencv_is_required_in_one_place_and_without_windows() -> None:
    project = PROJECT["project"]
    extras = project.get("optional-dependencies", {}).values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = [canonicalize_name(Requirement(line).name) for line in lines]
    assert [name for name in names if "opencv" in name] == ["opencv-python-headless"]
