"""What attacks do to the system: users without rights, small disks, processes."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHTS = "dac_override,-dac_read_search,-fowner,-chown,-linux_immutable"
WITHOUT_RIGHTS = f'exec setpriv --bounding-set=-{RIGHTS} -- "$@"'
"""Root without its rights over the files of others, who are another user (see :data:`OTHER`)."""
OTHER = 65534
READER = "-all,+dac_read_search"
AS_OTHER = (
    f"exec setpriv --reuid={OTHER} --regid={OTHER} --clear-groups --inh-caps={READER} "
    f'--ambient-caps={READER} -- "$@"'
)
"""Another user, who may read every file (Python may lie in the home of root) and write its own."""


def is_root() -> bool:
    """Return whether the tests may mount, change owners and so on."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


@contextmanager
def disk(place: Path, options: str) -> Iterator[bool]:
    """A small file system in memory for the time of a block; False where none may be mounted."""
    place.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    mounted = is_root() and subprocess.run(words, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


def children(process: int) -> list[int]:
    """Return the processes that another one started."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                status = Path(f"/proc/{name}/stat").read_text(encoding="utf-8")
                if int(status.rpartition(")")[2].split()[1]) == process:
                    found.append(int(name))
    return sorted(found)
