"""Augmentations: one file each, and the registry that lists them."""

from __future__ import annotations

from typing import Any

from augcli.augmentations.base import Augmentation
from augcli.augmentations.cutmix import AttentiveCutMix
from augcli.augmentations.cutout import Cutout

REGISTRY: tuple[type[Augmentation[Any]], ...] = (
    Cutout,
    AttentiveCutMix,
)
"""Every augmentation, in the order of the help."""

METHODS: dict[str, type[Augmentation[Any]]] = {one.name: one for one in REGISTRY}
"""Everything that a recipe may use, by name."""
