"""The kill loop: a run is killed at random instants, and what it leaves is looked at.

A program of its own, that has no threads and forks: so a run starts within milliseconds and
can be killed at any of its instants, the first and the last ones too.

    python -m tests.guarantees.kills FOLDER KILLS folder|webdataset|parquet|npz
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from augcli.cli.app import main as augcli
from tests.guarantees.state import VARIANTS, assert_committed_rows_are_true, photos, vary
from tests.photos import tree

WORKERS = (0, 0, 0, 2, 0, 0, 0, 1)
"""Of each run in turn; processes take long to start, so most runs do without."""
PATIENCE = 120


def start(arguments: list[str]) -> int:
    """Run the command line in a process group of its own."""
    process = os.fork()
    if process:
        return process
    code = 99
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        signal.alarm(PATIENCE)
        sys.argv = ["augcli", *arguments]
        augcli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 98
    finally:
        os._exit(code)


def ended(process: int) -> int:
    """Return how a run ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill(process: int) -> int:
    """Kill the whole group at once."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(process, signal.SIGKILL)
    return ended(process)


def loop(folder: Path, kills: int, to: str = "folder", seed: int = 0) -> dict[str, int]:
    """Kill as often as asked; go on each time until the run is complete, then change INPUT.

    Returns:
        How often the run was killed, how many complete runs were compared with an undisturbed
        one, and how many committed rows were checked after the kills.
    """
    source, out, clean = folder / "photos", folder / "out", folder / "clean"
    photos(source)
    # Imported before the forks, without threads: so most of a run's time is its work.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in ("augcli.run.making.make", "augcli.work.shard_maker"):
        importlib.import_module(name)
    # Not the mean colour, which stays that of the first run when INPUT changes.
    command = ["cutout", str(source), "--copies", "4", "--patch", "5", "--fill", "black"]
    command += ["--to", to, "--shard-size", "5KB", *(["--size", "12"] if to == "npz" else [])]
    expected, took = [], {}
    for variant in range(VARIANTS):
        vary(source, variant)
        shutil.rmtree(clean, ignore_errors=True)
        assert ended(start([*command, "--out", str(clean), "--workers", "0"])) == 0
        expected.append(tree(clean, hidden=False))
    for workers in set(WORKERS):
        shutil.rmtree(clean)
        begun = time.monotonic()
        assert ended(start([*command, "--out", str(clean), "--workers", str(workers)])) == 0
        took[workers] = time.monotonic() - begun
    moments = random.Random(seed)
    variant = VARIANTS - 1
    figures = {"kills": 0, "complete": 0, "rows": 0}
    later = 1.0
    for number in range(100 * kills):
        if figures["kills"] == kills:
            break
        workers = WORKERS[number % len(WORKERS)]
        process = start([*command, "--out", str(out), "--workers", str(workers)])
        time.sleep(moments.uniform(0, 0.8 * took[workers] * later))
        code = kill(process)
        rows = assert_committed_rows_are_true(out)
        figures["rows"] += rows
        if code == -signal.SIGKILL:
            figures["kills"] += 1
            # Later and later, until a run completes and INPUT changes: a machine may have got
            # busier since the clean runs.
            later *= 1.1 if rows else 1.5
            continue
        # It came to its end before the kill.
        assert code == 0, code
        later = 1.0
        figures["complete"] += _compared(out, expected[variant])
        variant = (variant + 1) % VARIANTS
        vary(source, variant)
        if variant == 0:
            shutil.rmtree(out)
    assert ended(start([*command, "--out", str(out), "--workers", "0"])) == 0
    figures["complete"] += _compared(out, expected[variant])
    return figures


def _compared(out: Path, expected: dict[str, bytes]) -> int:
    assert tree(out, hidden=False) == expected
    assert not (out / ".augcli").exists()
    return 1


if __name__ == "__main__":
    print(json.dumps(loop(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
