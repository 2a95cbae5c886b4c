"""The pool: labelled views on the device, of which the oldest are replaced all the time.

Labelling a view costs several times a step of the student with it, so each view is used more than
once; drawing new ones all the time keeps them from being learnt by heart.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Generator, Tensor
from torch.nn import functional

from .evidence import evidence
from .frozen import Frozen
from .pictures import Pictures
from .teacher import COMPONENTS, Teacher
from .views import COARSE, GRID, Source, Sources, Views, draw

VIEW_SIDE = 112  # pixels of a stored view
FIRST = 2048  # views that fit the projection of the teacher's features


def outlines(images: Tensor, masks: Tensor | None, teacher: Teacher) -> Tensor:
    """Say about where the object is: the mask, or the teacher's map of the whole picture."""
    if masks is not None:
        return functional.adaptive_avg_pool2d(masks.unsqueeze(1).float() / 255, COARSE)[:, 0]
    maps = []
    for batch in images.split(256):
        enlarged = functional.interpolate(
            batch.float() / 255, size=(teacher.side,) * 2, mode="bilinear"
        )
        maps.append(teacher.network(enlarged)[0].reshape(-1, 1, GRID, GRID))
    finer = functional.interpolate(torch.cat(maps), size=(COARSE, COARSE), mode="bilinear")
    return finer[:, 0]


def prepare(
    pictures: Pictures, teacher: Teacher, classifiers: list[Frozen], stored: Path, chance: Generator
) -> Sources:
    """Move the pictures to the device, with all that is known of them.

    The evidence takes longest: it is kept in the file `stored`.
    """
    device = chance.device

    def moved(array: object) -> Tensor:
        return torch.from_numpy(array).to(device)

    known = torch.load(stored, map_location=device) if stored.exists() else {}
    sources = {}
    for name, images, masks in (
        ("masked", pictures.masked.images, pictures.masked.masks),
        ("cut_outs", pictures.cut_outs.images, pictures.cut_outs.masks),
        ("photos", pictures.photos, None),
        ("small", pictures.small, None),
    ):
        planes = moved(images).permute(0, 3, 1, 2).contiguous()
        shapes = None if masks is None else moved(masks)
        if name in {"masked", "photos"} and name not in known:
            known[name] = evidence(classifiers, planes, chance)
        where = (
            outlines(planes, shapes, teacher)
            if len(planes)
            else planes.new_zeros(0, COARSE, COARSE)
        )
        sources[name] = Source(planes, where, shapes, known.get(name))
    torch.save(known, stored)
    return Sources(**sources)


class Pool:
    """A ring of labelled views.

    `masks` and `evidence` (size, 7, 7) hold -1 where they are not known.
    """

    def __init__(self, size: int, sources: Sources, teacher: Teacher, chance: Generator) -> None:
        self.sources, self.teacher, self.chance = sources, teacher, chance
        self.size, self.drawn = size, 0

        def space(*shape: int, kind: torch.dtype = torch.float16) -> Tensor:
            return torch.empty(size, *shape, dtype=kind, device=chance.device)

        self.images = space(VIEW_SIDE, VIEW_SIDE, 3, kind=torch.uint8)
        self.masks, self.heat, self.evidence = (space(GRID, GRID) for _ in range(3))
        self.features = space(COMPONENTS, GRID, GRID)

    def fill(self, batch: int) -> Iterator[int]:
        """Fill the pool; gives the number of views after each batch."""
        self.add(min(FIRST, self.size))
        while self.drawn < self.size:
            self.add(batch)
            yield self.drawn

    def add(self, count: int) -> None:
        """Draw and label new views in the place of the oldest."""
        views = draw(count, self.sources, self.chance)
        heat, features = self.teacher(views.images)
        place = torch.arange(self.drawn, self.drawn + count, device=self.chance.device) % self.size
        small = functional.avg_pool2d(views.images, 2) * 255
        self.images[place] = small.round().byte().permute(0, 2, 3, 1)
        self.masks[place] = self._coverage(views)
        self.heat[place], self.features[place] = heat.half(), features.half()
        self.evidence[place] = views.evidence.half()
        self.drawn += count

    @staticmethod
    def _coverage(views: Views) -> Tensor:
        """Give the share of the object in each cell, -1 without a mask."""
        return functional.adaptive_avg_pool2d(views.masks.unsqueeze(1), GRID)[:, 0].half()
