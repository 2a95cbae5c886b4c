"""Marks the tests of this folder: they need Ray, and ``make test-ray`` runs them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
HANG = """
import sys, time

def hang(event, arguments):
    if event == "open" and str(arguments[0]).endswith("hangs.png"):
        while True:
            time.sleep(1)

if "augcli.work.worker" in sys.orig_argv:
    sys.addaudithook(hang)
"""
"""Workers hang where they open a source of this name."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.ray)
            item.add_marker(pytest.mark.filterwarnings("default"))


class Nodes:
    """Two nodes on this machine, with one processor each.

    Args:
        gpus: How many GPUs each says that it has.
    """

    def __init__(self, gpus: int = 0) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "num_gpus": gpus}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self.second = self._cluster.add_node(num_cpus=1, num_gpus=gpus)
        self._cluster.wait_for_nodes()
        self.address: str = self._cluster.address

    def raylet(self) -> int:
        """Return the process of the second node that starts its workers."""
        pid: int = self.second.all_processes["raylet"][0].process.pid
        return pid

    def stop(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="session", autouse=True)
def surroundings() -> Iterator[None]:
    """A folder of Ray's own, whose path is short enough for sockets, and no reports."""
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    (folder / "sitecustomize.py").write_text(HANG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", str(folder))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", "cd" * 32)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
        yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def nodes(surroundings: None) -> Iterator[Nodes]:
    """A cluster that tests share and leave as it is."""
    nodes = Nodes()
    yield nodes
    nodes.stop()
