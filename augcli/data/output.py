"""The output folder: whose it is, what its run.json says, and who is writing to it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import IO, TYPE_CHECKING

from augcli.data.run_record import RECORD, RunRecord
from augcli.data.stopping import FULL, TOO_MANY_OPEN, stopped, writing
from augcli.errors import OutputError, Stopped
from augcli.files import JSON_LIMIT, Folder, parse_json, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from augcli.data.stopping import Checkpoint
    from augcli.files import Fsync

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


def output_files(path: str, fsync: Fsync = "none") -> Folder:
    """Return what writes into OUT, also for workers.

    Args:
        path: OUT, absolute.
        fsync: When what is published is forced to the disk.
    """
    return Folder(path, TEMPORARY, fsync)


class OutputFolder:
    """One output folder, OUT.

    Args:
        folder: OUT; need not be there.
        fsync: When what is published is forced to the disk.
        record_name: The file in it that says what command made it.

    Attributes:
        folder: OUT as it was given.
        path: The same, absolute.
        files: Reads, publishes and removes its files.

    Raises:
        OutputError: It is there, is not empty and was not made by augcli.
    """

    def __init__(self, folder: Path, fsync: Fsync = "none", record_name: str = RECORD) -> None:
        self.folder = folder
        self.path = os.path.realpath(folder)
        self.files = output_files(self.path, fsync)
        self._lock: IO[bytes] | None = None
        if not os.path.lexists(folder):
            return
        if not os.path.isdir(folder):
            raise OutputError(f"OUT {folder} is not a folder; give another with `out`")
        try:
            names = os.listdir(self.path)
        except OSError as error:
            raise OutputError(
                f"OUT {folder} can't be read ({error.strerror}); "
                "fix that, or give another folder with `out`"
            ) from None
        if set(names) - {STATE} and record_name not in names:
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
        return self.files.size(STATE) is not None

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
        is_new = not os.path.lexists(self.path)
        with self._beginning():
            self._make_folders()
            lock = self.files.open_table(PREPARING)
        try:
            while not try_lock(lock):
                checkpoint()
                time.sleep(LOCK_SECONDS)
            yield
        finally:
            if not self.has_plan:
                self.files.remove(PREPARING)
                self._remove_folders()
                self.files.close()
                if is_new:
                    with contextlib.suppress(OSError):
                        os.rmdir(self.path)
            lock.close()

    def _make_folders(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        self.files.close()  # the folder may be a new one
        for name in (PARTS, TEMPORARY):
            self.files.make_folder(name)
        self.files.names(MAPS)  # refuses a link there

    def _remove_folders(self) -> None:
        """Remove the hidden folder and those in it, where they are empty."""
        for name in (TEMPORARY, PARTS, STATE):
            self.files.remove_folder(name)

    def _take_lock(self) -> bool:
        """Take the lock; ``augcli status`` may hold it for an instant."""
        for _ in range(LOCK_TRIES):
            self._make_folders()
            # Held until close(): the lock lives as long as the file is open.
            lock = self.files.open_table(LOCK)
            if try_lock(lock):
                if self._is_in_place(lock):
                    self._lock = lock
                    return True
                # The run that held it ended meanwhile and removed it.
                lock.close()
                continue
            lock.close()
            time.sleep(LOCK_SECONDS)
        return False

    def _is_in_place(self, lock: IO[bytes]) -> bool:
        """Return whether an open lock is the file that has its name now."""
        try:
            # By its path: OUT itself may have been removed and made anew.
            named = os.stat(os.path.join(self.path, LOCK))
        except OSError:
            return False
        return os.path.samestat(named, os.fstat(lock.fileno()))

    def is_locked(self) -> bool:
        """Return whether a run is at work in the folder now."""
        try:
            with self.files.open(LOCK) as file:
                return not try_lock(file)
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the lock; a folder without any parts or maps loses its hidden folder."""
        if not self._lock:
            return
        # A worker that was killed may have left a file.
        self.files.remove_unfinished()
        if not self.has_plan:
            # Else tasks rely on these folders.
            self.files.remove(PREPARING)
            for name in (TEMPORARY, PARTS):
                self.files.remove_folder(name)
        with contextlib.suppress(OSError):
            if self.files.names(STATE) == [os.path.basename(LOCK)]:
                if sys.platform == "win32":
                    self._lock.close()
                # Removed while it is held: a run that waits for it sees that it lost its name.
                self.files.remove(LOCK)
                self.files.remove_folder(STATE)
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
