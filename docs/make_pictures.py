"""Makes the pictures of the README and the docs from sample_images; run by ``make docs``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from augcli import AttentiveCutMix, heat_map
from augcli.augmentations import (
    CutMix,
    Cutout,
    DropBlock,
    Dropout,
    Erasing,
    GridMask,
    MixUp,
    ResizeMix,
    SpatialDropout,
)
from augcli.augmentations.base import Augmentation, Mixer, donor_pixels
from augcli.pixels.fills import mean_colour
from augcli.pixels.frame import Frame
from augcli.pixels.overlay import overlay
from augcli.pixels.resize import resize
from augcli.rng import Stream

if TYPE_CHECKING:
    from augcli.pixels.frame import Image

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
HEIGHT = 210
GAP = 10
CAPTION = 24


def photo(name: str) -> Image:
    """Return a sample photo as uint8 (H, W, 3) RGB."""
    with Picture.open(ROOT / "sample_images" / name) as opened:
        return np.asarray(opened.convert("RGB"))


def row(images: list[Image], captions: list[str], height: int = HEIGHT) -> Picture.Image:
    """Return images side by side, resized to one height, each with a caption under it."""
    fitted = [
        resize(image, Frame(height, round(image.shape[1] * height / image.shape[0])))
        for image in images
    ]
    width = sum(image.shape[1] for image in fitted) + GAP * (len(fitted) - 1)
    sheet = Picture.new("RGB", (width, height + CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    left = 0
    for image, caption in zip(fitted, captions, strict=True):
        sheet.paste(Picture.fromarray(image), (left, 0))
        draw.text((left, height + 4), caption, fill="#222222", font=font)
        left += image.shape[1] + GAP
    return sheet


def stacked(rows: list[Picture.Image]) -> Picture.Image:
    """Return rows below each other, left-aligned on white."""
    width = max(sheet.width for sheet in rows)
    page = Picture.new("RGB", (width, sum(sheet.height for sheet in rows)), "white")
    top = 0
    for sheet in rows:
        page.paste(sheet, (0, top))
        top += sheet.height
    return page


def cutmix_row(base_name: str, donor_name: str) -> Picture.Image:
    """Return donor, heat map with chosen cells, base and result, with their label weights."""
    base, donor = photo(base_name), photo(donor_name)
    mixer = AttentiveCutMix(top_n=6)
    scores = heat_map(donor)
    draw = mixer.draw(Frame.of(base), Stream(0, "docs"), scores)
    given, total = donor_pixels(mixer, draw, Frame.of(base))
    base_class, donor_class = base_name.partition("/")[0], donor_name.partition("/")[0]
    return row(
        [donor, overlay(donor, scores, draw.cells), base, mixer.apply((base, donor), draw)],
        [
            f"donor: {donor_class}",
            "heat map, 6 best cells",
            f"base: {base_class}",
            f"{base_class} {1 - given / total:.3f}, {donor_class} {given / total:.3f}",
        ],
    )


def heat_maps_row(names: list[str]) -> Picture.Image:
    """Return photos with their heat maps, as ``augcli heatmaps --overlay`` makes them."""
    shown = []
    for name in names:
        image = photo(name)
        scores = heat_map(image)
        draw = AttentiveCutMix(top_n=6).draw(Frame.of(image), Stream(0, "docs"), scores)
        shown.append(overlay(image, scores, draw.cells))
    return row(shown, [name.partition("/")[2] for name in names], 160)


FAMILY: dict[str, Augmentation[Any]] = {
    "cutout": Cutout(patch=0.4),
    "cutout-attended": Cutout(patch=0.4, at="attended"),
    "cutout-background": Cutout(patch=0.4, at="background"),
    "erasing": Erasing(),
    "gridmask": GridMask(),
    "dropblock": DropBlock(block=0.1, keep=0.8),
    "dropout": Dropout(drop=0.2),
    "spatial-dropout": SpatialDropout(drop=0.4),
    "cutmix": CutMix(),
    "cutmix-box": CutMix(region="box"),
    "cutmix-peak": CutMix(region="peak"),
    "cutmix-cells": CutMix(region="cells"),
    "mixup": MixUp(alpha=2.0),
    "resizemix": ResizeMix(),
}
"""The pictures of docs/family.md; with these options a small picture shows the effect."""


def family_row(augmentation: Augmentation[Any]) -> Picture.Image:
    """Return the input images and the result, with their labels."""
    base, donor = photo("thing/coffee_cup.jpg"), photo("animal/cat_face.png")
    if augmentation.needs_mean_colour:
        augmentation = augmentation.with_mean_colour(mean_colour(base))
    frame = Frame.of(base)
    stream = Stream(4, "docs")
    if not isinstance(augmentation, Mixer):
        scores = heat_map(base) if augmentation.scores else None
        result = augmentation.apply((base,), augmentation.draw(frame, stream, scores))
        return row([base, result], ["thing", "thing 1.000"], 120)
    scores = heat_map(donor)
    draw = augmentation.draw(frame, stream, scores)
    given, total = donor_pixels(augmentation, draw, frame)
    result = augmentation.apply((base, donor), draw)
    label = f"thing {1 - given / total:.3f}, animal {given / total:.3f}"
    return row([base, donor, result], ["thing", "animal", label], 120)


def main() -> None:
    """Write all pictures."""
    PICTURES.mkdir(exist_ok=True)
    rows = [
        cutmix_row("thing/coffee_cup.jpg", "animal/cat_face.png"),
        cutmix_row("space/launch_pad.jpg", "person/officer.jpg"),
    ]
    stacked(rows).save(PICTURES / "cutmix.jpg", quality=85)
    shown = ["animal/raccoon.jpg", "person/astronaut.jpg", "space/rocket.jpg", "thing/helmet.jpg"]
    heat_maps_row(shown).save(PICTURES / "heat-maps.jpg", quality=85)
    for name, augmentation in FAMILY.items():
        family_row(augmentation).save(PICTURES / f"family-{name}.jpg", quality=85)


if __name__ == "__main__":
    main()
