"""A worker process: what it changes in its own process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from augcli.work import worker

if sys.argv[1] == "keep":
    worker._keep_memory()
np.ones((400, 500, 3), np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    np.ones((400, 500, 3), np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """How often the kernel was asked for a page, while 100 pictures came and went."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no mallopt")
def test_memory_of_a_picture_is_kept_for_the_next() -> None:
    assert faults("give back") > 100
    assert faults("keep") < 50


COLLECTIONS = """
import gc, sys
from augcli.work import worker

if sys.argv[1] == "seldom":
    worker._collect_seldom()
before = gc.get_stats()[0]["collections"]
kept = [[number] for number in range(15_000)]
print(gc.get_stats()[0]["collections"] - before)
"""


def collections(how: str) -> int:
    """How often Python looked for cycles, while the records of a shard came together."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECTIONS, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_python_seldom_looks_for_cycles() -> None:
    assert collections("as always") > 5
    assert collections("seldom") <= 1
