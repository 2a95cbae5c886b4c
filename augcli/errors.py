"""The errors that end a run, each with its exit code, and the one for a single image.

    AugcliError
    ├── UsageError            2   a wrong option or wrong input; nothing was written
    │   ├── ParameterError        one option, which it names
    │   ├── InputError            the folder of sources or the label table
    │   ├── OutputError           OUT is not ours, or belongs to another command
    │   ├── RecipeError           a recipe, with the line
    │   ├── ScorerError           the ONNX scorer
    │   └── HeatMapsError         a file of heat maps
    ├── Stopped               3   stopped by the surroundings; run again to continue
    └── Interrupted         130   stopped by a signal (143 for SIGTERM); run again to continue

    UnreadableImage               one image; becomes a row of errors.csv, never ends a run
    └── NotScored                     the scorer gives no heat map for it

Exit code 0 means that everything was made, 1 that the run finished but some images failed
(``errors.csv``), 70 that augcli itself has a bug.

A message writes an option in backticks, by its name in Python: ```out```. The command line
spells it as a flag, ``--out``, with :func:`with_flags`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_BUG = 70
LONGEST = 4096
"""Letters of the longest word for which a similar one is searched: a path may be that long."""
_OPTION = re.compile(r"`([a-z][a-z0-9_]*)`")


class AugcliError(Exception):
    """Base of all errors that end a run; the text is one sentence for a person."""

    exit_code = 2


class UsageError(AugcliError):
    """A wrong option or wrong input: nothing was written."""


class ParameterError(UsageError):
    """One option has a wrong value.

    Args:
        name: The option as the Python API writes it, such as ``top_n``.
        message: The value and what was expected.

    Example:
        >>> str(ParameterError("top_n", "is 0, but must be at least 1"))
        'top_n is 0, but must be at least 1'
        >>> ParameterError("top_n", "is 0, but must be at least 1").flag
        '--top-n'
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name} {message}")
        self.name = name
        self.message = message

    def __reduce__(self) -> tuple[type[ParameterError], tuple[str, str]]:
        """Pickle by name and message, so that another process gets an equal error."""
        return (type(self), (self.name, self.message))

    @property
    def flag(self) -> str:
        """The option as the command line writes it, such as ``--top-n``."""
        return flag(self.name)


class InputError(UsageError):
    """The folder of sources, or the label table, can't be used."""


class OutputError(UsageError):
    """OUT can't be used: it is not ours, or another command made it."""


class RecipeError(UsageError):
    """A recipe has an unknown key or a wrong value."""


class ScorerError(UsageError):
    """The ONNX scorer can't be loaded or doesn't give heat maps."""


class HeatMapsError(UsageError):
    """A file of heat maps can't be read, or belongs to another scorer or grid."""


class Stopped(AugcliError):
    """Stopped by the surroundings (disk full, OUT gone, workers dying)."""

    exit_code = 3


class Interrupted(AugcliError):
    """Stopped by a signal; the same command continues from what was committed.

    Args:
        signal_number: Such as ``signal.SIGINT``.
        made: Outputs made so far.
        total: Outputs to be made; 0 where that was not known yet.

    Example:
        >>> str(Interrupted(2, 373, 509))
        'interrupted: 373 of 509 made; run the same command to continue'
    """

    def __init__(self, signal_number: int, made: int = 0, total: int = 0) -> None:
        counts = f": {made:,} of {total:,} made" if total else ""
        super().__init__(f"interrupted{counts}; run the same command to continue")
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
        self.made = made
        self.total = total

    def __reduce__(self) -> tuple[type[Interrupted], tuple[int, int, int]]:
        """Pickle by the arguments, so that another process gets an equal error."""
        return (type(self), (self.signal_number, self.made, self.total))


class UnreadableImage(Exception):
    """One image can't be read or used.

    Args:
        reason: One clause: what the file is and what was expected.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableImage], tuple[str]]:
        """Pickle by the reason alone, so that an error of a worker arrives unchanged."""
        return (UnreadableImage, (self.reason,))


NO_MEMORY = "not enough memory for this image"
"""Why one image can't be made where memory ran out."""
_OUT_OF_MEMORY = re.compile(
    "insufficient memory|not enough memory|out of memory|bad.alloc|failed to allocate",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out; each library has a way of its own.

    OpenCV, Pillow and onnxruntime raise errors of their own classes, which only their text tells
    from errors about the image.

    Example:
        >>> is_out_of_memory(RuntimeError("Failed to allocate memory for requested buffer"))
        True
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("no image"))
        (True, False)
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, AugcliError | UnreadableImage):
        return False
    return _OUT_OF_MEMORY.search(str(error)) is not None


class NotScored(UnreadableImage):
    """The scorer gives no heat map for one image."""

    def __reduce__(self) -> tuple[type[NotScored], tuple[str]]:
        """Pickle by the reason alone; see :class:`UnreadableImage`."""
        return (NotScored, (self.reason,))


def near_miss(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'top_n'?"`` for the nearest known word, or nothing.

    Example:
        >>> near_miss("topn", ["grid", "top_n"])
        "; did you mean 'top_n'?"
        >>> near_miss("zebra", ["grid", "top_n"])
        ''
    """
    close = nearest(word, known)
    return f"; did you mean {close!r}?" if close else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like another one; empty where none is like it."""
    # No option is that long, and a comparison takes time for each letter.
    close = get_close_matches(word, list(known), n=1, cutoff=0.6) if len(word) <= LONGEST else []
    return close[0] if close else ""


def flag(name: str) -> str:
    """Return an option as the command line writes it.

    Example:
        >>> flag("top_n")
        '--top-n'
    """
    return "--" + name.replace("_", "-")


def with_flags(message: str, written: Mapping[str, str] | None = None) -> str:
    """Return a message with its options as the command line writes them.

    Args:
        message: Has options in backticks, by their names in Python.
        written: How options are written that did not come as flags, by name. Only the first
            mention says where; a later one is the first word of it.

    Example:
        >>> with_flags("give another folder with `out`, or `max_pixels`")
        'give another folder with --out, or --max-pixels'
        >>> with_flags("`pair` same …; use `pair` any", {"pair": "AUGCLI_PAIR (environment)"})
        'AUGCLI_PAIR (environment) same …; use AUGCLI_PAIR any'
    """
    places = dict(written or {})

    def spelled(match: re.Match[str]) -> str:
        name = match[1]
        place = places.get(name, flag(name))
        places[name] = place.partition(" ")[0]
        return place

    return _OPTION.sub(spelled, message)
