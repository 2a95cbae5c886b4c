"""Presence: an object shows that a run is at work in a bucket, as a lock does in a folder.

Nobody takes such an object away from a run that was killed. So it names the process and is written
anew every minute: it counts for nothing when its process is gone, or after five minutes. The next
run then puts one with the following number, which must be a new object: of several runs that come
at the same moment one gets it.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import Any, Final

from augcli.files.owners import GONE_AFTER, HOST, RENEWED_EVERY, is_alive
from augcli.files.reading import parse_json
from augcli.files.remote import objects

MOST_BYTES: Final = 10_000


class Presence:
    """The object of a run that is at work.

    Args:
        url: The object.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._token = os.urandom(4).hex()
        self._ended = threading.Event()

    @classmethod
    def take(cls, url: str) -> Presence | None:
        """Show that this run is at work; return None where another one is.

        Args:
            url: What all such objects begin with.

        Raises:
            OSError: It can't be written.
        """
        before = _numbers(url)
        if any(_counts(f"{url}-{number}") for number in before):
            return None
        number = max(before, default=0) + 1
        own = cls(f"{url}-{number}")
        if not objects.put_new(own._url, own._content()):
            return None
        others = [f"{url}-{other}" for other in _numbers(url) if other != number]
        if any(map(_counts, others)):
            own.close()
            return None
        objects.remove(others)
        threading.Thread(target=own._renew, name="augcli-presence", daemon=True).start()
        return own

    @staticmethod
    def is_taken(url: str) -> bool:
        """Return whether a run is at work."""
        return any(_counts(f"{url}-{number}") for number in _numbers(url))

    def remove(self) -> None:
        """Remove the object."""
        self.close()

    def close(self) -> None:
        """Remove the object, unless that is done."""
        if not self._ended.is_set():
            self._ended.set()
            try:
                objects.remove([self._url])
            except OSError:
                # Who may not remove objects may still write them; without a time it counts not.
                with contextlib.suppress(OSError):
                    objects.put(self._url, b"{}")

    def _renew(self) -> None:
        while not self._ended.wait(RENEWED_EVERY):
            # Where it fails for five minutes, nothing else can be written either.
            with contextlib.suppress(OSError):
                objects.put(self._url, self._content())
                if self._ended.is_set():
                    objects.remove([self._url])

    def _content(self) -> bytes:
        content = {"host": HOST, "process": os.getpid(), "time": time.time(), "run": self._token}
        return json.dumps(content).encode()


def _numbers(url: str) -> list[int]:
    """Return the numbers of all objects, those of runs that were killed too."""
    folder, _, leaf = url.rpartition("/")
    ends = [name.removeprefix(f"{leaf}-") for name in objects.names(folder)]
    return [int(end) for end in ends if end.isdecimal() and len(end) < 10]


def _counts(url: str) -> bool:
    """Return whether the run of an object is at work, for all that is known."""
    try:
        content: Any = parse_json(objects.read(url, 0, MOST_BYTES).data)
    except FileNotFoundError:
        return False
    except ValueError:
        content = {}
    if not isinstance(content, dict):
        return False
    process, written = content.get("process"), content.get("time")
    if not isinstance(written, int | float) or abs(time.time() - written) > GONE_AFTER:
        return False
    return content.get("host") != HOST or not isinstance(process, int) or is_alive(process)
