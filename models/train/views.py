"""Views: the random crops and collages of the training pictures that the student learns from.

Colours are not changed here: the teacher labels the view with its own colours, and the student gets
it with changed colours later. All random numbers come from the generator that is passed in.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.random import Generator

from .pictures import Image, Mask, MaskedPhoto

Item = TypeVar("Item")

# Shares of the kinds of view. Only crops of masked photos have certain labels; the other kinds add
# variety, because 833 photos can be learnt by heart.
KINDS = ("masked", "photo", "pasted", "small")
SHARES = (0.29, 0.24, 0.19, 0.28)
CUT_OUTS = 0.4  # of the pasted objects; the others are of masked photos


@dataclass(frozen=True)
class View:
    """A crop or a collage.

    `mask` is None where only the teacher labels it; `folds` are those of the masked photos that it
    shows.
    """

    image: Image
    mask: Mask | None
    folds: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Pictures:
    """Everything that views are cut from."""

    masked: list[MaskedPhoto]
    cut_outs: list[MaskedPhoto]
    photos: list[Image]
    small: list[Image]


def window(image: Image | Mask, smallest: float, rng: Generator) -> tuple[slice, slice]:
    """Draw a crop of `smallest`..1 of each side with a changed aspect ratio."""
    height, width = image.shape[0], image.shape[1]
    scale = rng.uniform(smallest, 1.0)
    stretch = np.exp(rng.uniform(-0.25, 0.25))
    crop_height = max(8, round(height * min(1.0, scale * stretch)))
    crop_width = max(8, round(width * min(1.0, scale / stretch)))
    top = int(rng.integers(0, height - crop_height + 1)) if crop_height < height else 0
    left = int(rng.integers(0, width - crop_width + 1)) if crop_width < width else 0
    return slice(top, top + crop_height), slice(left, left + crop_width)


def off_centre(mask: Mask) -> float:
    """Give the distance of the object's centroid from the middle, in shares of the sides."""
    share = mask.sum()
    if not share:
        return 0.0
    height, width = mask.shape
    row = float(mask.sum(axis=1) @ np.arange(0.5, height)) / share / height
    column = float(mask.sum(axis=0) @ np.arange(0.5, width)) / share / width
    return float(np.hypot(row - 0.5, column - 0.5))


def masked_view(photo: MaskedPhoto, rng: Generator) -> View:
    """Cut a crop that keeps a third of the object; one in eight is the whole photo.

    For half of the crops, four are drawn and the one with the object furthest from the middle is
    taken: in nearly all photos the object is in the middle, and only that would be learnt.
    """
    if rng.random() < 0.125:
        return View(photo.image, photo.mask, photo.folds)
    whole = photo.mask.sum()
    wanted = 4 if rng.random() < 0.5 else 1
    crops = []
    for _ in range(12):
        rows, columns = window(photo.mask, 0.4, rng)
        if photo.mask[rows, columns].sum() > 0.35 * whole:
            crops.append((rows, columns))
        if len(crops) == wanted:
            break
    if not crops:
        crops = [window(photo.mask, 0.8, rng)]
    rows, columns = max(crops, key=lambda crop: off_centre(photo.mask[crop]))
    return View(photo.image[rows, columns], photo.mask[rows, columns], photo.folds)


def plain_view(image: Image, rng: Generator, smallest: float = 0.4) -> View:
    """Cut a crop of a picture without a mask, of at least `smallest` of its sides."""
    rows, columns = window(image, smallest, rng)
    return View(image[rows, columns], None)


def cut_out(photo: MaskedPhoto) -> tuple[Image, Mask]:
    """Cut the object's bounding box, with its mask."""
    rows = np.flatnonzero(photo.mask.any(axis=1))
    columns = np.flatnonzero(photo.mask.any(axis=0))
    if not len(rows):
        return photo.image, photo.mask
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return photo.image[box], photo.mask[box]


def paste(photo: MaskedPhoto, ground: View, rng: Generator) -> View:
    """Paste the photo's object somewhere on another view, with a soft edge.

    The object is sometimes turned and often extends past the border. It covers the ground, whose
    mask counts only where it is still visible. A ground without a mask counts as empty; the
    teacher's map of it is averaged in later.
    """
    side = 224
    image = cv2.resize(ground.image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    piece, shape = cut_out(photo)
    share = rng.uniform(0.2, 0.75) * side / max(shape.shape)
    size = (
        max(4, round(shape.shape[1] * share * np.exp(rng.uniform(-0.2, 0.2)))),
        max(4, round(shape.shape[0] * share * np.exp(rng.uniform(-0.2, 0.2)))),
    )
    sized = cv2.resize(piece, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(shape, size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        sized, cover = sized[:, ::-1], cover[:, ::-1]
    centre = rng.uniform(0.08, 0.92, 2) * side
    angle = rng.uniform(-20, 20)
    move = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, 1.0)
    move[:, 2] = move[:, 2] + centre - np.array(size) / 2
    frame = (side, side)
    over = cv2.warpAffine(np.ascontiguousarray(sized), move, frame, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.GaussianBlur(cv2.warpAffine(np.ascontiguousarray(cover), move, frame), (3, 3), 0)
    # Half of the time, adapt the brightness to the ground, so that brightness alone does not show
    # that an object was pasted.
    tone = over.astype(np.float32)
    if rng.random() < 0.5:
        brightness = float((tone.mean(axis=2) * alpha).sum()) / max(float(alpha.sum()), 1.0)
        tone *= np.clip(image.mean() / max(brightness, 1.0), 0.6, 1.6)
    image += alpha[..., None] * (tone - image)
    mask = np.asarray(alpha, np.float32)
    if ground.mask is not None:
        under = cv2.resize(ground.mask, frame, interpolation=cv2.INTER_AREA)
        mask = np.maximum(alpha, under * (1 - alpha)).astype(np.float32)
    return View(np.clip(image, 0, 255).astype(np.uint8), mask, ground.folds | photo.folds)


def pick(items: list[Item], rng: Generator) -> Item:
    """Draw one of the items, each equally likely."""
    return items[int(rng.integers(len(items)))]


def draw_view(pictures: Pictures, rng: Generator) -> View:
    """Draw one view of a random kind."""
    kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    if kind == "masked":
        return masked_view(pick(pictures.masked, rng), rng)
    if kind == "small":
        return plain_view(pick(pictures.small, rng), rng, 0.65)
    if kind == "photo":
        return plain_view(pick(pictures.photos, rng), rng)
    if rng.random() < 0.5:
        ground = plain_view(pick(pictures.photos, rng), rng)
    else:
        ground = masked_view(pick(pictures.masked, rng), rng)
    objects = pictures.cut_outs if rng.random() < CUT_OUTS else pictures.masked
    return paste(pick(objects, rng), ground, rng)
