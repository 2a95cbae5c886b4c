"""Labels of a batch: numbers or vectors become vectors, mixed by what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_vectors(labels: NDArray[Any], classes: int | None) -> NDArray[np.float32]:
    """Return labels as vectors float32 (N, C).

    Args:
        labels: Whole numbers (N,), or floats (N, C).
        classes: How many classes there are; needed for numbers.

    Raises:
        ParameterError: They are of another shape or type, or a number is no class.

    Example:
        >>> as_vectors(np.array([1, 0]), 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    check_labels(tuple(labels.shape), labels.dtype.kind == "f", classes)
    if labels.ndim == 2:
        return np.asarray(labels, np.float32)
    assert classes
    vectors = np.zeros((len(labels), classes), np.float32)
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise _no_class(int(labels.min()), int(labels.max()), classes)
    vectors[np.arange(len(labels)), labels] = 1
    return vectors


def check_labels(shape: tuple[int, ...], are_floats: bool, classes: int | None) -> None:
    """Refuse labels of a shape or type that no vectors follow from.

    Args:
        shape: Of the labels.
        are_floats: Whether their type has fractions.
        classes: How many classes there are; None where that was not said.
    """
    if len(shape) == 1 and not are_floats:
        if classes is None:
            raise ParameterError(
                "classes", "is missing: labels that are numbers need the number of classes"
            )
    elif len(shape) != 2 or not are_floats:
        kind = "floats" if are_floats else "whole numbers"
        raise ParameterError(
            "labels", f"are {kind} {shape}, but must be whole numbers (N,) or floats (N, C)"
        )
    elif classes is not None and shape[1] != classes:
        raise ParameterError("labels", f"have {shape[1]} classes, but `classes` is {classes}")


def _no_class(lowest: int, highest: int, classes: int) -> ParameterError:
    return ParameterError(
        "labels", f"are numbers from {lowest} to {highest}, but there are {classes} classes"
    )


def mix_labels(
    labels: NDArray[Any],
    classes: int | None,
    donors: NDArray[np.int64],
    given: NDArray[np.float64],
    total: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the mixed labels float32 (N, C): ``given / total`` of each donor's.

    Args:
        labels: Whole numbers (N,), or floats (N, C).
        classes: How many classes there are; needed for numbers.
        donors: int64 (N,): index of each picture's donor.
        given: What comes from the donor.
        total: All there is.

    Example:
        >>> one = np.array([1.0, 0.0])
        >>> mix_labels(np.array([0, 1]), 2, np.array([1, 0]), one, 4 * one + [0, 1]).tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    vectors = as_vectors(labels, classes)
    if not given.any():
        return vectors
    if labels.ndim == 2:
        own, other = ((total - given) / total)[:, None], (given / total)[:, None]
        return np.asarray(vectors * own + vectors[donors] * other, np.float32)
    rows, theirs = np.arange(len(labels)), labels[donors]
    differ = labels != theirs
    vectors[rows, labels] = np.where(differ, (total - given) / total, 1)
    # Each row once, so that nothing is added twice to one place.
    vectors[rows, theirs] += np.where(differ, given / total, 0)
    return vectors


def mix_tensor_labels(
    torch: Any,
    labels: Any,
    classes: int | None,
    donors: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Any:
    """Return the same for a tensor, on its device.

    Args:
        torch: PyTorch.
        labels: Whole numbers (N,), or floats (N, C).
        classes: How many classes there are; needed for numbers.
        donors: int64 (N,): index of each picture's donor.
        weights: float64 (N,): the donor's share.
    """
    check_labels(tuple(labels.shape), labels.dtype.is_floating_point, classes)
    vectors = labels.float() if labels.ndim == 2 else torch.nn.functional.one_hot(labels, classes)
    given = torch.from_numpy(weights).to(labels.device)[:, None]
    others = vectors[torch.from_numpy(donors).to(labels.device)]
    return (vectors * (1 - given) + others * given).float()
