"""Augmentations: one file each, and the registry that lists them."""

from __future__ import annotations

from typing import Any

from augcli.augmentations.base import Augmentation
from augcli.augmentations.cutmix import CutMix
from augcli.augmentations.cutout import Cutout
from augcli.augmentations.dropblock import DropBlock
from augcli.augmentations.dropout import Dropout
from augcli.augmentations.erasing import Erasing
from augcli.augmentations.gridmask import GridMask
from augcli.augmentations.mixup import MixUp
from augcli.augmentations.resizemix import ResizeMix
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
"""Every augmentation, in the order of the help."""

METHODS: dict[str, type[Augmentation[Any]]] = {one.name: one for one in REGISTRY}
"""Everything that a recipe may use, by name."""
