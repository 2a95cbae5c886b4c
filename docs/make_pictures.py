"""Makes the pictures of the README and the docs from sample_images; run by ``make docs``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import augcli
from augcli.augmentations.base import Augmentation
from augcli.report.contact_sheet import contact_sheet
from augcli.report.preview import preview
from augcli.report.sheets.draw import draw
from augcli.report.sheets.publish import checked_sheet_place, write_sheet

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
PHOTOS = ROOT / "sample_images"
PAIR = ("thing/coffee_cup.jpg", "animal/cat_face.png")
"""The base and the donor of docs/family.md."""
MAPPED = (*("animal/raccoon.jpg", "person/astronaut.jpg", "space/rocket.jpg", "thing/helmet.jpg"),)
"""The photos of docs/heatmaps.md."""
FAMILY: dict[str, Augmentation[Any]] = {
    "cutout": augcli.Cutout(patch=0.4),
    "cutout-attended": augcli.Cutout(patch=0.4, at="attended"),
    "cutout-background": augcli.Cutout(patch=0.4, at="background"),
    "erasing": augcli.Erasing(),
    "gridmask": augcli.GridMask(),
    "dropblock": augcli.DropBlock(block=0.1, keep=0.8),
    "dropout": augcli.Dropout(drop=0.2),
    "spatial-dropout": augcli.SpatialDropout(drop=0.4),
    "cutmix": augcli.CutMix(),
    "cutmix-box": augcli.CutMix(region="box"),
    "cutmix-peak": augcli.CutMix(region="peak"),
    "cutmix-cells": augcli.CutMix(region="cells"),
    "mixup": augcli.MixUp(alpha=2.0),
    "resizemix": augcli.ResizeMix(),
}
"""The pictures of docs/family.md; with these options a small picture shows the effect."""


def write(name: str, picture: Any) -> None:
    """Write a picture of the docs."""
    write_sheet(picture, checked_sheet_place(PICTURES / f"{name}.jpg"))


def some_photos(folder: str, names: tuple[str, ...]) -> Path:
    """Return a folder that holds some of the sample photos."""
    for name in names:
        (Path(folder) / name).parent.mkdir(exist_ok=True)
        shutil.copy(PHOTOS / name, Path(folder) / name)
    return Path(folder)


def main() -> None:
    """Write all pictures."""
    PICTURES.mkdir(exist_ok=True)
    mixed: dict[str, Any] = {"pair": "different", "seed": 2}
    write("cutmix", preview(PHOTOS, augcli.CutMix(top_n=6), rows=3, **mixed))
    write("preview-vary", preview(PHOTOS, augcli.CutMix(), rows=2, vary="top_n=3,6,9,12", **mixed))
    recipe = augcli.Recipe.load(ROOT / "augcli/recipes/shipped/attentive.toml")
    write("preview-recipe", preview(PHOTOS, recipe, rows=2))
    with tempfile.TemporaryDirectory() as folder:
        method = augcli.CutMix(top_n=6)
        augcli.augment(PHOTOS, method, out=f"{folder}/images-cutmix", **mixed)
        write("sheet", draw(contact_sheet(f"{folder}/images-cutmix", rows=2)))
    with tempfile.TemporaryDirectory() as folder:
        attended = augcli.Cutout(at="attended", patch=0.2)
        write("heat-maps", preview(some_photos(folder, MAPPED), attended, rows=4))
    with tempfile.TemporaryDirectory() as folder:
        pair = some_photos(folder, PAIR)
        for name, augmentation in FAMILY.items():
            write(f"family-{name}", preview(pair, augmentation, rows=1, seed=4))


if __name__ == "__main__":
    main()
