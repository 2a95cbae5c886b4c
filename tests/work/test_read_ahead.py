"""Reading ahead: the same bytes and the same errors, several at a time, in bounded memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest

from augcli.data.labels import Label
from augcli.data.stores.sources import MOST_BYTES, Source, SourceChanged, Sources
from augcli.work import read_ahead
from augcli.work.read_ahead import ReadAhead


@dataclass
class SlowStore:
    """A store that takes a while, and notes who reads what."""

    seconds: float = 0.01
    asked: list[str] = field(default_factory=list)
    most: int = 0
    _reading: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def list(self) -> Sources:
        raise NotImplementedError

    def adopt(self, sources: Sources) -> None:
        raise NotImplementedError

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        assert max_bytes == 10
        with self._lock:
            self.asked.append(source.path)
            self._reading += 1
            self.most = max(self.most, self._reading)
        time.sleep(self.seconds)
        with self._lock:
            self._reading -= 1
        if source.path == "bad":
            raise SourceChanged(0, "changed")
        return source.path.encode()


def sources(*names: str, size: int = 5) -> list[Source]:
    return [Source(name, Label.of("cat"), f"{size}-0") for name in names]


NAMES = [f"{number:03d}" for number in range(40)]


@pytest.mark.parametrize("threads", [1, 4])
def test_each_source_is_read_once_and_several_at_a_time(threads: int) -> None:
    store = SlowStore()
    ahead = ReadAhead(store, threads, 10)
    expected = sources(*NAMES)
    ahead.expect([*expected, *expected[:3]])
    assert [ahead.read(source) for source in expected] == [name.encode() for name in NAMES]
    assert sorted(store.asked) == NAMES
    assert store.most == threads
    ahead.close()


def test_what_fails_fails_when_its_turn_comes() -> None:
    ahead = ReadAhead(SlowStore(), 4, 10)
    first, bad, last = sources("first", "bad", "last")
    ahead.expect([first, bad, last])
    assert ahead.read(first) == b"first"
    with pytest.raises(SourceChanged):
        ahead.read(bad)
    assert ahead.read(last) == b"last"
    ahead.close()


def test_what_was_not_expected_is_read_too() -> None:
    store = SlowStore()
    ahead = ReadAhead(store, 2, 10)
    one, other = sources("one", "other")
    ahead.expect([one])
    assert ahead.read(other) == b"other"
    ahead.expect([])
    assert ahead.read(one) == b"one"
    ahead.close()


def test_little_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "MOST_BYTES", 12)
    store = SlowStore(0)
    ahead = ReadAhead(store, 8, 10)
    ahead.expect(sources(*NAMES))
    time.sleep(0.1)
    assert len(store.asked) == 2
    ahead.expect(sources("large", "next", size=1000))
    time.sleep(0.1)
    assert store.asked[2:] == ["large"]
    ahead.close()


def test_what_follows_is_read_too_and_kept() -> None:
    store = SlowStore(0)
    ahead = ReadAhead(store, 4, 10)
    shards = [sources(*NAMES[at : at + 10]) for at in range(0, 40, 10)]
    coming = iter(shards[1:])
    for shard in shards:
        ahead.expect([*shard, *sources("unneeded")], lambda: next(coming, ()))
        assert [ahead.read(source) for source in shard] == [one.path.encode() for one in shard]
    read = [name for name in store.asked if name != "unneeded"]
    assert sorted(read) == NAMES, "each once, though it was read before its shard began"


def test_what_two_shards_need_is_there_for_both() -> None:
    store = SlowStore(0)
    ahead = ReadAhead(store, 4, 10)
    first, second = sources("a", "b", "c"), sources("c", "d")
    coming = iter([second])
    ahead.expect(first, lambda: next(coming, ()))
    assert [ahead.read(source) for source in first] == [b"a", b"b", b"c"]
    ahead.expect(second)
    assert [ahead.read(source) for source in second] == [b"c", b"d"]
    ahead.close()


def test_another_shard_than_the_expected_is_read_all_the_same() -> None:
    ahead = ReadAhead(SlowStore(0), 4, 10)
    coming = iter([sources("x", "y")])
    ahead.expect(sources("a"), lambda: next(coming, ()))
    assert ahead.read(sources("a")[0]) == b"a"
    ahead.expect(sources("p", "q"))
    assert [ahead.read(source) for source in sources("p", "q")] == [b"p", b"q"]
    ahead.close()
