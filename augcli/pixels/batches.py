"""Batches: the cells, boxes and shares of donors in many pictures at once.

A batch is an array (N, C, H, W), or (N, H, W, C) where ``channels_last`` says so. Functions that
paste change the batch of bases in place: a training loop has just collated it, and copying it
once more would take longer than the mix itself. Their donors come from ``sources``, the pictures
as they were before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from augcli.pixels.frame import Frame
from augcli.pixels.grid import cell_lengths
from augcli.pixels.heat_maps import RANK_STEPS, overlaps
from augcli.pixels.lanes import Lanes, new_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Batch = NDArray[Any]

PIECE = 1 << 20
"""Bytes of pictures that are pasted at a time, so that they stay in the processor's memory."""


def best_cells(heat_maps: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    """Return which cells are the ``count`` best of each heat map.

    They are those of :func:`augcli.pixels.heat_maps.ranked_cells`, for all maps at once.

    Args:
        heat_maps: float32 (N, grid, grid), finite.
        count: How many cells, 1 to grid².

    Returns:
        bool (N, grid, grid).

    Raises:
        ValueError: A map holds NaN or infinity.

    Example:
        >>> best_cells(np.float32([[[0.1, 0.9], [0.9, 0.3]]]), 2)[0].tolist()
        [[False, True], [True, False]]
    """
    number, grid, _ = heat_maps.shape
    scores = heat_maps.reshape(number, -1).astype(np.float64)
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    # NaN where a limit is NaN or both are infinite.
    with np.errstate(invalid="ignore"):
        span = high - low
    if not np.isfinite(span).all():
        raise ValueError("a heat map holds NaN or infinity")
    steps = np.rint((scores - low) / np.where(span > 0, span, 1) * RANK_STEPS)
    # One number for score and index: equal scores go by cell index, and no two are equal.
    cells = grid * grid
    keys = (RANK_STEPS - steps.astype(np.int32)) * np.int32(cells) + np.arange(
        cells, dtype=np.int32
    )
    last = np.partition(keys, count - 1, axis=1)[:, count - 1 : count]
    return np.asarray(keys <= last).reshape(number, grid, grid)


def count_cells(chosen: NDArray[np.bool_], frame: Frame) -> NDArray[np.int64]:
    """Return how many pixels the chosen cells of each picture have.

    Args:
        chosen: bool (N, grid, grid).
        frame: Height and width of the pictures.

    Example:
        >>> count_cells(np.array([[[True, False], [True, True]]]), Frame(4, 6)).tolist()
        [18]
    """
    grid = chosen.shape[1]
    rows = chosen.astype(np.int64) @ cell_lengths(frame.width, grid)
    return np.asarray(rows @ cell_lengths(frame.height, grid))


def cells_masks(chosen: NDArray[np.bool_], frame: Frame) -> NDArray[np.bool_]:
    """Return the masks bool (N, H, W) of chosen cells, see :func:`augcli.pixels.cells_mask`."""
    grid = chosen.shape[1]
    wide = chosen.repeat(cell_lengths(frame.width, grid), axis=2)
    return wide.repeat(cell_lengths(frame.height, grid), axis=1)


def box_masks(boxes: NDArray[np.int64], frame: Frame) -> NDArray[np.bool_]:
    """Return the masks bool (N, H, W) of boxes int64 (N, 4), see :func:`augcli.pixels.box_mask`.

    Example:
        >>> box_masks(np.array([[1, 0, 3, 1]]), Frame(2, 3))[0].tolist()
        [[False, True, True], [False, False, False]]
    """
    x0, y0, x1, y1 = (side[:, None] for side in boxes.T)
    rows, columns = np.arange(frame.height), np.arange(frame.width)
    in_rows = (y0 <= rows) & (rows < y1)
    return np.asarray(in_rows[:, :, None] & ((x0 <= columns) & (columns < x1))[:, None, :])


def frame_of(images: Any, *, channels_last: bool) -> Frame:
    """Return height and width of the pictures of a batch."""
    height, width = images.shape[1:3] if channels_last else images.shape[2:4]
    return Frame(int(height), int(width))


def paste_cells_into(
    bases: Batch,
    sources: Sequence[Batch] | Batch,
    donors: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    *,
    channels_last: bool = False,
    memory: Callable[[int, int], NDArray[np.uint8]] = new_memory,
) -> None:
    """Paste chosen cells of donors into a batch, in place.

    Args:
        bases: A batch of any type, C-contiguous; changed.
        sources: The same pictures as they were before, by index; may be ``bases`` itself, or a
            list of arrays.
        donors: int64 (N,): the index of each picture's donor.
        chosen: bool (N, grid, grid): the cells that come from the donor.
        channels_last: Whether the batch is (N, H, W, C).
        memory: Gives memory for what is in between. New memory takes longer than the copy: the
            system gives it page by page.

    Example:
        >>> bases = np.array([[[[1, 1]]], [[[2, 2]]]], np.uint8)
        >>> chosen = np.array([[[True]], [[False]]])
        >>> paste_cells_into(bases, bases, np.array([1, 0]), chosen)
        >>> bases.tolist()
        [[[[2, 2]]], [[[2, 2]]]]
    """
    frame = frame_of(bases, channels_last=channels_last)
    planes = 1 if channels_last else bases.shape[1]
    pixel = bases.itemsize * (bases.shape[3] if channels_last else 1)
    lanes = Lanes.of(frame, planes, pixel, chosen.shape[1])
    if lanes:
        whole = sources if isinstance(sources, np.ndarray) else bases
        lanes.copy(bases, np.ascontiguousarray(whole), donors, chosen, memory)
        return
    step = max(1, PIECE // max(1, bases[:1].nbytes))
    if step >= len(bases):
        _copy_masked(bases, bases[donors], cells_masks(chosen, frame), channels_last=channels_last)
        return
    safe = bases.copy() if sources is bases else sources
    for start in range(0, len(bases), step):
        part = slice(start, start + step)
        given = np.stack([safe[donor] for donor in donors[part].tolist()])
        masks = cells_masks(chosen[part], frame)
        _copy_masked(bases[part], given, masks, channels_last=channels_last)


def _copy_masked(
    bases: Batch, given: Batch, masks: NDArray[np.bool_], *, channels_last: bool
) -> None:
    """Copy values where a mask is True; OpenCV does that in a fraction of NumPy's time."""
    masks = masks[..., None] if channels_last else masks[:, None]
    # All rows of all pictures, one under the other: one call for the batch.
    rows = (-1, bases.shape[2] * bases.shape[3] if channels_last else bases.shape[3])
    places = np.ascontiguousarray(np.broadcast_to(masks, bases.shape)).reshape(rows)
    if bases.dtype in (np.uint8, np.float32):
        cv2.copyTo(given.reshape(rows), places.view(np.uint8), bases.reshape(rows))
    else:
        np.copyto(bases, given, where=masks)


def paste_boxes_into(
    bases: Batch,
    sources: Sequence[Batch] | Batch,
    donors: NDArray[np.int64],
    boxes: NDArray[np.int64],
    *,
    channels_last: bool = False,
) -> None:
    """Paste a box of each donor into a batch, at the same place; in place.

    Args:
        bases: A batch of any type; changed.
        sources: The same pictures as they were before, by index, in memory of their own.
        donors: int64 (N,): the index of each picture's donor.
        boxes: int64 (N, 4): (x0, y0, x1, y1) in pixels, half-open; may be empty.
        channels_last: Whether the batch is (N, H, W, C).
    """
    for base, donor, (x0, y0, x1, y1) in zip(bases, donors.tolist(), boxes.tolist(), strict=True):
        rows, columns = slice(y0, y1), slice(x0, x1)
        region = (rows, columns) if channels_last else (slice(None), rows, columns)
        base[region] = sources[donor][region]


def shrinking(frame: Frame, boxes: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
    """Return the matrices that shrink whole pictures into boxes by area average.

    With the two matrices R and C of a box, ``R @ plane @ C.T`` is the plane (H, W) whose box shows
    the whole picture, and 0 elsewhere.

    Args:
        frame: Height and width of the pictures.
        boxes: int64 (N, 4); the matrices of an empty one are 0.

    Returns:
        float32 (N, H, H) and float32 (N, W, W).

    Example:
        >>> rows, columns = shrinking(Frame(2, 2), np.array([[1, 0, 2, 1]]))
        >>> (rows[0] @ np.float32([[1, 3], [5, 7]]) @ columns[0].T).tolist()
        [[0.0, 4.0], [0.0, 0.0]]
    """
    height, width = frame
    rows = np.zeros((len(boxes), height, height), np.float32)
    columns = np.zeros((len(boxes), width, width), np.float32)
    for index, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        if x0 == x1 or y0 == y1:
            continue
        rows[index, y0:y1] = overlaps(height, y1 - y0)
        columns[index, x0:x1] = overlaps(width, x1 - x0)
    return rows, columns


def count_boxes(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many pixels each box int64 (N, 4) has.

    Example:
        >>> count_boxes(np.array([[1, 0, 3, 4]])).tolist()
        [8]
    """
    x0, y0, x1, y1 = boxes.T
    return np.asarray((x1 - x0) * (y1 - y0))
