"""The mean map of several students, mirror images too: a better teacher than each of them alone."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor

from .network import Student


class Consensus:
    """Labels views with the mean heat map of students that learn no more."""

    def __init__(self, students: Iterable[Student]) -> None:
        self.students = [copy.deepcopy(student).eval() for student in students]

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Give heat maps (N, 7, 7) of pixels (N, 3, side, side), 0..255."""
        total = torch.zeros(())
        for student in self.students:
            for mirrored in (False, True):
                seen = pixels.flip(-1) if mirrored else pixels
                heat = student(seen.permute(0, 2, 3, 1))[0].float().sigmoid()
                total = total.to(heat.device) + (heat.flip(-1) if mirrored else heat)
        return total / (2 * len(self.students))
