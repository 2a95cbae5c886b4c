"""How many cores a process may use: by its affinity, and by each control group that limits it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from augcli.run.machine import usable_cores

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = "sys/fs/cgroup"


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(16))
    monkeypatch.setattr(os, "cpu_count", lambda: 16)


def cores(root: Path, groups: str, **files: str) -> int:
    """Return the cores for a system with these control groups and files in /sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / GROUPS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return usable_cores(str(root))


NESTED = "0::/jobs/mine\n"
V1 = "12:memory:/jobs\n5:cpu,cpuacct:/docker/4f\n1:name=systemd:/\n0::/\n"
V1_ALONE = "5:cpu:/\n4:cpuset:/\n"
IN_CPUACCT = {"cpu,cpuacct/docker/4f/cpu.cfs_quota_us": "250000\n"}
PERIOD = {"cpu,cpuacct/docker/4f/cpu.cfs_period_us": "100000\n"}


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {}, 16),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "5000 100000\n"}, 1),
        (NESTED, {"jobs/mine/cpu.max": "300000 100000\n"}, 3),
        (NESTED, {"jobs/cpu.max": "500000 100000\n", "jobs/mine/cpu.max": "max 100000\n"}, 5),
        (NESTED, {"jobs/cpu.max": "2000 1000\n", "jobs/mine/cpu.max": "700000 100000\n"}, 2),
        (NESTED, {"unified/jobs/mine/cpu.max": "300000 100000\n"}, 3),
        # In a container without its own name space, the path is the host's.
        (NESTED, {"cpu.max": "600000 100000\n"}, 6),
        ("0::/../../other\n", {"cpu.max": "600000 100000\n"}, 6),
        (NESTED, {"other/cpu.max": "100000 100000\n"}, 16),
        (V1, {**IN_CPUACCT, **PERIOD}, 3),
        (V1, {**IN_CPUACCT}, 16),
        (V1, {**PERIOD, "cpu,cpuacct/docker/4f/cpu.cfs_quota_us": "-1\n"}, 16),
        (
            V1,
            {
                "cpu,cpuacct/cpu.cfs_quota_us": "700000\n",
                "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            7,
        ),
        (V1_ALONE, {"cpu/cpu.cfs_quota_us": "90000\n", "cpu/cpu.cfs_period_us": "30000\n"}, 3),
        (V1_ALONE, {"cpu/cpu.cfs_quota_us": "90000\n", "cpu/cpu.cfs_period_us": "0\n"}, 16),
        ("nonsense\n\n", {"cpu.max": "nonsense\n"}, 16),
    ],
)
def test_a_quota_limits_the_cores(
    tmp_path: Path, groups: str, files: dict[str, str], expected: int
) -> None:
    assert cores(tmp_path, groups, **files) == expected


def test_a_system_without_control_groups_has_the_cores_of_the_affinity(tmp_path: Path) -> None:
    assert usable_cores(str(tmp_path)) == 16


def test_a_quota_above_the_affinity_gives_no_more_cores(tmp_path: Path) -> None:
    assert cores(tmp_path, "0::/\n", **{"cpu.max": "6400000 100000\n"}) == 16
