"""Putting: objects are put while the next ones are made, in bounded memory, in the order asked."""

from __future__ import annotations

import threading

import pytest

from augcli.files.remote import objects, putting
from augcli.files.remote.bucket import Bucket


class SlowObjects:
    """Objects that are put one by one, each when it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.put: dict[str, bytes] = {}
        self.gates: dict[str, threading.Event] = {}
        self.broken: set[str] = set()
        monkeypatch.setattr(objects, "put", self._put)

    def hold(self, name: str) -> threading.Event:
        """Let an object wait; return what lets it through."""
        return self.gates.setdefault(name, threading.Event())

    def _put(self, url: str, data: bytes) -> None:
        name = url.rpartition("/")[2]
        self.begun.append(name)
        if name in self.gates:
            assert self.gates[name].wait(10)
        if name in self.broken:
            raise PermissionError(name)
        self.put[name] = data


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowObjects:
    return SlowObjects(monkeypatch)


def test_what_is_first_is_there_before_the_others_begin(slow: SlowObjects) -> None:
    files = Bucket("memory://out").apart()
    gate = slow.hold("first")
    files.publish_first("first", b"1")
    for name in "abc":
        files.publish(name, b"2")
    assert not slow.put
    assert slow.begun in ([], ["first"])
    gate.set()
    files.sync()
    assert slow.begun[0] == "first"
    assert slow.put.keys() == {"first", "a", "b", "c"}


def test_nothing_follows_where_the_first_fails(slow: SlowObjects) -> None:
    files = Bucket("memory://out").apart()
    slow.broken.add("first")
    gate = slow.hold("first")
    files.publish_first("first", b"1")
    for name in "abc":
        files.publish(name, b"2")
    gate.set()
    with pytest.raises(PermissionError):
        files.sync()
    assert not slow.put


def test_a_shard_waits_for_no_other(slow: SlowObjects) -> None:
    out = Bucket("memory://out")
    one, other = out.apart(), out.apart()
    gate = slow.hold("slow")
    one.publish("slow", b"1")
    other.publish("quick", b"2")
    other.sync()
    assert slow.put == {"quick": b"2"}
    gate.set()
    one.sync()
    out.close()


def test_little_waits_to_be_put(slow: SlowObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(putting, "MOST_WAITING_BYTES", 10)
    out = Bucket("memory://out")
    gate = slow.hold("large")
    out.publish("large", b"x" * 100)
    others = threading.Thread(target=out.publish, args=("next", b"y"))
    others.start()
    others.join(0.1)
    assert others.is_alive(), "the next one waits for room"
    gate.set()
    others.join(10)
    out.sync()
    assert slow.begun == ["large", "next"]
