"""The file of a scorer: where the shipped one lies, and what identifies one.

An ONNX file may keep weights in other files of its folder. They are part of the scorer: where
they change, it is another one.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from pathlib import Path

from augcli import files
from augcli.errors import ScorerError

MOST_WEIGHTS = 16 << 30
"""Bytes of all other files with weights of one ONNX file."""
LONGEST_NAME = 4096
_LOCATION = re.compile(rb"\x6a[\x80-\xff]{0,4}[\x00-\x7f]\x0a\x08location\x12")
"""What stands before the name of such a file: an entry ``external_data`` of a tensor (field 13),
whose key (field 1) is ``location`` and whose value (field 2) is the name."""


class ModelFileError(ScorerError):
    """A file can't be used as a scorer.

    Args:
        path: The file.
        problem: What is wrong with it, as a clause whose subject is the file.

    Example:
        >>> str(ModelFileError(Path("cat.onnx"), "is not ONNX"))
        '`model` cat.onnx: is not ONNX'
    """

    def __init__(self, path: files.Place, problem: str) -> None:
        super().__init__(f"`model` {path}: {problem}")
        self.path = path
        self.problem = problem

    def __reduce__(self) -> tuple[type[ModelFileError], tuple[files.Place, str]]:
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


def local_scorer(place: files.Place | None) -> Path | None:
    """Return the path of a scorer on this machine; of one that a URL names, that of a copy.

    Raises:
        ModelFileError: It can't be read.
    """
    if place is None or isinstance(place, Path):
        return place
    try:
        return Path(files.local_copy(os.fspath(place), files.MODEL_LIMIT))
    except OSError as error:
        raise ModelFileError(
            place, f"can't be read ({error.strerror}); give the URL of an ONNX file"
        ) from None


def scorer_sha256(path: Path | None) -> str:
    """Return what identifies a scorer: the SHA-256 of its file.

    Args:
        path: The ONNX file; None for the shipped scorer, which has two files: the SHA-256 of
            both hashes, one after the other.

    Raises:
        ModelFileError: A file can't be read.
    """
    if path:
        return model_sha256(path)
    both = model_sha256(shipped_model()) + model_sha256(shipped_small_model())
    return hashlib.sha256(bytes.fromhex(both)).hexdigest()


def model_sha256(path: Path) -> str:
    """Return what identifies an ONNX file, in hexadecimal.

    It is the SHA-256 of the file. Where weights lie in other files, it is that of the hash of the
    file, and of the name and the hash of each other file.

    Raises:
        ModelFileError: A file can't be read, is too large, or must not be read.
    """
    try:
        data = files.read_file(path, files.MODEL_LIMIT).data
    except OSError as error:
        raise ModelFileError(
            path, f"can't be read ({error.strerror}); give the path of an ONNX file"
        ) from None
    content = hashlib.sha256(data)
    names = weight_names(data)
    if not names:
        return content.hexdigest()
    whole = hashlib.sha256(content.digest())
    left = MOST_WEIGHTS
    for name in names:
        _check_name(path, name)
        weights = path.parent / name
        try:
            size = os.stat(weights).st_size
            if size > left:
                raise ModelFileError(
                    path, f"has weights in {name!r}, which is too large: {size:,} bytes"
                )
            digest = files.file_sha256(weights)
        except OSError as error:
            raise ModelFileError(
                path, f"has weights in {name!r}, which can't be read ({error.strerror})"
            ) from None
        left -= size
        whole.update(f"{name}\0{digest}\0".encode())
    return whole.hexdigest()


def model_size(path: Path) -> int:
    """Return the bytes of an ONNX file that was read before, and of its other files."""
    weights = _weight_paths(path, os.stat(path).st_mtime_ns)
    return sum(os.stat(each).st_size for each in (path, *weights))


def weight_names(data: bytes) -> list[str]:
    """Return the names of the other files in which an ONNX file keeps weights, sorted.

    The bytes are searched: that finds every tensor, wherever it lies in the graph, and needs no
    package onnx.

    Args:
        data: The ONNX file.
    """
    names = set()
    for match in _LOCATION.finditer(data):
        start, length, shift = match.end(), 0, 0
        for byte in data[start : start + 5]:
            start += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if length <= LONGEST_NAME:
            names.add(data[start : start + length].decode("utf-8", "replace"))
    return sorted(names)


def _check_name(path: Path, name: str) -> None:
    """Check that a file with weights lies in the folder of the ONNX file, or below it.

    Raises:
        ModelFileError: Its name leads elsewhere.
    """
    if os.path.isabs(name) or not files.is_inside(name.removeprefix("./")):
        raise ModelFileError(path, f"has weights in {name!r}, which is not inside its folder")


def changed_at(path: Path) -> tuple[int, ...]:
    """Return when an ONNX file and its other files were changed; empty where it is missing."""
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        return ()
    return (changed, *map(_changed, _weight_paths(path, changed)))


@functools.lru_cache(maxsize=4)
def _weight_paths(path: Path, _changed: int) -> tuple[Path, ...]:
    try:
        data = files.read_file(path, files.MODEL_LIMIT).data
    except OSError:
        return ()
    return tuple(path.parent / name for name in weight_names(data) if files.is_inside(name))


def _changed(path: Path) -> int:
    return os.stat(path).st_mtime_ns if path.exists() else 0
