"""What must be true of OUT in a bucket at every instant, and services that fail."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from augcli.data.output import STATE, output_files
from augcli.data.run_record import RECORD
from augcli.data.sinks.opening import open_sink
from augcli.files.remote import objects, services
from augcli.plan.parts import Parts
from tests.buckets import download

if TYPE_CHECKING:
    import pytest

    from augcli.files.remote.services import Service

REQUESTS = ("read", "entry", "page", "put", "put_file", "remove")
WRITING = ("put", "put_file", "remove")


def bucket_tree(out: str) -> dict[str, bytes]:
    """Return the bytes of every object below OUT but run.json and the parts, by its name."""
    hidden = (RECORD, "parts.jsonl", STATE)
    return {name: data for name, data in download(out).items() if not name.startswith(hidden)}


def assert_committed_objects_are_true(out: str, to: str = "folder") -> int:
    """Check each row of each committed part against its object; return how many there are."""
    count = 0
    files = output_files(out)
    sink = open_sink(to, files)
    for stored in Parts(files, in_containers=to != "folder").read():
        part = stored.part
        assert part, f"an object is never cut short: {stored.shard}"
        if part.data:
            assert hashlib.sha256(files.read(part.data.name)).hexdigest() == part.data.sha256
        for made in part.made:
            data = sink.read(made.row.file_name)
            assert hashlib.sha256(data).hexdigest() == made.row.sha256, made.row.file_name
            count += 1
    files.close()
    return count


class FaultyService:
    """A service of which one request about OUT fails, or that one and all after it.

    Args:
        service: The service itself.
        out: OUT, with its bucket.
        nth: Which request fails, counted from 1; 0 for none.
        forever: Whether all after it fail too.
        lost: Whether it comes through, and only the answer is lost.
    """

    def __init__(
        self, service: Service, out: str, nth: int, *, forever: bool = False, lost: bool = False
    ) -> None:
        self._service = service
        self._out = out
        self._nth = nth
        self._forever = forever
        self._lost = lost
        self._lock = threading.Lock()
        self.count = 0
        self.fired = 0
        self.by_name: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._service, name)
        if name not in REQUESTS:
            return real

        def request(key: Any, *arguments: Any, **options: Any) -> Any:
            first = key if isinstance(key, str) else key[0]
            fails = first.startswith(self._out) and self._is_turn(name)
            if not fails:
                return real(key, *arguments, **options)
            if self._lost and name in WRITING:
                real(key, *arguments, **options)
            raise PermissionError(f"no {name} of {first}")

        return request

    def _is_turn(self, name: str) -> bool:
        with self._lock:
            self.count += 1
            is_turn = self._nth and (
                self.count == self._nth or (self._forever and self.count > self._nth)
            )
            self.fired += bool(is_turn)
            self.by_name[name] += bool(is_turn)
        return bool(is_turn)


class ForgetfulService:
    """A service whose listings show an object only after they were asked for a few times.

    Args:
        service: The service itself.
        times: How often an object is left out, and one that was removed is still listed.
    """

    def __init__(self, service: Service, times: int) -> None:
        self._service = service
        self._times = times
        self._hidden: Counter[str] = Counter()
        self._ghosts: dict[str, tuple[int, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def put(self, key: str, data: bytes, *, is_new: bool = False) -> None:
        """Write an object, which listings don't show yet if it is new."""
        is_there = self._service.entry(key) is not None
        self._service.put(key, data, is_new=is_new)
        if not is_there:
            self._hidden[key] = self._times

    def remove(self, keys: Any) -> None:
        """Remove objects, which listings still show."""
        for key in keys:
            entry = self._service.entry(key)
            if entry:
                self._ghosts[key] = self._times, entry
        self._service.remove(keys)

    def page(self, folder: str, following: Any = None, *, deep: bool = True) -> Any:
        """Return what is listed by now."""
        page = self._service.page(folder, following, deep=deep)
        seen = [entry for entry in page.entries if not self._hidden[entry.key]]
        for entry in page.entries:
            self._hidden[entry.key] -= self._hidden[entry.key] > 0
        there = {entry.key for entry in seen}
        for key, (left, entry) in list(self._ghosts.items()):
            is_inside = key.startswith(f"{folder}/") and (deep or "/" not in key[len(folder) + 1 :])
            if left and is_inside and key not in there:
                self._ghosts[key] = left - 1, entry
                seen.append(entry)
        return page._replace(entries=seen)


def use(monkeypatch: pytest.MonkeyPatch, service: Any) -> None:
    """Let all requests of this process go to a service."""
    monkeypatch.setattr(objects, "service", lambda _: service)


def memory() -> Service:
    """Return the service of this process's memory."""
    return services.service("memory")
