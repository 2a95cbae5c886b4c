"""PyTorch and torchvision, imported when they are needed; and numbers that processes share."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from augcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALLED_BY = {"torch": 'pip install "augcli[torch]"', "torchvision": "pip install torchvision"}


def library(name: str, needed_by: str) -> Any:
    """Return a module of PyTorch or torchvision.

    Args:
        name: Of the module, such as ``torch.utils.data``.
        needed_by: Names in a message what needs it.

    Raises:
        UsageError: It is not installed, or can't be imported.
    """
    top = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        raise UsageError(
            f"{needed_by} needs {top}, which is not installed: {INSTALLED_BY[top]}"
        ) from None


def torch_or_none() -> Any:
    """Return PyTorch, or None where it is not installed."""
    try:
        return library("torch", "")
    except UsageError:
        return None


Arrays = TypeVar("Arrays", bound="Sequence[Any]")


class Shared(Generic[Arrays]):
    """A named tuple of NumPy arrays in memory that all workers of a loader read.

    PyTorch moves its tensors into shared memory when they are sent to a process that is spawned;
    a process that is forked sees the memory of its parent. Without PyTorch they are copied.

    Args:
        arrays: The named tuple.
        written: Whether workers write into them, and all see it.
    """

    def __init__(self, arrays: Arrays, *, written: bool = False) -> None:
        self._kind = type(arrays)
        self._shapes = [(array.shape, array.dtype) for array in arrays]
        torch = torch_or_none()
        # As bytes: PyTorch does not know every type of NumPy. Copied: it writes to no other's.
        plain = [np.array(array).reshape(-1).view(np.uint8) for array in arrays]
        self._memory: list[Any] = [torch.from_numpy(one) for one in plain] if torch else [*plain]
        if torch and written:
            for memory in self._memory:
                memory.share_memory_()
        self._arrays: Arrays | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}

    @property
    def arrays(self) -> Arrays:
        """The named tuple again; its arrays lie in the shared memory."""
        if self._arrays is None:
            plain = [one if isinstance(one, np.ndarray) else one.numpy() for one in self._memory]
            shaped = [
                one.view(dtype).reshape(shape)
                for one, (shape, dtype) in zip(plain, self._shapes, strict=True)
            ]
            self._arrays = self._kind(*shaped)
        return self._arrays


class SharedNumbers:
    """A few whole numbers that the workers of a loader see change, also those that stay alive.

    Args:
        numbers: The first values.
    """

    def __init__(self, *numbers: int) -> None:
        torch = torch_or_none()
        self._memory = (
            torch.tensor(numbers, dtype=torch.int64).share_memory_()
            if torch
            else np.array(numbers, np.int64)
        )

    def __getitem__(self, index: int) -> int:
        return int(self._memory[index])

    def __setitem__(self, index: int, number: int) -> None:
        self._memory[index] = number
