"""The output folder: whose it is, what its run.json says, and who is writing to it."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from augcli.data.run_record import RECORD, RunRecord
from augcli.data.stopping import FULL, TOO_MANY_OPEN, stopped, writing
from augcli.errors import OutputError, Stopped
from augcli.files import (
    JSON_LIMIT,
    Folder,
    is_bucket,
    is_url,
    parse_json,
    real_place,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stopping import Checkpoint
    from augcli.files import Fsync, Lock, OutputFiles, Place

STATE = ".augcli"
"""What a run needs until it is complete; a finished folder has none."""
TEMPORARY = f"{STATE}/tmp"
PARTS = f"{STATE}/parts"
"""The records of finished shards, until the run is complete."""
FOLDED_PARTS = "parts.jsonl.gz"
"""The same when it is complete: the parts one after the other."""
MAPS = f"{STATE}/heatmaps"
"""Heat maps that a run stores for its other copies, and for the run that continues it."""
LOCK = f"{STATE}/lock"
PLAN = f"{STATE}/plan.json"
"""What is to be made, where several machines make it: see :mod:`augcli.run.cluster`."""
PREPARING = f"{STATE}/preparing"
"""Locked by the process that makes the plan, while others wait for it."""
TASKS = f"{STATE}/tasks"
"""A file for each task that makes shards of the plan."""
LISTS = f"{STATE}/sources"
"""The list of sources of the plan."""
LOCK_TRIES = 5
LOCK_SECONDS = 0.05


def output_files(path: str, fsync: Fsync = "none") -> OutputFiles:
    """Return what writes into OUT, also for workers.

    Args:
        path: OUT: an absolute path, or the URL of a folder in a bucket.
        fsync: When what is published is forced to the disk; what lies in a bucket is safe at once.
    """
    if not is_url(path):
        return Folder(path, TEMPORARY, fsync)
    from augcli.files.remote.bucket import Bucket  # noqa: PLC0415 - few runs write to one

    return Bucket(path)


class OutputFolder:
    """One output folder, OUT.

    Args:
        folder: OUT; need not be there.
        fsync: When what is published is forced to the disk.
        record_name: The file in it that says what command made it.

    Attributes:
        folder: OUT as it was given.
        path: The same, absolute, or a URL.
        files: Reads, publishes and removes its files.

    Raises:
        OutputError: It is there, is not empty and was not made by augcli.
    """

    def __init__(self, folder: Place, fsync: Fsync = "none", record_name: str = RECORD) -> None:
        self.folder = folder
        self.path = real_place(folder)
        if is_url(self.path) and not is_bucket(self.path):
            raise OutputError(f"OUT {folder} lies on a web server; give a bucket, or a folder here")
        self.files = output_files(self.path, fsync)
        self._lock: Lock | None = None
        try:
            kind = self.files.kind()
            if kind == "file":
                raise OutputError(f"OUT {folder} is not a folder; give another with `out`")
            if not kind:
                return
            names = self.files.names("")
            # Asked for by its name: what a bucket lists may be late.
            is_ours = record_name in names or self.files.size(record_name) is not None
        except OSError as error:
            raise OutputError(
                f"OUT {folder} can't be read ({error.strerror}); "
                "fix that, or give another folder with `out`"
            ) from None
        if set(names) - {STATE} and not is_ours:
            if FOLDED_PARTS in names or STATE in names:
                raise OutputError(
                    f"OUT {folder} has no {record_name}, which says what command made its files; "
                    "restore it, or give another folder with `out`"
                )
            raise OutputError(
                f"OUT {folder} holds files that augcli did not make; "
                "give another folder with `out`, or an empty one"
            )

    def record(self) -> RunRecord | None:
        """Return what run.json says, None where there is none.

        Raises:
            OutputError: It is not what augcli wrote.
        """
        try:
            return RunRecord.from_json(parse_json(self.files.read(RECORD, JSON_LIMIT)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise OutputError(
                f"{self.folder / RECORD} can't be read ({reason}); "
                "restore it, or give another folder with `out`"
            ) from None

    def write_record(self, record: RunRecord) -> None:
        """Write run.json."""
        with writing(self.path):
            self.files.publish(RECORD, record.to_bytes())
            self.files.sync()

    @property
    def has_state(self) -> bool:
        """Whether a run is at work in it, or ended before it was complete."""
        # A link or a file in its place counts too.
        return self.files.size(STATE) is not None or self.files.has_folder(STATE)

    def open(self) -> None:
        """Make the folder if it is missing, and lock it.

        Raises:
            OutputError: It can't be made, or another run is at work in it.
            Stopped: A run has begun in it, but it can't be written now, or the disk is full.
        """
        with self._beginning():
            is_ours = self._take_lock()
        if not is_ours:
            raise self.in_use()
        self.files.remove_unfinished()

    def in_use(self) -> OutputError:
        """Say that another run holds the lock."""
        return OutputError(
            f"OUT {self.folder} is in use by another run of augcli; wait for it to end"
        )

    @contextlib.contextmanager
    def _beginning(self) -> Iterator[None]:
        """Say what is wrong where nothing can be written from the start."""
        begun = self.has_state
        try:
            yield
        except OSError as error:
            if begun or error.errno in (*FULL, *TOO_MANY_OPEN):
                raise stopped(error, self.path) from None
            raise OutputError(
                f"OUT {self.folder} can't be written ({error.strerror}); "
                "give write permission, or another folder with `out`"
            ) from None

    @contextlib.contextmanager
    def preparing(self, checkpoint: Checkpoint) -> Iterator[None]:
        """Be the only process that makes the plan of OUT; wait while another one does.

        A process that gets its turn may find a plan. Where there is none at the end, nothing is
        left of a folder that was made for it.

        Args:
            checkpoint: Called while this process waits; what it raises ends that.

        Raises:
            OutputError: OUT can't be made.
        """
        with self._beginning():
            is_new = not self.files.kind()
            self._make_folders()
        lock: Lock | None = None
        try:
            while not lock:
                checkpoint()
                lock = self.files.lock(PREPARING)
                if not lock:
                    time.sleep(LOCK_SECONDS)
            yield
        finally:
            if lock and not self.has_plan:
                lock.remove()
                self._remove_folders()
                self.files.close()
                if is_new:
                    self.files.remove_root()
            if lock:
                lock.close()

    def _make_folders(self) -> None:
        self.files.begin(PARTS, TEMPORARY)
        self.files.names(MAPS)  # refuses a link there

    def _remove_folders(self) -> None:
        """Remove the hidden folder and those in it, where they are empty."""
        for name in (TEMPORARY, PARTS, STATE):
            self.files.remove_folder(name)

    def _take_lock(self) -> bool:
        """Take the lock; ``augcli status`` may hold it for an instant."""
        for _ in range(LOCK_TRIES):
            self._make_folders()
            self._lock = self.files.lock(LOCK)
            if self._lock:
                return True
            time.sleep(LOCK_SECONDS)
        return False

    def is_locked(self) -> bool:
        """Return whether a run is at work in the folder now."""
        return self.files.is_locked(LOCK)

    def close(self) -> None:
        """Let go of the lock; a folder without any parts or maps loses its hidden folder."""
        if not self._lock:
            return
        # A worker that was killed may have left a file.
        self.files.remove_unfinished()
        with contextlib.suppress(OSError):
            if not self.has_plan:
                # Else tasks rely on these folders.
                self.files.remove(PREPARING)
                for name in (TEMPORARY, PARTS):
                    self.files.remove_folder(name)
            if self.files.names(STATE) == [os.path.basename(LOCK)]:
                self._lock.remove()
        self.files.close()
        self._lock.close()
        self._lock = None

    @property
    def has_plan(self) -> bool:
        """Whether several machines make it, by a plan that they share."""
        return self.files.size(PLAN) is not None

    def forget_plan(self) -> None:
        """Remove the plan that several machines share, and what belongs to it."""
        # First the plan itself: no task goes on without it.
        self.files.remove(PLAN)
        self.files.remove_files(TASKS)
        self.files.remove_files(LISTS)

    def forget_maps(self) -> None:
        """Remove the heat maps that a run stored; it is complete."""
        self.files.remove_files(MAPS)

    def check_is_there(self) -> None:
        """Raise Stopped where the folder was removed during the run."""
        if not self.has_state:
            raise Stopped(
                f"OUT {self.folder} was removed while it was being written; "
                "run the same command again to make it anew"
            )
