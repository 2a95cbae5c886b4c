"""Trying a folder: can outputs be written, renamed and locked in it?"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from augcli.data.output import OutputFolder
from augcli.errors import AugcliError

NAME = "class/" + "n" * 130 + ".jpg"
"""About the longest name that an output can have."""


@dataclass(frozen=True)
class FolderTrial:
    """The result of trying a folder.

    Attributes:
        failure: What failed; empty if nothing did.
        free: Free space in bytes.
        locks: Whether a second run in the folder would be refused.
    """

    failure: str
    free: int
    locks: bool


def try_folder(path: str) -> FolderTrial:
    """Make an output folder in a folder, as a run does, and remove it.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     trial = try_folder(folder)
        ...     trial.failure, trial.locks, list(Path(folder).iterdir())
        ('', True, [])
    """
    free = 0
    try:
        free = shutil.disk_usage(path).free
        inside = tempfile.mkdtemp(prefix="augcli-doctor-", dir=path)
    except OSError as error:
        return FolderTrial(error.strerror or str(error), free, locks=False)
    output, second = OutputFolder(Path(inside)), OutputFolder(Path(inside))
    try:
        output.open()
        output.files.publish(NAME, b"written whole, then renamed")
        output.files.sync()
        return FolderTrial("", free, second.is_locked())
    except OSError as error:
        return FolderTrial(error.strerror or str(error), free, locks=False)
    except AugcliError as error:
        return FolderTrial(str(error), free, locks=False)
    finally:
        output.close()
        with contextlib.suppress(OSError):
            shutil.rmtree(inside)
