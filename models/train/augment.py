"""Colour changes and flips of whole batches, drawn anew at every step."""

import torch
from torch import Generator, Tensor
from torch.nn import functional

# Sides of small pictures in pixels; each entry is equally likely.
SMALL_SIDES = (24, 28, 32, 32, 32, 32, 40, 48, 64)
# Weights of red, green and blue in brightness (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


def change_colours(pixels: Tensor, chance: Generator) -> Tensor:
    """Change brightness, contrast, saturation, white balance and noise of (N, 3, S, S), 0..255."""
    count = len(pixels)

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        shape = (count, channels, 1, 1)
        return low + (high - low) * torch.rand(shape, generator=chance, device=chance.device)

    grey = (pixels * pixels.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    saturation = torch.where(uniform(0, 1) < 0.1, 0.0, uniform(0.3, 1.7))
    contrast, brightness = uniform(0.6, 1.4), uniform(0.65, 1.35)
    balance = uniform(0.85, 1.15, 3)
    # One linear map per picture: grey + s * (x - grey), then m + c * (x - m), then * b.
    changed = pixels * (saturation * contrast) + grey * ((1 - saturation) * contrast)
    changed += grey.mean(dim=(2, 3), keepdim=True) * (1 - contrast)
    changed *= brightness * balance
    noise = torch.where(uniform(0, 1) < 0.2, 8.0, 0.0)
    changed += noise * torch.randn(pixels.shape, generator=chance, device=chance.device)
    return changed.clamp_(0, 255)


def make_small(pixels: Tensor, side: int, small: int) -> Tensor:
    """Shrink a batch to pictures of `small` pixels and enlarge them to `side`."""
    shrunk = functional.interpolate(pixels, size=(small, small), mode="area").round_()
    return functional.interpolate(shrunk, size=(side, side), mode="bilinear", align_corners=False)


def flip(chance: Generator, *batches: Tensor) -> list[Tensor]:
    """Mirror half of the items, the same in every batch; the last axis is the width."""
    mirrored = torch.rand(len(batches[0]), generator=chance, device=chance.device) < 0.5
    flipped = []
    for batch in batches:
        shape = (-1,) + (1,) * (batch.dim() - 1)
        flipped.append(torch.where(mirrored.view(shape), batch.flip(-1), batch))
    return flipped
