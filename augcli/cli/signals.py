"""Signals: SIGINT and SIGTERM end every command within two seconds, a second signal at once.

A handler that raises an error would raise it inside libraries, which take it for a damaged image
or a missing module. So the handlers change nothing: the code between two images asks whether a
signal came (:meth:`Signals.check`). A thread ends the process where the command does not end by
itself, as in a decoder or a scorer that never returns.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Final

from augcli.errors import Interrupted, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Self

    from augcli.run.messages import Listener, Message

HANDLED: Final = (signal.SIGINT, signal.SIGTERM)
GRACE_SECONDS = 1.6
"""How long a run may take to end in order."""
LAST_WORDS_SECONDS = 0.2
"""How long the last sentence may take to be written: nobody may be reading."""
_CLOSED = 0
"""Sent to the thread in the place of a signal's number."""


class Signals:
    """Ends a command when a signal comes; a context manager around the command.

    Args:
        report: Writes the last sentence for people.
    """

    def __init__(self, report: Callable[[Interrupted], None]) -> None:
        self._report = report
        self._unreported = threading.Lock()
        self._number = 0
        self._is_in_order = False
        self._counts = (0, 0)
        self._unfinished: str | None = None
        self._sender = self._receiver = -1
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to handle signals.

        Raises:
            Stopped: The system gives no pipe or no thread.
        """
        try:
            self._receiver, self._sender = os.pipe()
            if os.name != "nt":
                os.set_blocking(self._sender, False)
            # Written by the C part of Python at once, also while a library is at work.
            signal.set_wakeup_fd(self._sender, warn_on_full_buffer=False)
            for number in HANDLED:
                signal.signal(number, self._note)
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        except (OSError, RuntimeError) as error:
            self._watcher = None
            reason = getattr(error, "strerror", None) or error
            raise Stopped(
                f"augcli can't start ({reason}): raise the limits of processes and open files, "
                "then run the same command again"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread; from now on a signal ends the process without a word."""
        for number in HANDLED:
            signal.signal(number, lambda number, _: os._exit(128 + number))
        # Python's own end puts the system's handlers back, which would change the exit code.
        atexit.unregister(_ignore_signals)
        atexit.register(_ignore_signals)
        signal.set_wakeup_fd(-1)
        if self._watcher:
            os.write(self._sender, bytes([_CLOSED]))
            self._watcher.join()
        for descriptor in (self._sender, self._receiver):
            os.close(descriptor)

    def check(self) -> None:
        """Raise what ends a run, where a signal came.

        Raises:
            Interrupted: A signal came.
        """
        if self._number:
            raise Interrupted(self._number, *self._counts)

    @contextlib.contextmanager
    def in_order(self) -> Iterator[None]:
        """Give the block time to end by itself when a signal comes: it calls :meth:`check`.

        Everywhere else a signal ends the process at once.
        """
        self._is_in_order = True
        try:
            yield
        finally:
            self._is_in_order = False

    @contextlib.contextmanager
    def removing(self, unfinished: str) -> Iterator[None]:
        """Remove a temporary file of the block too, where a signal ends the process."""
        self._unfinished = unfinished
        try:
            yield
        finally:
            self._unfinished = None

    def counting(self, listener: Listener) -> Listener:
        """Return a listener that also notes how far a run is, for the last sentence."""
        from augcli.run.messages import Progress  # noqa: PLC0415 - not needed for --help

        def listen(message: Message) -> None:
            if isinstance(message, Progress):
                self._counts = (message.made, message.total)
            listener(message)

        return listen

    def say(self, error: Interrupted) -> None:
        """Write the last sentence, unless it is written already."""
        if self._unreported.acquire(blocking=False):
            self._report(error)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = self._number or number

    def _next(self) -> int:
        """Wait for a signal and return its number."""
        while True:
            number = os.read(self._receiver, 1)[0]
            if number in (_CLOSED, *HANDLED):
                return number

    def _watch(self) -> None:
        """End the process when a signal comes and the command does not end by itself."""
        number = self._next()
        if number == _CLOSED:
            return
        self._number = self._number or number
        if self._is_in_order:
            timer = threading.Timer(GRACE_SECONDS, self._end)
            timer.daemon = True
            # Without a thread for it there is no grace.
            with contextlib.suppress(RuntimeError):
                timer.start()
                if self._next() == _CLOSED:
                    timer.cancel()
                    return
        self._end()

    def _end(self) -> None:
        """End the process now, after its last sentence."""
        code = 128 + self._number
        timer = threading.Timer(LAST_WORDS_SECONDS, os._exit, (code,))
        timer.daemon = True
        with contextlib.suppress(RuntimeError):
            timer.start()
        from augcli.cli.streams import show_cursor  # noqa: PLC0415 - see augcli.cli.app.main
        from augcli.files import remove_file  # noqa: PLC0415

        if self._unfinished:
            remove_file(self._unfinished)
        show_cursor()
        self.say(Interrupted(self._number, *self._counts))
        os._exit(code)


def _ignore_signals() -> None:
    """Let the process, which is about to end, end with the exit code that it has."""
    for number in HANDLED:
        signal.signal(number, signal.SIG_IGN)
