"""The teacher: a larger network whose heat maps and inner features the student imitates."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .frozen import Frozen

# Inner tensors of the teacher that are worth imitating: the last map of its backbone (what
# things are) and the joined maps of its head (where the object is). Both are 7 x 7.
FEATURES = ("b147", "h_/m/Concat_1_output_0")
COMPONENTS = 64


@dataclass(frozen=True)
class Projection:
    """Principal components of the teacher's features: 64 numbers a cell instead of 512."""

    mean: Tensor
    axes: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Project (N, channels, 7, 7) to (N, COMPONENTS, 7, 7)."""
        return ((features.movedim(1, -1) - self.mean) @ self.axes).movedim(-1, 1)


def fit_projection(features: Tensor) -> Projection:
    """Fit the projection; components are scaled by the square root of their spread.

    This is half-way between equal spread, where noise would count as much as meaning, and the
    natural spread, where three components would outweigh all others.
    """
    cells = features.movedim(1, -1).flatten(0, 2).double()
    mean = cells.mean(dim=0)
    spread, axes = torch.linalg.eigh(torch.cov((cells - mean).T))
    spread, axes = spread[-COMPONENTS:].flip(0), axes[:, -COMPONENTS:].flip(1)
    scaled = axes / spread.sqrt().sqrt()
    scaled /= spread.sqrt().mean().sqrt()
    return Projection(mean.float(), scaled.float())


class Teacher:
    """Labels views with heat maps and features."""

    def __init__(self, file: Path, device: torch.device) -> None:
        self.network = Frozen(file, ("heat", *FEATURES), device)
        self.side = self.network.side
        self.projection: Projection | None = None

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Give heat maps (N, 7, 7) and features (N, COMPONENTS, 7, 7) of images, 0..1.

        The first batch fits the projection of the features.
        """
        heat, *maps = self.network(images)
        scaled = [each / (each.square().mean() + 1e-8).sqrt() for each in maps]
        features = torch.cat(scaled, dim=1)
        if self.projection is None:
            self.projection = fit_projection(features)
        return heat.reshape(-1, 7, 7), self.projection(features)
