"""A trial of a folder: can outputs be written, renamed and locked there?"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from augcli.data.output import OutputFolder
from augcli.errors import AugcliError

NAME = "class/" + "n" * 130 + ".jpg"
"""About as long as the name of an output can be."""


@dataclass(frozen=True)
class FolderTrial:
    """What a folder showed.

    Attributes:
        failure: What can't be done there; empty where all can.
        free: Bytes that are left.
        locks: Whether a second run would notice a first one.
    """

    failure: str
    free: int
    locks: bool


def try_folder(path: str) -> FolderTrial:
    """Begin an output folder inside of a folder, as a run does, and remove it.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = try_folder(folder)
        ...     found.failure, found.locks, list(Path(folder).iterdir())
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
