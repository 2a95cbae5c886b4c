"""The pictures of a batch, mixed: in NumPy where they are in memory, else on their device."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.augmentations.base import Mixer
from augcli.errors import ParameterError, UnreadableImage
from augcli.params import public_name
from augcli.pixels.batches import (
    box_masks,
    frame_of,
    paste_boxes_into,
    paste_cells_into,
    shrinking,
)
from augcli.pixels.blends import WHOLE_SHARE
from augcli.pixels.grid import cell_lengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Frame
    from augcli.torch.drawing import BatchDraws, Drawn

    Scale = tuple[NDArray[np.float32], NDArray[np.float32]]
    """Mean and standard deviation of normalised pictures, each float32 (3,), of values 0 … 1."""


class Memory(threading.local):
    """Memory that is used again for each batch, by each thread for itself."""

    def __init__(self) -> None:
        self._places: dict[int, NDArray[np.uint8]] = {}

    def __call__(self, place: int, size: int) -> NDArray[np.uint8]:
        """Return memory, see :func:`augcli.pixels.lanes.new_memory`."""
        known = self._places.get(place)
        if known is None or known.size < size:
            known = self._places[place] = np.empty(size, np.uint8)
        return known[:size]


def mix_arrays(
    bases: NDArray[Any],
    sources: Sequence[NDArray[Any]] | NDArray[Any],
    batch: BatchDraws,
    scale: Scale,
    memory: Memory,
    *,
    channels_last: bool,
) -> None:
    """Mix a batch in place.

    Args:
        bases: (N, C, H, W), or (N, H, W, C) with ``channels_last``; C-contiguous, changed.
        sources: The same pictures as they were, by index, in memory of their own.
        batch: What happens to them.
        scale: Mean and standard deviation of normalised pictures.
        memory: Gives memory for what is in between.
        channels_last: Whether the last axis is the channels.
    """
    if len(batch.drawn) > 1 and not isinstance(sources, np.ndarray):
        # What one method changed must not be what another one gives.
        sources = bases.copy()
    for drawn in batch.drawn:
        boxes, shares = drawn.boxes, drawn.shares
        shrinks = drawn.augmentation.name == "resizemix"
        if drawn.chosen is not None:
            paste_cells_into(
                bases,
                sources,
                batch.donors,
                drawn.chosen,
                channels_last=channels_last,
                memory=memory,
            )
        elif boxes is not None and not shrinks:
            paste_boxes_into(bases, sources, batch.donors, boxes, channels_last=channels_last)
        elif isinstance(drawn.augmentation, Mixer) and bases.dtype != np.uint8:
            _mix_floats(bases, sources, batch.donors, boxes, shares, channels_last=channels_last)
        else:
            _apply_to_each(bases, sources, batch.donors, drawn, scale, channels_last=channels_last)


def _mix_floats(
    bases: NDArray[Any],
    sources: Sequence[NDArray[Any]] | NDArray[Any],
    donors: NDArray[np.int64],
    boxes: NDArray[np.int64] | None,
    shares: NDArray[np.int64] | None,
    *,
    channels_last: bool,
) -> None:
    """Blend, or paste shrunken donors, without rounding."""
    frame = frame_of(bases, channels_last=channels_last)
    for index, donor in enumerate(donors.tolist()):
        if shares is not None:
            share = float(shares[index] / WHOLE_SHARE)
            if share < 1:
                bases[index] = sources[index] * share + sources[donor] * (1 - share)
        elif boxes is not None and boxes[index, 0] < boxes[index, 2]:
            x0, y0, x1, y1 = boxes[index].tolist()
            rows, columns = (matrix[0] for matrix in shrinking(frame, boxes[index : index + 1]))
            given = sources[donor].transpose(2, 0, 1) if channels_last else sources[donor]
            small = rows[y0:y1] @ given @ columns[x0:x1].T
            if channels_last:
                bases[index, y0:y1, x0:x1] = small.transpose(1, 2, 0)
            else:
                bases[index, :, y0:y1, x0:x1] = small


def _apply_to_each(
    bases: NDArray[Any],
    sources: Sequence[NDArray[Any]] | NDArray[Any],
    donors: NDArray[np.int64],
    drawn: Drawn,
    scale: Scale,
    *,
    channels_last: bool,
) -> None:
    """Let the method itself make each picture, as an offline run does."""
    method = drawn.augmentation
    for index, draw in zip(drawn.members.tolist(), drawn.draws, strict=True):
        pictures = [sources[index]]
        if method.sources == 2:
            pictures.append(sources[donors[index]])
        upright = [one if channels_last else one.transpose(1, 2, 0) for one in pictures]
        images = tuple(_levels(one, scale) for one in upright)
        try:
            result = method.apply_unchecked(images, draw)
        except UnreadableImage as error:
            raise ParameterError("method", f"{method.name}: a picture {error.reason}") from None
        if bases.dtype == np.uint8:
            bases[index] = result if channels_last else result.transpose(2, 0, 1)
            continue
        # What the method left alone keeps the values that 8 bits would round.
        mean, deviation = scale
        values = (result.astype(np.float32) / 255 - mean) / deviation
        values = np.where(result == images[0], upright[0], values)
        bases[index] = values if channels_last else values.transpose(2, 0, 1)


def _levels(image: NDArray[Any], scale: Scale) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) as the uint8 that it was made of."""
    if image.dtype != np.uint8:
        mean, deviation = scale
        values = (image.astype(np.float32) * deviation + mean) * 255
        image = np.rint(values.clip(0, 255)).astype(np.uint8)
    return np.ascontiguousarray(image)


def mix_tensors(torch: Any, images: Any, batch: BatchDraws) -> Any:
    """Return a batch of tensors mixed on its device.

    Args:
        torch: PyTorch.
        images: (N, C, H, W) of any type; not changed.
        batch: What happens to them.

    Raises:
        ParameterError: A method drops, or is not known: it can't work on a device.
    """
    frame = frame_of(images, channels_last=False)
    device = images.device
    donors = torch.from_numpy(batch.donors).to(device)
    mixed = images
    for drawn in batch.drawn:
        boxes, shares = drawn.boxes, drawn.shares
        if drawn.chosen is not None:
            chosen = torch.from_numpy(drawn.chosen).to(device)
            rows, columns = _cells_of(torch, frame, drawn.chosen.shape[1], device)
            mask = chosen[:, rows][:, :, columns][:, None]
            mixed = torch.where(mask, images[donors], mixed)
        elif boxes is not None and drawn.augmentation.name == "resizemix":
            mask = torch.from_numpy(box_masks(boxes, frame)).to(device)[:, None]
            down, across = (torch.from_numpy(one).to(device) for one in shrinking(frame, boxes))
            small = down[:, None] @ images[donors].float() @ across.transpose(1, 2)[:, None]
            mixed = torch.where(mask, _typed(torch, small, images.dtype), mixed)
        elif boxes is not None:
            mask = torch.from_numpy(box_masks(boxes, frame)).to(device)[:, None]
            mixed = torch.where(mask, images[donors], mixed)
        elif shares is not None:
            share = torch.from_numpy(shares).to(device)[:, None, None, None].float()
            blended = images.float() * share + images[donors].float() * (WHOLE_SHARE - share)
            blended = _typed(torch, blended / WHOLE_SHARE, images.dtype)
            mixed = torch.where(share < WHOLE_SHARE, blended, mixed)
        else:
            raise ParameterError(
                "method",
                f"is {public_name(type(drawn.augmentation))}, which works on uint8 and float32 in "
                f"memory and not on {images.dtype} of {device}: use it as the collate_fn",
            )
    return mixed if mixed is not images else images.clone()


def _typed(torch: Any, values: Any, dtype: Any) -> Any:
    """Return floats in the type of a batch; rounded to the nearest where it has no fractions."""
    return values.to(dtype) if dtype.is_floating_point else torch.round(values).to(dtype)


@functools.lru_cache(maxsize=16)
def _cells_of(torch: Any, frame: Frame, grid: int, device: Any) -> tuple[Any, Any]:
    """Return the row of the grid of each row of pixels, and the column of each column."""
    lines = (
        np.arange(grid).repeat(cell_lengths(side, grid)) for side in (frame.height, frame.width)
    )
    rows, columns = (torch.from_numpy(line).to(device) for line in lines)
    return rows, columns
