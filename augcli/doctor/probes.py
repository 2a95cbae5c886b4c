"""Questions about this installation, each answered by a process of its own.

``augcli doctor`` reports libraries that can't be imported, crash or hang, so they must not make it
crash or hang. A process is started with ``python -m augcli.doctor.probes QUESTION ABOUT``.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.errors import AugcliError
from augcli.work.child import end_with_parent, module_command, module_environment

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 120.0
"""Seconds: TensorRT, where it is installed, builds an engine for a minute."""


class Answer(NamedTuple):
    """What a process answered.

    Attributes:
        value: The answer; None after a failure.
        failure: Why there is no answer, in one line; empty if there is one.
        stderr: What libraries wrote to standard error.
    """

    value: Any = None
    failure: str = ""
    stderr: str = ""


def ask(question: str, about: str = "") -> Answer:
    """Let a new process answer a question, and wait for it.

    Args:
        question: A key of :data:`QUESTIONS`.
        about: What the question is about, such as the name of a module.

    Example:
        >>> ask("import", "no_such_module").failure
        "ModuleNotFoundError: No module named 'no_such_module'"
    """
    try:
        done = subprocess.run(
            module_command("augcli.doctor.probes", question, about),
            env=module_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(failure=f"no answer within {TIMEOUT:.0f} seconds")
    except OSError as error:
        return Answer(failure=f"a process can't be started ({error.strerror})")
    stderr = done.stderr.decode("utf-8", "backslashreplace")
    lines = done.stdout.decode("utf-8", "backslashreplace").splitlines()
    try:
        value, failure = json.loads(lines[-1])
        return Answer(value, failure, stderr)
    except (IndexError, ValueError, TypeError):
        return Answer(failure=f"ended with {_ending(done.returncode)}", stderr=stderr)


def _ending(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _import(name: str) -> dict[str, str]:
    module = importlib.import_module(name)
    return {
        "version": str(getattr(module, "__version__", "")),
        "file": str(getattr(module, "__file__", None) or ""),
    }


def _devices(_: str) -> list[str]:
    from augcli.attention.device import providers  # noqa: PLC0415 - may fail, as all below

    return list(providers())


def _device(name: str) -> dict[str, Any]:
    from augcli.doctor.device_trial import try_device  # noqa: PLC0415

    return try_device(name)._asdict()


def _formats(_: str) -> dict[str, dict[str, Any]]:
    from augcli.data.codecs.pillow import missing_for  # noqa: PLC0415
    from augcli.doctor.codec_trial import CODECS, try_codec  # noqa: PLC0415

    return {
        codec.name: {
            "written": codec.written is not None,
            "missing": missing_for(codec.name),
            "failure": "" if missing_for(codec.name) else try_codec(codec),
        }
        for codec in CODECS
    }


def _folder(path: str) -> dict[str, Any]:
    from augcli.doctor.folder_trial import try_folder  # noqa: PLC0415

    return asdict(try_folder(path))


def _opencv_features(_: str) -> str:
    import cv2  # noqa: PLC0415

    return str(cv2.getCPUFeaturesLine())


QUESTIONS: dict[str, Callable[[str], Any]] = {
    "import": _import,
    "devices": _devices,
    "device": _device,
    "formats": _formats,
    "folder": _folder,
    "opencv features": _opencv_features,
}


def answer(question: str, about: str) -> tuple[Any, str]:
    """Return the answer to a question and an empty string, or None and why there is no answer."""
    try:
        return QUESTIONS[question](about), ""
    except AugcliError as error:
        return None, str(error)
    except Exception as error:  # a broken installation may raise any error
        line = " ".join(str(error).split())
        return None, f"{type(error).__name__}: {line}" if line else type(error).__name__


def main() -> None:
    """Answer on standard output, in the last line: libraries may print others before it."""
    end_with_parent()
    line = json.dumps(answer(*sys.argv[1:3]))
    sys.stdout.write(f"\n{line}\n")
    sys.stdout.flush()
    # Without cleaning up: a library that crashes in that must not spoil the answer.
    os._exit(0)


if __name__ == "__main__":
    main()
