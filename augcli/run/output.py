"""The output folder: whose it is, what its run.json says, and who is writing to it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import IO, TYPE_CHECKING, Any

from augcli.data.manifest import CARD, CLASSES, ERRORS, MANIFEST
from augcli.data.publish import Publisher
from augcli.errors import OutputError, Stopped
from augcli.run.parts import PARTS, read_part
from augcli.run.stopping import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from augcli.run.parts import Part

RECORD = "run.json"
STATE = ".augcli"
LOCK = f"{STATE}/lock"


class Output:
    """One output folder.

    Args:
        folder: OUT; need not be there.

    Raises:
        OutputError: It is there, is not empty and is not ours.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = os.path.realpath(folder)
        self.publisher = Publisher(self.path, os.path.join(self.path, STATE, "tmp"))
        self._lock: IO[bytes] | None = None
        if not os.path.lexists(folder):
            return
        if not folder.is_dir():
            raise OutputError(f"OUT {folder} is not a folder; give another with --out")
        try:
            names = os.listdir(self.path)
        except OSError as error:
            raise OutputError(f"OUT {folder} can't be read ({error.strerror})") from None
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
        if not isinstance(found, dict):
            raise OutputError(f"{self.folder / RECORD} is not what augcli wrote")
        return found

    def open(self) -> None:
        """Make the folder where it lacks, and lock it.

        Raises:
            OutputError: It can't be made or written, or another run is at work in it.
        """
        try:
            for name in (PARTS, f"{STATE}/tmp"):
                os.makedirs(os.path.join(self.path, name), exist_ok=True)
            # Held until close(): the lock lives as long as the file is open.
            self._lock = open(os.path.join(self.path, LOCK), "ab")  # noqa: SIM115
        except OSError as error:
            raise OutputError(
                f"OUT {self.folder} can't be written ({error.strerror}); "
                "give write permission, or another folder with --out"
            ) from None
        if not _try_lock(self._lock):
            self.close()
            raise OutputError(
                f"OUT {self.folder} is in use by another run of augcli; wait for it to end"
            )
        # Files that a killed run left unfinished.
        for entry in os.scandir(os.path.join(self.path, STATE, "tmp")):
            os.unlink(entry.path)

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

    def part_names(self) -> Iterator[str]:
        """Yield the names of all shards that have a part."""
        try:
            for name in sorted(os.listdir(os.path.join(self.path, PARTS))):
                if name.endswith(".jsonl"):
                    yield name.removesuffix(".jsonl")
        except FileNotFoundError:
            return

    def part(self, shard: str) -> Part | None:
        """Return the part of a shard, None where there is none or it is damaged."""
        return read_part(self.path, shard)

    def clear(self) -> None:
        """Remove what the parts recorded, and the files that describe it; nothing else."""
        folders: set[str] = set()
        for shard in list(self.part_names()):
            part = self.part(shard)
            for made in part.made if part else ():
                self.publisher.remove(made.row.file_name)
                folders.add(made.row.file_name.rpartition("/")[0])
        shutil.rmtree(os.path.join(self.path, PARTS), ignore_errors=True)
        for name in (MANIFEST, CLASSES, ERRORS, CARD, RECORD):
            self.publisher.remove(name)
        self.remove_empty(folders)
        os.makedirs(os.path.join(self.path, PARTS), exist_ok=True)

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
