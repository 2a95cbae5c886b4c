"""Which cells tell a classifier the class: cells are greyed, and its answer is watched.

As in RISE (Petsiuk et al., BMVC 2018), random sets of cells are covered; a linear fit then tells
what each cell adds to the logarithm of the probability.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from .frozen import Frozen

GRID = 7
SETS = 64  # of covered cells, for each photo
COVERED = (6, 30)  # cells of a set: at least, less than
SURE = 0.3  # the probability from which on a classifier is asked
GREY = (124 / 255, 116 / 255, 104 / 255)
RIDGE = 3.0
TOGETHER = 8  # photos


def evidence(classifiers: list[Frozen], photos: Tensor, chance: Generator) -> Tensor:
    """Give (N, 7, 7), 0..1, the mean over the classifiers that are sure; -1 where none is.

    Args:
        classifiers: Their one output are the logits of the classes.
        photos: uint8 (N, 3, S, S).
        chance: Draws the sets of cells.
    """
    sums = torch.zeros(len(photos), GRID, GRID, device=photos.device)
    counts = torch.zeros(len(photos), device=photos.device)
    for classifier in classifiers:
        answers = []
        for batch in photos.split(256):
            probabilities = classifier(_shrink(batch, classifier.side))[0].softmax(dim=1)
            answers.append(torch.stack(probabilities.max(dim=1)))
        highest, classes = torch.cat(answers, dim=1)
        for some in torch.nonzero(highest > SURE)[:, 0].split(TOGETHER):
            images = _shrink(photos[some], classifier.side)
            sums[some] += _fit(classifier, images, classes[some].long(), chance)
            counts[some] += 1
    means = sums / counts.clamp(min=1).view(-1, 1, 1)
    return torch.where(counts.view(-1, 1, 1) > 0, means, -1.0)


def _shrink(photos: Tensor, side: int) -> Tensor:
    """Resize uint8 photos to the classifier's input, 0..1."""
    return functional.interpolate(
        photos.float() / 255, size=(side, side), mode="bilinear", antialias=True
    )


def _fit(classifier: Frozen, images: Tensor, classes: Tensor, chance: Generator) -> Tensor:
    """Cover random sets of cells and fit what each cell adds; (N, 7, 7), 0..1."""
    count, device = len(images), images.device
    sizes = torch.randint(*COVERED, (count, SETS, 1), generator=chance, device=device)
    order = torch.rand(count, SETS, GRID * GRID, generator=chance, device=device).argsort(dim=2)
    covered = (order.argsort(dim=2) < sizes).float()
    cells = covered.view(-1, 1, GRID, GRID)
    cover = functional.interpolate(cells, size=images.shape[2:], mode="nearest-exact")
    grey = torch.tensor(GREY, device=device).view(1, 3, 1, 1)
    mixed = torch.lerp(images.repeat_interleave(SETS, dim=0), grey, cover)
    logits = classifier(mixed)[0]
    chosen = classes.repeat_interleave(SETS).view(-1, 1)
    seen = (logits.softmax(dim=1).gather(1, chosen) + 1e-3).log().view(count, SETS, 1)
    table = torch.cat([covered, torch.ones_like(covered[..., :1])], dim=2)
    square = table.mT @ table + RIDGE * torch.eye(GRID * GRID + 1, device=device)
    added = -torch.linalg.solve(square, table.mT @ seen)[:, :-1, 0].view(count, 1, GRID, GRID)
    # A little blur: neighbours of a cell that tells the class are better guesses than others.
    line = torch.tensor([1.0, 2.0, 1.0], device=device) / 4
    kernel = (line.view(-1, 1) * line).view(1, 1, 3, 3)
    smooth = functional.conv2d(functional.pad(added, (1, 1, 1, 1), mode="replicate"), kernel)
    positive = smooth[:, 0].clamp(min=0)
    return positive / positive.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)
