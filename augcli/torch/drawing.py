"""What happens to a batch: donors, draws and label weights, the same as in an offline run.

The epoch takes the place of the copy, and the sample's name that of the source. So the key of
each draw, and the ring on which donors are found, are those of ``augcli augment`` for that copy:
a batch of a whole data set is mixed as offline, cell for cell.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.augmentations.base import Mixer
from augcli.augmentations.cutmix import BoxDraw, CellsDraw, CutMix
from augcli.augmentations.mixup import MixUpDraw
from augcli.augmentations.resizemix import ResizeMixDraw
from augcli.pixels.batches import count_boxes, count_cells
from augcli.plan.ring import ring_keys
from augcli.recipes.decisions import Chance, Choice, MixMaps, Subject, stream_keys
from augcli.rng import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from augcli.augmentations.base import Augmentation, Draw
    from augcli.pixels.frame import Frame, Image
    from augcli.recipes.step import Step
    from augcli.torch.batch_maps import BatchMaps


@dataclass
class Drawn:
    """What one augmentation does to some pictures of a batch.

    Attributes:
        augmentation: The method.
        members: Indices of the pictures, ascending.
        draws: The draw of each; empty where ``chosen`` says it all.
        chosen: bool (N, grid, grid): the cells that come from donors, where they are cells.
        boxes: int64 (N, 4): the boxes that show donors, where they are boxes.
        shares: int64 (N,): each base's share in 1/65,536, where pictures are blended.
    """

    augmentation: Augmentation[Any]
    members: NDArray[np.int64]
    draws: Sequence[Draw] = ()
    chosen: NDArray[np.bool_] | None = None
    boxes: NDArray[np.int64] | None = None
    shares: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        augmentation: Augmentation[Any],
        members: NDArray[np.int64],
        draws: Sequence[Any],
        count: int,
    ) -> Drawn:
        """Return draws, and what they say as arrays for the ``count`` pictures of the batch."""
        drawn = cls(augmentation, members, draws)
        first = draws[0]
        if isinstance(first, CellsDraw):
            cells = np.zeros((count, first.grid * first.grid), np.bool_)
            for index, draw in zip(members.tolist(), draws, strict=True):
                cells[index, list(draw.cells)] = True
            drawn.chosen = cells.reshape(count, first.grid, first.grid)
        elif isinstance(first, BoxDraw | ResizeMixDraw):
            drawn.boxes = np.zeros((count, 4), np.int64)
            drawn.boxes[members] = [draw.box for draw in draws]
        elif isinstance(first, MixUpDraw):
            drawn.shares = np.full(count, first.lam[1], np.int64)
            drawn.shares[members] = [draw.lam[0] for draw in draws]
        return drawn


@dataclass
class BatchDraws:
    """What happens to a batch.

    Attributes:
        drawn: For each method, what it does to its pictures.
        donors: int64 (N,): index of each picture's donor; its own where it has none.
        given: float64 (N,): what comes from the donor, in pixels or in heat-map mass.
        total: float64 (N,): all there is.
    """

    drawn: list[Drawn]
    donors: NDArray[np.int64]
    given: NDArray[np.float64]
    total: NDArray[np.float64]


def partners(names: Sequence[str], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the index of each picture's donor: the next on the ring of the epoch.

    A picture is its own donor, and stays as it is, only where all names of the batch are equal.

    Args:
        names: One for each picture; a sampler may draw one twice.
        seed: Seed of all chance.
        epoch: Takes the place of the copy.

    Example:
        >>> partners(["a", "b", "c"], seed=1, epoch=0).tolist()
        [1, 2, 0]
        >>> partners(["a", "a", "b"], seed=1, epoch=0).tolist()
        [2, 2, 0]
    """
    keys = np.frombuffer(b"".join(map(ring_keys(seed, epoch), names)), ">u8").astype(np.uint64)
    order = np.argsort(keys, kind="stable")
    donors = np.empty(len(names), np.int64)
    if len(set(names)) == len(names):
        donors[order[:-1]], donors[order[-1]] = order[1:], order[0]
        return donors
    ring = keys[order]
    # The first that comes after all of the same name.
    after = np.searchsorted(ring, ring, "right") % len(ring)
    donors[order] = order[after]
    if ring[0] == ring[-1]:
        donors = np.arange(len(names))
    return donors


def draw_batch(
    step: Step,
    frame: Frame,
    maps: BatchMaps,
    *,
    seed: int,
    epoch: int,
    epochs: int,
) -> BatchDraws:
    """Decide what happens to each picture of a batch.

    Args:
        step: The methods, one of which is drawn for each picture.
        frame: Height and width of the pictures.
        maps: Their names and heat maps.
        seed: Seed of all chance.
        epoch: Takes the place of the copy.
        epochs: How many there are, for methods that change over them.
    """
    names = maps.names
    count = len(names)
    donors = partners(names, seed, epoch) if step.mixes else np.arange(count)
    mixed = BatchDraws([], donors, np.zeros(count), np.ones(count))

    def chance(index: int, grid: int = 0) -> Chance:
        both = MixMaps(partial(maps.one, index, grid), partial(maps.one, int(donors[index]), grid))
        subject = Subject(names[index], epoch)
        return Chance((step,), seed, epochs, None, subject, partial(scored, index), both)

    def scored(index: int, _: Image, grid: int) -> NDArray[np.float32]:
        return maps.one(index, grid)

    if step.probability >= 1 and len(step.choices) == 1:
        only = Choice(step.augmentations[0].for_copy(epoch, epochs), 0)
        groups = [(only, np.arange(count))]
    else:
        groups = _groups([chance(index).choose(0) for index in range(count)])
    for choice, group in groups:
        augmentation = choice.augmentation
        mixes = isinstance(augmentation, Mixer)
        members = group[donors[group] != group] if mixes else group
        if not len(members):
            continue
        if type(augmentation) is CutMix and augmentation.label_mode == "area":
            keys = stream_keys(seed, augmentation.name, 0)
            streams = (Stream.keyed(keys(names[index], epoch)) for index in members.tolist())
            mixed.drawn.append(_regions(augmentation, members, streams, frame, maps, mixed))
            continue
        draws: list[Draw] = []
        for index in members.tolist():
            if isinstance(augmentation, Mixer):
                draw, weighed = chance(index, augmentation.map_grid).mix(0, choice, frame)
                mixed.given[index], mixed.total[index] = weighed.donated
            else:
                # Only its shape matters.
                picture = np.broadcast_to(np.uint8(0), (*frame, 3))
                draw = chance(index).draw(0, choice, picture)
            draws.append(draw)
        mixed.drawn.append(Drawn.of(augmentation, members, draws, count))
    return mixed


def _groups(choices: Sequence[Choice | str]) -> list[tuple[Choice, NDArray[np.int64]]]:
    """Return each choice with the indices of its pictures."""
    members = defaultdict(list)
    for index, choice in enumerate(choices):
        if isinstance(choice, Choice):
            members[choice.number].append(index)
    return [(choices[members[number][0]], np.array(members[number])) for number in sorted(members)]  # type: ignore[misc]  # words are left out


def ranked_cells(augmentation: Augmentation[Any]) -> int:
    """Return how many best cells are the draw; 0 where a draw is something else."""
    if (
        type(augmentation) is CutMix
        and augmentation.region == "attentive"
        and augmentation.label_mode == "area"
        and isinstance(augmentation.top_n, int)
    ):
        return augmentation.top_n
    return 0


def _regions(
    cutmix: CutMix,
    members: NDArray[np.int64],
    streams: Iterable[Stream],
    frame: Frame,
    maps: BatchMaps,
    mixed: BatchDraws,
) -> Drawn:
    """Draw the regions of CutMix, and count the pixels of all of them at once."""
    count, donors = len(mixed.donors), mixed.donors[members]
    if top_n := ranked_cells(cutmix):
        chosen = np.zeros((count, cutmix.grid, cutmix.grid), np.bool_)
        chosen[members] = maps.best(donors, cutmix.grid, top_n)
        drawn = Drawn(cutmix, members, chosen=chosen)
    else:
        heat_maps = maps.maps(donors, cutmix.grid) if cutmix.scores else repeat(None)
        draws = list(map(cutmix.draw, repeat(frame), streams, heat_maps))
        drawn = Drawn.of(cutmix, members, draws, count)
    counted = (
        count_boxes(drawn.boxes) if drawn.chosen is None else count_cells(drawn.chosen, frame)  # type: ignore[arg-type]  # boxes where they are no cells
    )
    mixed.given[members] = counted[members]
    mixed.total[members] = frame.height * frame.width
    return drawn
