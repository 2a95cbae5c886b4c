"""A trial: can a folder be written, and how much room does it have?"""

from __future__ import annotations

import contextlib
import os
import shutil

from augcli.files.publishing import create_file, remove_file


def try_folder(folder: str) -> None:
    """Make a folder, if it is missing, and a file in it, and remove both again.

    Args:
        folder: Absolute.

    Raises:
        OSError: It can't be written.
    """
    missing = [folder]
    while not os.path.lexists(os.path.dirname(missing[-1])):
        missing.append(os.path.dirname(missing[-1]))
    made: list[str] = []
    try:
        for path in reversed(missing):
            if not os.path.isdir(path):
                os.mkdir(path)
                made.append(path)
        trial = os.path.join(folder, f".augcli-trial-{os.getpid()}")
        create_file(trial, b"")
        remove_file(trial)
    finally:
        for path in reversed(made):
            # A run that began meanwhile needs it.
            with contextlib.suppress(OSError):
                os.rmdir(path)


def free_bytes(folder: str) -> int:
    """Return how many bytes the disk of a folder has left; the folder need not be there."""
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return shutil.disk_usage(folder).free
