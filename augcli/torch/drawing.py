"""What happens to a batch: donors, draws and label weights, the same as in an offline run.

The epoch takes the place of the copy, and the sample's name that of the source. So the key of
each draw, and the ring on which donors are found, are those of ``augcli augment`` for that copy:
a batch of a whole data set is mixed as offline, cell for cell.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.augmentations.base import Mixer
from augcli.augmentations.cutmix import BoxDraw, CellsDraw, CutMix
from augcli.augmentations.mixup import MixUpDraw
from augcli.augmentations.resizemix import ResizeMixDraw
from augcli.pixels.batches import count_cells
from augcli.plan.ring import ring_keys
from augcli.recipes.decisions import Chance, Choice, MixMaps, Subject

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """

    augmentation: Augmentation[Any]
    members: NDArray[np.int64]
    draws: Sequence[Draw] = ()
    chosen: NDArray[np.bool_] | None = None

    def boxes(self, count: int) -> NDArray[np.int64] | None:
        """Return the boxes int64 (count, 4) that show donors; None where they are no boxes."""
        if not self.draws or not isinstance(self.draws[0], BoxDraw | ResizeMixDraw):
            return None
        boxes = np.zeros((count, 4), np.int64)
        boxes[self.members] = [draw.box for draw in self.draws]  # type: ignore[attr-defined]
        return boxes

    def shares(self, count: int) -> NDArray[np.int64] | None:
        """Return each base's share, int64 (count,) in 1/65,536; None where nothing is blended."""
        if not self.draws or not isinstance(self.draws[0], MixUpDraw):
            return None
        whole = self.draws[0].lam[1]
        shares = np.full(count, whole, np.int64)
        shares[self.members] = [draw.lam[0] for draw in self.draws]  # type: ignore[attr-defined]
        return shares


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
    certain = step.probability >= 1 and len(step.choices) == 1

    def chance(index: int) -> Chance:
        both = MixMaps(lambda: map_at(index), lambda: map_at(int(donors[index])))
        subject = Subject(names[index], epoch)
        return Chance((step,), seed, epochs, None, subject, partial(scored, index), both)

    def scored(index: int, _: Image, grid: int) -> NDArray[np.float32]:
        return map_at(index, grid)

    def map_at(index: int, grid: int | None = None) -> NDArray[np.float32]:
        return np.asarray(maps.maps(np.array([index]), grid or augmentation.map_grid)[0])

    groups: dict[int, list[int]] = defaultdict(list)
    choices: dict[int, Choice] = {}
    if certain:
        augmentation = step.augmentations[0].for_copy(epoch, epochs)
        groups[0], choices[0] = list(range(count)), Choice(augmentation, 0)
    else:
        for index in range(count):
            choice = chance(index).choose(0)
            if isinstance(choice, Choice):
                groups[choice.number].append(index)
                choices[choice.number] = choice
    for number in sorted(groups):
        augmentation, members = choices[number].augmentation, np.array(groups[number])
        if isinstance(augmentation, Mixer):
            members = members[donors[members] != members]
        if not len(members):
            continue
        top_n = ranked_cells(augmentation)
        if top_n:
            mixed.drawn.append(_ranked(augmentation, top_n, members, frame, maps, mixed))
            continue
        draws = []
        for index in members.tolist():
            if isinstance(augmentation, Mixer):
                draw, weighed = chance(index).mix(0, choices[number], frame)
                mixed.given[index], mixed.total[index] = weighed.donated
            else:
                # Only its shape matters.
                picture = np.broadcast_to(np.uint8(0), (*frame, 3))
                draw = chance(index).draw(0, choices[number], picture)
            draws.append(draw)
        mixed.drawn.append(_with_cells(Drawn(augmentation, members, draws), count))
    return mixed


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


def _ranked(
    cutmix: Augmentation[Any],
    top_n: int,
    members: NDArray[np.int64],
    frame: Frame,
    maps: BatchMaps,
    mixed: BatchDraws,
) -> Drawn:
    """Draw the best cells for all pictures at once, which is the usual case."""
    count = len(mixed.donors)
    best = maps.best(mixed.donors[members], cutmix.map_grid, top_n)
    chosen = best
    if len(members) < count:
        chosen = np.zeros((count, *best.shape[1:]), np.bool_)
        chosen[members] = best
    mixed.given[members] = count_cells(best, frame)
    mixed.total[members] = frame.height * frame.width
    return Drawn(cutmix, members, chosen=chosen)


def _with_cells(drawn: Drawn, count: int) -> Drawn:
    """Return what was drawn, with cells as an array where they are cells."""
    if isinstance(drawn.draws[0], CellsDraw):
        grid = drawn.draws[0].grid
        chosen = np.zeros((count, grid * grid), np.bool_)
        for index, draw in zip(drawn.members.tolist(), drawn.draws, strict=True):
            chosen[index, list(draw.cells)] = True  # type: ignore[attr-defined]
        drawn.chosen = chosen.reshape(count, grid, grid)
    return drawn
