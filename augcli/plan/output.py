"""The output folder: whose it is, what its run.json says, and who is writing to it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from typing import IO, TYPE_CHECKING, Any

from augcli.data.manifest import CARD, CLASSES, ERRORS, MANIFEST
from augcli.data.stopping import FULL, stopped, writing
from augcli.errors import OutputError, Stopped
from augcli.files import Publisher
from augcli.plan.parts import PARTS, UNFINISHED, Part, commit_part, part_name, read_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from augcli.files import Fsync

RECORD = "run.json"
STATE = ".augcli"
LOCK = f"{STATE}/lock"
MAPS = f"{STATE}/heatmaps"
"""Heat maps that a run keeps for its other copies, and for going on after a kill."""
LOCK_TRIES = 5
LOCK_SECONDS = 0.05


class Output:
    """One output folder.

    Args:
        folder: OUT; need not be there.
        fsync: When what is published is forced to the disk.

    Raises:
        OutputError: It is there, is not empty and is not ours.
    """

    def __init__(self, folder: Path, fsync: Fsync = "none") -> None:
        self.folder = folder
        self.path = os.path.realpath(folder)
        self.publisher = Publisher(self.path, os.path.join(self.path, STATE, "tmp"), fsync)
        self._lock: IO[bytes] | None = None
        if not os.path.lexists(folder):
            return
        if not os.path.isdir(folder):
            raise OutputError(f"OUT {folder} is not a folder; give another with --out")
        try:
            names = os.listdir(self.path)
        except OSError as error:
            raise OutputError(
                f"OUT {folder} can't be read ({error.strerror}); "
                "mend that, or give another folder with --out"
            ) from None
        if names and STATE not in names:
            raise OutputError(
                f"OUT {folder} holds files that augcli did not make; "
                "give another folder with --out, or an empty one"
            )

    @property
    def exists(self) -> bool:
        """Whether a run of ours has begun here."""
        return os.path.isdir(os.path.join(self.path, STATE))

    def record(self) -> dict[str, Any]:
        """Return what run.json says, empty where there is none.

        Raises:
            OutputError: It is not what augcli wrote.
        """
        try:
            with open(os.path.join(self.path, RECORD), encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{self.folder / RECORD} can't be read ({error}); "
                "restore it, or give another folder with --out"
            ) from None
        if not _is_record(found):
            raise OutputError(
                f"{self.folder / RECORD} is not what augcli wrote; "
                "restore it, or give another folder with --out"
            )
        return dict(found)

    def open(self) -> None:
        """Make the folder where it lacks, and lock it.

        Raises:
            OutputError: It can't be made, or another run is at work in it.
            Stopped: A run has begun in it, but it can't be written now, or the disk is full.
        """
        begun = self.exists
        try:
            for name in (PARTS, f"{STATE}/tmp"):
                os.makedirs(os.path.join(self.path, name), exist_ok=True)
            # Held until close(): the lock lives as long as the file is open.
            self._lock = open(os.path.join(self.path, LOCK), "ab")  # noqa: SIM115
        except OSError as error:
            if begun or error.errno in FULL:
                raise stopped(error, self.path) from None
            raise OutputError(
                f"OUT {self.folder} can't be written ({error.strerror}); "
                "give write permission, or another folder with --out"
            ) from None
        if not self._is_ours():
            self.close()
            raise OutputError(
                f"OUT {self.folder} is in use by another run of augcli; wait for it to end"
            )
        # Files that a killed run left unfinished.
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(os.path.join(self.path, STATE, "tmp"))):
                os.unlink(entry.path)

    def _is_ours(self) -> bool:
        """Take the lock; ``augcli status`` may hold it for an instant."""
        assert self._lock
        for _ in range(LOCK_TRIES):
            if _try_lock(self._lock):
                return True
            time.sleep(LOCK_SECONDS)
        return False

    def is_locked(self) -> bool:
        """Return whether a run is at work in the folder now."""
        try:
            with open(os.path.join(self.path, LOCK), "rb") as file:
                return not _try_lock(file)
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the lock."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def write_record(self, record: dict[str, Any]) -> None:
        """Write run.json."""
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        with writing(self.path):
            self.publisher.publish(RECORD, text.encode("utf-8", "backslashreplace"))
            self.publisher.sync()

    def part_names(self) -> Iterator[str]:
        """Yield the names of all shards that have a part."""
        try:
            for name in sorted(os.listdir(os.path.join(self.path, PARTS))):
                if name.endswith(".json"):
                    yield name.removesuffix(".json")
        except FileNotFoundError:
            return

    def part(self, shard: str) -> Part | None:
        """Return the part of a shard, None where there is none or it is damaged.

        Raises:
            Stopped: It can't be read: what it records must not be taken for lost.
        """
        try:
            return read_part(self.path, shard)
        except OSError as error:
            raise Stopped(
                f"{os.path.join(self.path, part_name(shard))} can't be read ({error.strerror}); "
                "mend that, or remove the file to make its shard anew, then run the same command "
                "again to go on"
            ) from None

    def clear(self) -> None:
        """Remove what the parts recorded, and the files that describe it; nothing else."""
        folders: set[str] = set()
        for shard in list(self.part_names()):
            folders |= self.drop(shard)
        for name in (MANIFEST, CLASSES, ERRORS, CARD, RECORD):
            self.publisher.remove(name)
        self.remove_empty(folders)

    def drop(self, shard: str) -> set[str]:
        """Remove a shard's outputs and its part; return the folders that they lay in.

        First the part forgets its outputs, so that no part ever names a file that is gone;
        they are noted as obsolete, so that a killed run is gone on with.
        """
        part = self.part(shard)
        names = [one.row.file_name for one in part.made] + part.obsolete if part else []
        if part and part.made:
            emptied = Part(shard, UNFINISHED, obsolete=names)
            with writing(self.path):
                commit_part(self.publisher, emptied)
                self.publisher.sync()
        for name in names:
            self.publisher.remove(name)
        self.publisher.remove(part_name(shard))
        return {name.rpartition("/")[0] for name in names}

    def forget_maps(self) -> None:
        """Remove the heat maps that a run kept; it is complete."""
        shutil.rmtree(os.path.join(self.path, MAPS), ignore_errors=True)

    def remove_empty(self, folders: set[str]) -> None:
        """Remove folders of outputs that are empty now, and those above them."""
        for folder in sorted(folders - {""}, key=len, reverse=True):
            path = os.path.join(self.path, folder)
            try:
                while path != self.path:
                    os.rmdir(path)
                    path = os.path.dirname(path)
            except OSError:
                continue

    def check_is_there(self) -> None:
        """Raise Stopped where the folder vanished during the run."""
        if not self.exists:
            raise Stopped(
                f"OUT {self.folder} was removed while it was being written; "
                "run the same command again to make it anew"
            )


def _is_record(found: Any) -> bool:
    """Return whether run.json holds what a run relies on."""
    if not isinstance(found, dict):
        return False
    identity, shards, colour = (found.get(one) for one in ("identity", "shards", "mean_colour"))
    return (
        isinstance(identity, dict)
        and isinstance(identity.get("command"), str)
        and found.get("state") in ("running", "complete")
        and type(shards) is int
        and 0 < shards < 2**32
        and shards & (shards - 1) == 0
        and (colour is None or _is_colour(colour))
    )


def _is_colour(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) == 3
        and all(type(one) is int and 0 <= one <= 255 for one in found)
    )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        """Lock a file for this process; the system lets go of it when the process ends."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        """Lock a file for this process; the system lets go of it when the process ends."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
