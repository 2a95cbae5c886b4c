"""Presence: files by which the tasks of an array job show that they are at work in OUT.

A task renews its file every minute. It counts as at work until the file is five minutes old, by
the clock of the file system, or until its process is gone, where that was on this computer. When it
ends, a file without the name of the process stays: which task had which shards.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from augcli.data.output import TASKS, output_files
from augcli.errors import OutputError
from augcli.files import (
    GONE_AFTER,
    HOST,
    JSON_LIMIT,
    RENEWED_EVERY,
    owner_is_gone,
    owner_token,
    parse_json,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from augcli.files import OutputFiles

ENDING: Final = ".json"
AT_WORK: Final = "at work"


@dataclass(frozen=True)
class TaskFile:
    """What a task says of itself.

    Attributes:
        number: Which task, 0 and up.
        count: Of how many.
        plan: Hash of the plan that it works on.
        host: The computer.
        state: ``at work``, ``done`` or ``stopped``.
    """

    number: int
    count: int
    plan: str
    host: str = HOST
    state: str = AT_WORK

    @property
    def words(self) -> str:
        """The task for people.

        Example:
            >>> TaskFile(3, 100, "3f9a", "node7").words
            '3/100 on node7'
        """
        return f"{self.number}/{self.count} on {self.host}"


@dataclass(frozen=True)
class SeenTask:
    """A task's file, as another process sees it.

    Attributes:
        task: What it says.
        age: Seconds since it was renewed.
        is_at_work: Whether the task is at work, for all that is known.
    """

    task: TaskFile
    age: float
    is_at_work: bool


class TaskPresence:
    """Shows that a task is at work while the block of a ``with`` lasts.

    Args:
        out: OUT, absolute.
        task: The task.
    """

    def __init__(self, out: str, task: TaskFile) -> None:
        # Of its own: another thread writes with it.
        self._files = output_files(out)
        self._task = task
        self._plain = f"{TASKS}/{task.number}-of-{task.count}"
        self._name = f"{TASKS}/{owner_token()}~{task.number}-of-{task.count}{ENDING}"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        self._publish(self._name, self._task)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()
        state = "done" if error is None else "stopped"
        ended = TaskFile(self._task.number, self._task.count, self._task.plan, state=state)
        with contextlib.suppress(OSError):
            # OUT may be finished by now: nothing is written into it then.
            if self._files.size(self._name) is not None:
                self._publish(f"{self._plain}{ENDING}", ended)
                self._files.remove(self._name)
        self._files.close()

    def _renew(self) -> None:
        while not self._ending.wait(RENEWED_EVERY):
            with contextlib.suppress(OSError):
                if self._files.size(self._name) is not None:
                    self._publish(self._name, self._task)

    def _publish(self, name: str, task: TaskFile) -> None:
        self._files.publish(name, json.dumps(asdict(task)).encode("utf-8") + b"\n")


def seen_tasks(files: OutputFiles, now: float) -> list[SeenTask]:
    """Return the tasks whose files lie in OUT, by number; the newest file of each last.

    Args:
        files: Reads OUT.
        now: The time, by the clock that gives files there their times.
    """
    seen = []
    for name in files.names(TASKS):
        try:
            content = parse_json(files.read(f"{TASKS}/{name}", JSON_LIMIT))
            task = TaskFile(**content)
            written = files.modified(f"{TASKS}/{name}")
        except (OSError, ValueError, TypeError):
            continue
        if written is None or not all(type(each) is int for each in (task.number, task.count)):
            continue
        age = max(0.0, now - written)
        is_at_work = task.state == AT_WORK and age < GONE_AFTER and not owner_is_gone(name)
        seen.append(SeenTask(task, age, is_at_work))
    return sorted(seen, key=lambda each: (each.task.number, -each.age))


def refuse_tasks(files: OutputFiles, out: object) -> None:
    """Refuse to change what tasks at work rely on.

    Args:
        files: Of OUT.
        out: OUT, as it was given.

    Raises:
        OutputError: A task is at work there.
    """
    if not files.names(TASKS):
        return
    at_work = [each for each in seen_tasks(files, files.clock()) if each.is_at_work]
    if at_work:
        first = at_work[0]
        more = f" (and {len(at_work) - 1:,} more)" if len(at_work) > 1 else ""
        raise OutputError(
            f"OUT {out} is in use by task {first.task.words}{more}, last seen {first.age:.0f} s "
            "ago; wait for it to end, or give `force` if it is gone"
        )
