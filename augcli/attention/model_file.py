"""The file of a scorer: where the shipped one lies, and what identifies one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from augcli import files
from augcli.errors import ScorerError


class ModelFileError(ScorerError):
    """A file can't be used as a scorer.

    Args:
        path: The file.
        problem: What is wrong with it, as a clause whose subject is the file.

    Example:
        >>> str(ModelFileError(Path("cat.onnx"), "is not ONNX"))
        '`model` cat.onnx: is not ONNX'
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"`model` {path}: {problem}")
        self.path = path
        self.problem = problem

    def __reduce__(self) -> tuple[type[ModelFileError], tuple[Path, str]]:
        """Pickle by path and problem: the error leaves a worker process as it was."""
        return (type(self), (self.path, self.problem))


def shipped_model() -> Path:
    """Return the path of the scorer that augcli ships."""
    return _shipped("attention.onnx")


def shipped_small_model() -> Path:
    """Return the path of the shipped scorer's graph for small images."""
    return _shipped("attention-small.onnx")


def _shipped(name: str) -> Path:
    inside_the_wheel = Path(__file__).with_name(name)
    if inside_the_wheel.is_file():
        return inside_the_wheel
    return Path(__file__).parents[2] / "models" / name


def scorer_sha256(path: Path | None) -> str:
    """Return what identifies a scorer: the SHA-256 of its file.

    Args:
        path: The ONNX file; None for the shipped scorer, which has two files: the SHA-256 of
            both hashes, one after the other.

    Raises:
        ModelFileError: A file can't be read.
    """
    if path:
        return file_sha256(path)
    both = file_sha256(shipped_model()) + file_sha256(shipped_small_model())
    return hashlib.sha256(bytes.fromhex(both)).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a scorer's file, in hexadecimal.

    Raises:
        ModelFileError: The file can't be read.
    """
    try:
        return files.file_sha256(path)
    except OSError as error:
        raise ModelFileError(
            path, f"can't be read ({error.strerror}); give the path of an ONNX file"
        ) from None
