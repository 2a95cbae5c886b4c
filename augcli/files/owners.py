"""Owners: which process wrote a file, and whether that process is gone."""

from __future__ import annotations

import os
import re
import sys

from augcli.files.reading import read_file

_NODE = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
HOST = re.sub(r"[^A-Za-z0-9.-]", "_", _NODE)[:60]
"""This computer, in letters that a file name may have."""
RENEWED_EVERY = 60.0
"""Seconds after which a process that is at work writes again the file that shows it."""
GONE_AFTER = 300.0
"""Seconds after which such a file counts for nothing."""


def owner_token() -> str:
    """Return words for a file name that no other process has: computer, process, chance."""
    return f"{HOST}~{os.getpid()}~{os.urandom(4).hex()}"


def owner_is_gone(name: str) -> bool | None:
    """Return whether the process that a name tells of has ended.

    Args:
        name: Begins with what :func:`owner_token` gave.

    Returns:
        None where that can't be known: it was on another computer.
    """
    host, process, *_ = [*name.split("~"), "", ""]
    if host != HOST or not process.isdigit() or sys.platform == "win32":
        return None
    return not is_alive(int(process))


def is_alive(process: int) -> bool:
    """Return whether a process of this machine is at work; True where nobody says."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # it belongs to another user
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Return whether a process is dead and only not yet taken note of.

    In a container whose first process takes no note of dead children, it stays so for ever.
    """
    try:
        # The name of the program, in parentheses, may itself hold parentheses and spaces.
        fields = read_file(f"/proc/{process}/stat").data.rpartition(b")")[2].split()
    except OSError:
        return False
    return fields[:1] == [b"Z"]
