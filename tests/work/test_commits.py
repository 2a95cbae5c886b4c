"""Commits: shards are committed while others are made, a few at a time, and no error is lost."""

from __future__ import annotations

import threading

import pytest

from augcli.work.commits import Commits


def test_by_default_each_is_committed_at_once() -> None:
    done: list[int] = []
    commits = Commits()
    for number in range(3):
        commits.add(lambda number=number: done.append(number))  # type: ignore[misc]
        assert done[-1] == number
    commits.wait()


def test_a_few_are_committed_at_a_time() -> None:
    gate = threading.Event()
    begun = threading.Semaphore(0)

    def commit() -> None:
        begun.release()
        assert gate.wait(10)

    commits = Commits(2)
    commits.add(commit)
    commits.add(commit)
    third = threading.Thread(target=commits.add, args=(commit,))
    third.start()
    assert all(begun.acquire(timeout=10) for _ in range(2))
    third.join(0.1)
    assert third.is_alive(), "the third waits for the first"
    gate.set()
    third.join(10)
    commits.wait()
    assert begun.acquire(timeout=10)


def test_an_error_comes_out() -> None:
    def fail() -> None:
        raise PermissionError("refused")

    commits = Commits(1)
    commits.add(fail)
    with pytest.raises(PermissionError, match="refused"):
        commits.wait()
