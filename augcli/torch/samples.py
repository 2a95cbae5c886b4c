"""Samples of a loader: their columns, and their pictures as one tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.errors import ParameterError
from augcli.torch.libraries import library

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME_VALUES = 256
"""Values of a picture that stand for its name where it has none."""
IN_NUMPY = frozenset({"uint8", "float16", "float32", "float64"})
"""Types that are mixed in NumPy where they are in memory."""


class Columns(NamedTuple):
    """The values of samples, by what they are.

    Attributes:
        images: Tensors or arrays (C, H, W).
        labels: Numbers, or vectors.
        names: Of the pictures.
        heat_maps: Of the pictures, (h, w) each.
    """

    images: Sequence[Any]
    labels: Sequence[Any]
    names: Sequence[str] | None = None
    heat_maps: Sequence[Any] | None = None


def columns(samples: Sequence[Any]) -> Columns:
    """Return the columns of samples, which are dictionaries or begin with image and label.

    Raises:
        ParameterError: They are neither.
    """
    if not isinstance(samples[0], Mapping):
        found = list(zip(*samples, strict=True))
        if not 2 <= len(found) <= 4:
            raise ParameterError(
                "batch",
                f"has samples of {len(found)} values, but they must be (image, label), "
                "(image, label, name) or (image, label, name, heat_map)",
            )
        return Columns(*found)
    first = samples[0]
    label = "labels" if "labels" in first else "label"
    if not {"pixel_values", label} <= set(first):
        raise ParameterError(
            "batch", f"has samples with {sorted(first)}, but they need pixel_values and labels"
        )
    names = ("pixel_values", label, "name", "heat_map")
    return Columns(
        *([one[name] for one in samples] if name in first else None for name in names)  # type: ignore[arg-type]
    )


def stacked(torch: Any, images: Sequence[Any]) -> Any:
    """Return pictures as one tensor (N, C, H, W).

    In a worker of a loader the memory is shared with the training process, as PyTorch's
    ``default_collate`` does it. Else it is NumPy's, for which Linux gives large pages: taking new
    memory from the system is most of the time of stacking.

    Args:
        torch: PyTorch.
        images: Tensors or arrays of one type and size.

    Raises:
        ParameterError: They are something else, or of several sizes.
    """
    data = library("torch.utils.data", "")
    are_tensors = isinstance(images[0], torch.Tensor)
    if not are_tensors:
        images = [_array(one) for one in images]
    try:
        if data.get_worker_info() is not None or type_name(images[0]) not in IN_NUMPY:
            return data.default_collate(list(images))
        if not are_tensors:
            return torch.from_numpy(np.stack(images))
        memory = np.empty((len(images), *images[0].shape), type_name(images[0]))
        return torch.stack(images, out=torch.from_numpy(memory))
    except (RuntimeError, ValueError):
        if len({tuple(one.shape) for one in images}) == 1:
            raise
        raise ParameterError(
            "batch", "has pictures of several sizes: resize or crop them in the transform"
        ) from None


def type_name(images: Any) -> str:
    """Return the name of the type of a tensor or array, such as uint8."""
    return str(images.dtype).removeprefix("torch.")


def numbers(labels: Sequence[Any]) -> NDArray[Any]:
    """Return the labels of samples as an array (N,) or (N, C)."""
    if isinstance(labels[0], int):
        return np.array(labels, np.int64)
    found: NDArray[Any] = library("torch.utils.data", "").default_collate(list(labels)).numpy()
    return found


def _array(image: Any) -> NDArray[Any]:
    """Return a picture of a sample as an array (C, H, W)."""
    if not isinstance(image, np.ndarray):
        raise ParameterError(
            "batch",
            f"has images of the type {type(image).__name__}, but they must be tensors or arrays "
            "(C, H, W): end the transform with ToImage or PILToTensor",
        )
    return image


class TensorArrays(Sequence[Any]):
    """Tensors, each an array when it is looked at: most are not, and each would take its time."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        self._tensors = tensors

    def __len__(self) -> int:
        return len(self._tensors)

    def __getitem__(self, index: Any) -> Any:
        return self._tensors[index].numpy()


def names_of(images: Any) -> list[str]:
    """Return a name for each picture of a batch: some of its values, evenly spaced.

    Args:
        images: An array or a tensor on any device, (N, ...).
    """
    rows = images.reshape(len(images), -1)
    values = rows[:, :: max(1, rows.shape[1] // NAME_VALUES)]
    if not isinstance(values, np.ndarray):
        values = values.cpu().float().numpy()
    return [row.tobytes().decode("latin-1") for row in np.ascontiguousarray(values)]
