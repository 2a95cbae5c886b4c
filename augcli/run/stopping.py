"""Errors of the file system while OUT is written: what a person can do about them."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING

from augcli.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def writing(out: str) -> Iterator[None]:
    """Turn what the system says while OUT is written into one sentence.

    Raises:
        Stopped: The disk is full, OUT is gone, …
    """
    try:
        yield
    except OSError as error:
        raise stopped(error, out) from error


def stopped(error: OSError, out: str) -> Stopped:
    """Say why nothing can be written any more, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cause = "the disk of OUT is full; make room, then"
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        cause = f"OUT {out} can't be written ({error.strerror}); give write permission, then"
    elif error.errno == errno.ENOENT:
        cause = f"OUT {out} was removed while it was being written;"
    else:
        cause = f"writing to OUT {out} failed ({error.strerror or error}); mend that, then"
    return Stopped(f"{cause} run the same command again to go on")
