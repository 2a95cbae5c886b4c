"""Colour changes and flips of whole batches, drawn anew at every step."""

import torch
from torch import Generator, Tensor
from torch.nn import functional

# Sides of small pictures in pixels; each entry is equally likely.
SMALL_SIDES = (24, 28, 32, 32, 32, 32, 40, 48, 64)
# Weights of red, green and blue in brightness (ITU-R BT.601).
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def uniform(count: int, low: float, high: float, chance: Generator) -> Tensor:
    """Draw one number for each picture, of shape (N, 1, 1, 1)."""
    return (low + (high - low) * torch.rand(count, generator=chance)).view(-1, 1, 1, 1)


def change_colours(pixels: Tensor, chance: Generator) -> Tensor:
    """Change brightness, contrast, saturation, white balance and noise of (N, 3, S, S), 0..255."""
    count = len(pixels)
    grey = (pixels * LUMA).sum(dim=1, keepdim=True)
    saturation = uniform(count, 0.3, 1.7, chance)
    saturation[torch.rand(count, generator=chance) < 0.1] = 0.0
    mean = grey.mean(dim=(2, 3), keepdim=True)
    contrast = uniform(count, 0.6, 1.4, chance)
    brightness = uniform(count, 0.65, 1.35, chance)
    balance = 1 + 0.3 * (torch.rand(count, 3, 1, 1, generator=chance) - 0.5)
    # One linear map per picture: grey + s * (x - grey), then m + c * (x - m), then * b.
    changed = pixels * (saturation * contrast) + grey * ((1 - saturation) * contrast)
    changed += mean * (1 - contrast)
    changed *= brightness * balance
    noisy = torch.rand(count, generator=chance) < 0.2
    if noisy.any():
        some = changed[noisy]
        changed[noisy] = some + torch.randn(some.shape, generator=chance) * 8
    return changed.clamp_(0, 255)


def make_small(pixels: Tensor, side: int, chance: Generator) -> Tensor:
    """Shrink a batch to small pictures, most often of 32 pixels, and enlarge them to `side`."""
    small = SMALL_SIDES[int(torch.randint(len(SMALL_SIDES), (), generator=chance))]
    shrunk = functional.interpolate(pixels, size=(small, small), mode="area").round_()
    return functional.interpolate(shrunk, size=(side, side), mode="bilinear", align_corners=False)


def flip(chance: Generator, *batches: Tensor) -> list[Tensor]:
    """Mirror half of the items, the same in every batch; the last axis is the width."""
    mirrored = torch.rand(len(batches[0]), generator=chance) < 0.5
    flipped = []
    for batch in batches:
        shape = (-1,) + (1,) * (batch.dim() - 1)
        flipped.append(torch.where(mirrored.view(shape), batch.flip(-1), batch))
    return flipped
