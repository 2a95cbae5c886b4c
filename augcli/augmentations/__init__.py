"""Augmentations: one file each, and the registry that lists them."""

from __future__ import annotations

from typing import Any

from augcli.augmentations.base import Augmentation
from augcli.augmentations.blur import Blur
from augcli.augmentations.colour import Colour
from augcli.augmentations.cutmix import CutMix
from augcli.augmentations.cutout import Cutout
from augcli.augmentations.dropblock import DropBlock
from augcli.augmentations.dropout import Dropout
from augcli.augmentations.erasing import Erasing
from augcli.augmentations.flip import Flip
from augcli.augmentations.gridmask import GridMask
from augcli.augmentations.mixup import MixUp
from augcli.augmentations.random_resized_crop import RandomResizedCrop
from augcli.augmentations.resize import Resize
from augcli.augmentations.resizemix import ResizeMix
from augcli.augmentations.rotate import Rotate
from augcli.augmentations.spatial_dropout import SpatialDropout

REGISTRY: tuple[type[Augmentation[Any]], ...] = (
    Cutout,
    Erasing,
    GridMask,
    DropBlock,
    Dropout,
    SpatialDropout,
    CutMix,
    MixUp,
    ResizeMix,
)
"""Every augmentation with a command, in the order of ``--help``."""

PREPARATIONS: tuple[type[Augmentation[Any]], ...] = (
    Resize,
    RandomResizedCrop,
    Flip,
    Rotate,
    Colour,
    Blur,
)
"""Steps of recipes that have no command of their own."""

METHODS: dict[str, type[Augmentation[Any]]] = {
    method.name: method for method in (*REGISTRY, *PREPARATIONS)
}
"""Every augmentation and preparation, by name: what a recipe may use."""
