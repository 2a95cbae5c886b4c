"""Buckets: whatever fails, what is committed is true, and the same command again goes on."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from augcli.errors import AugcliError, Stopped
from augcli.files.remote import objects, presence
from tests.buckets import make_bucket, remove_bucket, upload
from tests.command import PATIENCE, start
from tests.guarantees.buckets import (
    FaultyService,
    ForgetfulService,
    assert_committed_objects_are_true,
    bucket_tree,
    memory,
    use,
)
from tests.guarantees.state import photos, vary
from tests.photos import tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Proxy

METHOD = augcli.Cutout(patch=5, fill="black")
KILLS = 5
MOST = 500
pytest.importorskip("fsspec", reason="needs the test extra")


def run(source: Any, out: object, to: str = "folder", workers: int = 0, copies: int = 2) -> None:
    """Make a small data set."""
    options: Any = {"workers": workers, "to": to, "shard_size": "5KB", "copies": copies}
    augcli.augment(source, METHOD, out=out, **options)


@pytest.mark.parametrize(
    ("to", "forever", "lost"),
    [
        ("folder", False, False),
        ("folder", True, False),
        ("folder", False, True),
        ("webdataset", True, True),
        ("parquet", False, False),
    ],
)
def test_nothing_is_lost_when_the_nth_request_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, forever: bool, lost: bool
) -> None:
    source = photos(tmp_path / "photos", count=3)
    vary(source, 0)
    run(source, tmp_path / "clean", to)
    clean = tree(tmp_path / "clean", hidden=False)
    bucket = f"faults-{to}-{forever}-{lost}"
    stopped = fired = 0
    for nth in range(1, MOST):
        out = f"memory://{bucket}/out-{nth}"
        service = FaultyService(memory(), out.partition("://")[2], nth, forever=forever, lost=lost)
        use(monkeypatch, service)
        try:
            run(source, out, to)
        except AugcliError as error:
            assert service.fired
            assert "access is denied" in str(error)  # noqa: PT017
            stopped += 1
        use(monkeypatch, memory())
        # The next run is one of another process; this one may not even have removed its lock.
        monkeypatch.setattr(presence, "is_alive", lambda _: False)
        assert_committed_objects_are_true(out, to)
        run(source, out, to)
        assert bucket_tree(out) == clean, (nth, service.by_name)
        assert not objects.holds_objects(f"{out}/.augcli"), nth
        if not service.fired:
            break
        fired += service.fired
    else:
        raise AssertionError("requests without end")
    assert fired >= stopped > 10


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
@pytest.mark.parametrize("to", ["folder", "webdataset"])
def test_nothing_is_lost_when_a_run_is_killed_again_and_again(
    tmp_path: Path, bucket: str, proxy: Proxy, to: str
) -> None:
    source = photos(tmp_path / "photos")
    run(source, tmp_path / "clean", to, copies=6)
    upload(source, f"{bucket}/photos")
    out = f"{bucket}/out"
    command = ["cutout", f"{bucket}/photos", "--patch", 5, "--fill", "black", "--copies", 6]
    command += ["--out", out, "--to", to, "--shard-size", "5KB", "--workers", 1]
    proxy.faults.delay = 0.005
    moments, most = random.Random(0), 60 if to == "folder" else 16
    kills = rows = 0
    while kills < KILLS:
        process = start(*command)
        last = proxy.faults.requests["PUT"] + moments.randrange(1, most)
        deadline = time.monotonic() + PATIENCE
        while proxy.faults.requests["PUT"] < last and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        if process.poll() is not None:
            assert process.returncode == 0, process.communicate()[1]
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        kills += 1
        rows += assert_committed_objects_are_true(out, to)
    process = start(*command)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert bucket_tree(out) == tree(tmp_path / "clean", hidden=False)
    assert not objects.holds_objects(f"{out}/.augcli")
    assert kills >= 3
    assert rows > 0


def test_a_storm_of_busy_answers_changes_no_byte(tmp_path: Path, bucket: str, proxy: Proxy) -> None:
    source = photos(tmp_path / "photos")
    run(source, tmp_path / "clean")
    chance = random.Random(1)
    kinds = ["busy", "drop", "cut", "", "", "", ""]
    proxy.faults.answer = lambda *_: chance.choice(kinds)
    url = upload(source, f"{bucket}/photos")
    run(url, f"{bucket}/out", workers=2)
    assert proxy.faults.requests.total() > 150
    proxy.faults.answer = lambda *_: ""
    assert bucket_tree(f"{bucket}/out") == tree(tmp_path / "clean", hidden=False)


def test_a_bucket_that_vanishes_stops_the_run_and_is_continued(
    tmp_path: Path, bucket: str, proxy: Proxy
) -> None:
    source = photos(tmp_path / "photos")
    run(source, tmp_path / "clean")
    name = bucket.removeprefix("s3://")
    gone: list[int] = []

    def answer(number: int, method: str, path: str) -> str:
        if method == "PUT" and "cat/" in path and not gone:
            gone.append(number)
            remove_all(name)
        return ""

    proxy.faults.answer = answer
    with pytest.raises(Stopped, match=r"was removed while it was being written; run the same"):
        run(source, f"{bucket}/out")
    assert gone
    make_bucket(name)
    run(source, f"{bucket}/out")
    assert bucket_tree(f"{bucket}/out") == tree(tmp_path / "clean", hidden=False)


def remove_all(name: str) -> None:
    """Remove a bucket that is being written."""
    while True:
        try:
            remove_bucket(name)
        except OSError:
            continue
        return


@pytest.mark.parametrize("to", ["folder", "webdataset"])
def test_listings_that_are_late_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    source = photos(tmp_path / "photos")
    for times in (1, 3):
        out = f"memory://late-{to}/out-{times}"
        for variant in (0, 2, 1):
            vary(source, variant)
            run(source, tmp_path / f"clean-{times}-{variant}", to)
            use(monkeypatch, ForgetfulService(memory(), times))
            for _ in range(3 * times):
                # A part that is not listed yet may stop a run: the same command goes on.
                try:
                    run(source, out, to)
                except Stopped as error:
                    assert "run the same command again" in str(error)  # noqa: PT017
                    continue
                break
            use(monkeypatch, memory())
            run(source, out, to)
            clean = tree(tmp_path / f"clean-{times}-{variant}", hidden=False)
            assert bucket_tree(out) == clean, (times, variant)
