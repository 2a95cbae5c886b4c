"""Publishing a file: written whole under a temporary name, then renamed.

No file ever has its final name before all of its bytes are there.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


class Publisher:
    """Writes files into one output folder.

    Args:
        out: The output folder, absolute.
        temporary: A folder on the same file system for files that are not yet whole.
    """

    def __init__(self, out: str, temporary: str) -> None:
        self.out = out
        self._temporary = temporary
        self._numbers = itertools.count()
        self._made: set[str] = set()

    def publish(self, name: str, data: bytes) -> None:
        """Write ``data`` and give it its final name, replacing what is there.

        Args:
            name: Path relative to ``out``, with ``/``.
            data: The whole content.
        """
        self.publish_with(name, lambda file: file.write(data))

    def publish_with(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Like :meth:`publish`, for content that ``write`` puts out piece by piece."""
        folder = name.rpartition("/")[0]
        unfinished = os.path.join(self._temporary, f"{os.getpid()}-{next(self._numbers)}")
        try:
            with open(unfinished, "wb") as file:
                write(file)
            # After the file above: where OUT was removed, this would begin a strange one.
            if folder and folder not in self._made:
                os.makedirs(os.path.join(self.out, folder), exist_ok=True)
                self._made.add(folder)
            os.replace(unfinished, os.path.join(self.out, name))
        except BaseException:
            self._discard(unfinished)
            raise

    def remove(self, name: str) -> None:
        """Remove a file of the output folder, if it is there."""
        self._discard(os.path.join(self.out, name))

    @staticmethod
    def _discard(path: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(path)
