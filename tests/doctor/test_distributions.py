"""Packages that share a folder: which ones they are, and whose files are in it now."""

from __future__ import annotations

from importlib.metadata import distributions
from typing import TYPE_CHECKING

import pytest

from augcli.doctor.distributions import (
    Package,
    installed_version,
    is_older,
    lower_bounds,
    packages_in,
)

if TYPE_CHECKING:
    from pathlib import Path


def install(
    site: Path, name: str, version: str, files: dict[str, str], by: str = "pip", lists: str = ""
) -> None:
    """Install a distribution as pip does: its files, over what is there, and its record."""
    record = []
    for path, text in files.items():
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        record.append(f"{path},sha256=x,{len(text)}")
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "INSTALLER").write_text(f"{by}\n")
    (about / "RECORD").write_text("\n".join([*record, *filter(None, [lists])]) + "\n")


def found(site: Path) -> list[Package]:
    return packages_in("cv2", "opencv", distributions(path=[str(site)]))


def test_one_whole_distribution(tmp_path: Path) -> None:
    lists = "cv2/__pycache__/__init__.cpython-311.pyc,,"
    install(tmp_path, "opencv-python", "4.13.0", {"cv2/__init__.py": "a"}, lists=lists)
    assert found(tmp_path) == [Package("opencv-python", "4.13.0", 0)]


def test_the_last_of_two_wins(tmp_path: Path) -> None:
    first = {"cv2/__init__.py": "same", "cv2/cv2.so": "large", "cv2/qt.so": "windows"}
    install(tmp_path, "opencv-python", "4.13.0", first)
    install(
        tmp_path, "opencv_python_headless", "5.0.0", {"cv2/__init__.py": "same", "cv2/cv2.so": "x"}
    )
    assert found(tmp_path) == [
        Package("opencv-python", "4.13.0", 1),
        Package("opencv-python-headless", "5.0.0", 0),
    ]


def test_removing_one_leaves_the_other_without_files(tmp_path: Path) -> None:
    files = {"cv2/__init__.py": "a", "cv2/cv2.so": "b"}
    install(tmp_path, "opencv-python-headless", "5.0.0", files)
    for path in files:
        (tmp_path / path).unlink()
    assert found(tmp_path) == [Package("opencv-python-headless", "5.0.0", 2)]


def test_names_that_begin_alike_but_fill_another_folder_do_not_share(tmp_path: Path) -> None:
    install(tmp_path, "opencv-stubs", "1.0", {"cv2-stubs/__init__.pyi": ""})
    install(tmp_path, "opensomething", "1.0", {"cv2/other.py": ""})
    assert found(tmp_path) == []


def test_a_record_that_can_not_be_read_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path, "opencv-python", "4.13.0", {"cv2/cv2.so": "b"})
    install(tmp_path, "opencv-broken", "1.0", {"cv2/other.so": "b"}, lists="\n\n,")
    assert [one.name for one in found(tmp_path)] == ["opencv-python"]


def test_what_a_removed_distribution_left_behind_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "opencv_python-4.13.0.dist-info").mkdir()
    assert found(tmp_path) == []


def test_conda_changes_files_after_it_wrote_their_sizes(tmp_path: Path) -> None:
    install(tmp_path, "opencv-python", "4.13.0", {"cv2/cv2.so": "b"}, by="conda")
    (tmp_path / "cv2/cv2.so").write_text("patched")
    assert found(tmp_path) == [Package("opencv-python", "4.13.0", 0)]


def test_a_distribution_that_is_found_twice_counts_once(tmp_path: Path) -> None:
    install(tmp_path, "opencv-python", "4.13.0", {"cv2/cv2.so": "b"})
    twice = distributions(path=[str(tmp_path), f"{tmp_path}/."])
    assert len(packages_in("cv2", "opencv", twice)) == 1


def test_the_opencv_of_this_installation_is_found_whole() -> None:
    (one,) = packages_in("cv2", "opencv")
    assert one.version == installed_version(one.name)
    assert one.changed == 0


def test_a_distribution_that_is_not_there_has_no_version_and_no_bounds() -> None:
    assert installed_version("no-such-distribution") == ""
    assert lower_bounds("no-such-distribution") == {}


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [
        *(("1.9", "1.10", True), ("1.10", "1.9", False), ("4.11.0.86", "4.11", False)),
        *(("13.0.0", "10.3", False), ("2.0.0rc1", "2.1", True), ("4", "4.11", True)),
    ],
)
def test_versions_are_compared_by_their_numbers(one: str, other: str, older: bool) -> None:
    assert is_older(one, other) is older
