"""Views: the random crops and collages of the training pictures that the student learns from.

All are cut on the device that trains, in batches. Colours are not changed here: the teacher labels
the view with its own colours, and the student gets it with changed colours later.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

GRID = 7
SIDE = 224  # pixels of a view
COARSE = 24  # cells of the outlines that choose crops
CANDIDATES = 6  # crops, of which one is taken
KEPT = 0.35  # share of the object that a crop keeps
# Shares of the kinds of view. Only views with masks have certain labels; the others add variety,
# because a thousand masked photos can be learnt by heart.
MASKED, PHOTOS, SMALL, PASTED = 0.18, 0.46, 0.16, 0.20
CUT_OUTS = 0.3  # of the pasted objects; the others are of masked photos


@dataclass(frozen=True)
class Source:
    """Pictures on the device.

    `outlines` (N, COARSE, COARSE) say about where the object is; `masks` (N, S, S) are certain;
    `evidence` (N, 7, 7) says which cells tell the class, -1 where nothing is known.
    """

    images: Tensor  # uint8 (N, 3, S, S)
    outlines: Tensor
    masks: Tensor | None = None
    evidence: Tensor | None = None


@dataclass(frozen=True)
class Views:
    """A batch of views; `masks` and `evidence` hold -1 where they are not known."""

    images: Tensor  # float (N, 3, SIDE, SIDE), 0..1
    masks: Tensor  # (N, SIDE, SIDE), 0..1
    evidence: Tensor  # (N, GRID, GRID), 0..1


@dataclass(frozen=True)
class Sources:
    """Everything that views are cut from."""

    masked: Source
    cut_outs: Source
    photos: Source
    small: Source


def uniform(low: float, high: float, shape: tuple[int, ...], chance: Generator) -> Tensor:
    """Draw numbers between two bounds."""
    return low + (high - low) * torch.rand(shape, generator=chance, device=chance.device)


def pick(count: int, source: Source, chance: Generator) -> Tensor:
    """Draw the indices of pictures, each equally likely."""
    return torch.randint(len(source.images), (count,), generator=chance, device=chance.device)


def windows(count: int, smallest: float, chance: Generator) -> Tensor:
    """Draw crops of `smallest`..1 of each side with a changed aspect ratio.

    Gives (count, CANDIDATES, 4): top, left, height and width in shares of the sides.
    """
    shape = (count, CANDIDATES)
    scale = uniform(smallest, 1, shape, chance)
    stretch = uniform(-0.25, 0.25, shape, chance).exp()
    height, width = (scale * stretch).clamp(max=1), (scale / stretch).clamp(max=1)
    top, left = (uniform(0, 1, shape, chance) * (1 - side) for side in (height, width))
    return torch.stack([top, left, height, width], dim=2)


def choose(crops: Tensor, outlines: Tensor, chance: Generator) -> Tensor:
    """Choose a crop that keeps enough of the object; one in eight is the whole picture.

    For half of the views it is the crop with the object furthest from the middle: in nearly all
    photos the object is in the middle, and only that would be learnt. Gives (count, 4).
    """
    count = len(crops)
    edges = torch.arange(COARSE + 1, device=crops.device) / COARSE
    middles = (edges[1:] + edges[:-1]) / 2
    inside = []
    for axis in (0, 1):
        start, length = crops[..., axis, None], crops[..., axis + 2, None]
        overlap = torch.minimum(edges[1:], start + length) - torch.maximum(edges[:-1], start)
        inside.append(overlap.clamp(min=0) * COARSE)
    rows = torch.einsum("nkr,nrc,nkc->nkr", inside[0], outlines, inside[1])
    columns = torch.einsum("nkr,nrc,nkc->nkc", inside[0], outlines, inside[1])
    mass = rows.sum(dim=2)
    offsets = [
        ((cells * middles).sum(dim=2) / mass.clamp(min=1e-6) - crops[..., axis])
        / crops[..., axis + 2]
        - 0.5
        for axis, cells in enumerate((rows, columns))
    ]
    kept = mass / outlines.sum(dim=(1, 2)).clamp(min=1e-6).unsqueeze(1)
    aside = uniform(0, 1, (count, 1), chance) < 0.5
    liking = torch.where(aside, torch.hypot(*offsets), uniform(0, 1, kept.shape, chance))
    best = torch.where(kept > KEPT, liking, kept - 2).argmax(dim=1)
    chosen = crops[torch.arange(count, device=crops.device), best]
    whole = uniform(0, 1, (count, 1), chance) < 0.125
    return torch.where(whole, torch.tensor([0.0, 0.0, 1.0, 1.0], device=crops.device), chosen)


def crop(pictures: Tensor, crops: Tensor, mirrored: Tensor, side: int) -> Tensor:
    """Cut crops (N, 4) out of pictures (N, channels, S, S), some of them mirrored."""
    theta = crops.new_zeros(len(crops), 2, 3)
    theta[:, 0, 0] = torch.where(mirrored, -crops[:, 3], crops[:, 3])
    theta[:, 0, 2] = 2 * crops[:, 1] + crops[:, 3] - 1
    theta[:, 1, 1] = crops[:, 2]
    theta[:, 1, 2] = 2 * crops[:, 0] + crops[:, 2] - 1
    return sample(pictures, theta, side, "border")


def sample(pictures: Tensor, theta: Tensor, side: int, padding: str) -> Tensor:
    """Resample pictures by one affine map each, (N, 2, 3), to side x side."""
    places = functional.affine_grid(theta, [len(theta), 1, side, side], align_corners=False)
    return functional.grid_sample(
        pictures, places, mode="bilinear", padding_mode=padding, align_corners=False
    )


def cut(count: int, source: Source, smallest: float, chance: Generator) -> Views:
    """Draw crops of random pictures of a source."""
    index = pick(count, source, chance)
    crops = choose(windows(count, smallest, chance), source.outlines[index], chance)
    mirrored = uniform(0, 1, (count,), chance) < 0.5
    images = crop(source.images[index].float() / 255, crops, mirrored, SIDE)
    unknown = images.new_full((count, GRID, GRID), -1)
    masks = images.new_full((count, SIDE, SIDE), -1)
    if source.masks is not None:
        shapes = source.masks[index].unsqueeze(1).float() / 255
        masks = crop(shapes, crops, mirrored, SIDE)[:, 0]
    if source.evidence is not None:
        known = source.evidence[index].unsqueeze(1)
        unknown = crop(known, crops, mirrored, GRID)[:, 0]
    return Views(images, masks, unknown)


def boxes(outlines: Tensor) -> Tensor:
    """Give the bounding boxes of outlines (N, COARSE, COARSE): centre and size, (N, 4), -1..1."""
    sides = []
    for axis in (1, 2):
        there = outlines.amax(dim=axis) > 0.02
        low = there.float().argmax(dim=1)
        high = COARSE - there.flip(1).float().argmax(dim=1)
        sides.append(((low + high) / COARSE - 1, (high - low) / COARSE))
    (column, width), (row, height) = sides
    return torch.stack([row, column, height, width], dim=1)


def paste(ground: Views, source: Source, chance: Generator) -> Views:
    """Paste an object somewhere on each view.

    It is turned, scaled, often extends past the border, and its brightness is adapted to the
    ground half of the time. It covers the ground, whose mask counts only where it is still visible.
    A ground without a mask counts as empty; the teacher's map of it is averaged in later.
    """
    count = len(ground.images)
    index = pick(count, source, chance)
    assert source.masks is not None
    row, column, height, width = boxes(source.outlines[index]).T
    share = uniform(0.2, 0.75, (count,), chance) / torch.maximum(height, width)
    tall = height * share * uniform(-0.25, 0.25, (count,), chance).exp()
    wide = width * share * uniform(-0.25, 0.25, (count,), chance).exp()
    angle = uniform(-0.35, 0.35, (count,), chance)
    x, y = uniform(-0.84, 0.84, (2, count), chance)
    flipped = torch.where(uniform(0, 1, (count,), chance) < 0.5, -1.0, 1.0)
    # From a place of the view to one of the object's picture.
    theta = x.new_zeros(count, 2, 3)
    across, down = width / wide * flipped, height / tall
    theta[:, 0, 0], theta[:, 0, 1] = across * angle.cos(), across * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = -down * angle.sin(), down * angle.cos()
    theta[:, 0, 2] = column - theta[:, 0, 0] * x - theta[:, 0, 1] * y
    theta[:, 1, 2] = row - theta[:, 1, 0] * x - theta[:, 1, 1] * y
    layers = torch.cat([source.images[index], source.masks[index].unsqueeze(1)], dim=1)
    over = sample(layers.float() / 255, theta, SIDE, "zeros")
    colours, alpha = over[:, :3], over[:, 3:]
    # Half of the time brightness alone must not show that an object was pasted.
    area = alpha.sum(dim=(1, 2, 3)).clamp(min=1)
    brightness = (colours * alpha).sum(dim=(1, 2, 3)) / 3 / area
    tone = (ground.images.mean(dim=(1, 2, 3)) / brightness.clamp(min=0.01)).clamp(0.6, 1.6)
    adapted = uniform(0, 1, (count,), chance) < 0.5
    tone = torch.where(adapted, tone, 1.0).view(-1, 1, 1, 1)
    images = torch.lerp(ground.images, (colours * tone).clamp(max=1), alpha)
    alpha = alpha[:, 0]
    masks = torch.maximum(alpha, ground.masks.clamp(min=0) * (1 - alpha))
    return Views(images, masks, torch.full_like(ground.evidence, -1))


def draw(count: int, sources: Sources, chance: Generator) -> Views:
    """Draw views of all kinds."""
    half = round(count * PASTED / 2)
    cut_outs = round(count * PASTED * CUT_OUTS) if len(sources.cut_outs.images) else 0
    small = round(count * SMALL) if len(sources.small.images) else 0
    masked = round(count * MASKED)
    grounds = join([cut(half, sources.masked, 0.4, chance), cut(half, sources.photos, 0.4, chance)])
    order = torch.randperm(2 * half, generator=chance, device=chance.device)
    parts = [
        cut(masked, sources.masked, 0.4, chance),
        cut(count - masked - small - 2 * half, sources.photos, 0.4, chance),
        paste(choice(grounds, order[cut_outs:]), sources.masked, chance),
    ]
    if small:
        parts.append(cut(small, sources.small, 0.65, chance))
    if cut_outs:
        parts.append(paste(choice(grounds, order[:cut_outs]), sources.cut_outs, chance))
    return join(parts)


def join(parts: list[Views]) -> Views:
    """Put batches one after the other."""
    return Views(
        *(
            torch.cat([getattr(part, name) for part in parts])
            for name in ("images", "masks", "evidence")
        )
    )


def choice(views: Views, index: Tensor) -> Views:
    """Take some of the views."""
    return Views(views.images[index], views.masks[index], views.evidence[index])
