"""Tasks that are killed at any moment, in attempts that overlap: nothing is lost."""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING

import pytest

from augcli.data.output import TASKS
from tests.command import start, wait_for
from tests.guarantees.state import assert_committed_rows_are_true
from tests.guarantees.state import photos as small_photos
from tests.photos import tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
KILLS = 8


def at_work(out: Path) -> bool:
    """Return whether a task shows that it is at work, or did."""
    return any((out / TASKS).glob("*~*"))


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "unprepared"])
def test_killed_tasks_leave_nothing_that_the_next_attempt_does_not_complete(
    cli: Cli, tmp_path: Path, prepared: bool
) -> None:
    photos, out, alone = (
        small_photos(tmp_path / "photos", count=96),
        tmp_path / "out",
        tmp_path / "a",
    )
    command = ("cutmix", photos, "--region", "box", "--copies", 3)
    assert cli(*command, "--out", alone).code == 0
    if prepared:
        assert cli("prepare", *command, "--out", out).code == 0
    moments = random.Random(3)
    for attempt in range(KILLS):
        count = 2 + attempt % 2
        indices = [f"{number}/{count}" for number in range(count)]
        tasks = [
            start(*command, "--out", out, "--workers", 0, "--shard", index) for index in indices
        ]
        wait_for(lambda first=tasks[0]: at_work(out) or first.poll() is not None)  # type: ignore[misc]
        time.sleep(moments.uniform(0, 0.3))
        for task in tasks:
            task.kill()
        for task in tasks:
            task.communicate()
        for file in (out / TASKS).glob("*~*"):
            file.unlink()
        assert_committed_rows_are_true(out)
    for number in range(3):
        assert cli(*command, "--out", out, "--shard", f"{number}/3").code == 0
    assert cli("finish", out).code == 0
    assert tree(out) == tree(alone)
    assert not (out / ".augcli").exists()
