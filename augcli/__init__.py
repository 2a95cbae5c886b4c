"""augcli makes augmented image data sets offline, with soft labels that are true.

The command line's own run is :func:`augment`; the functions on arrays serve a training loop.
All methods are in :mod:`augcli.augmentations`.
The names are imported on first use: importing augcli imports neither OpenCV nor onnxruntime.
"""

from typing import TYPE_CHECKING

from augcli.lazy import names_from
from augcli.version import VERSION

if TYPE_CHECKING:
    from augcli.attention.heat_map_file import HeatMaps as HeatMaps
    from augcli.attention.scorer import heat_map as heat_map
    from augcli.augmentations.cutmix import AttentiveCutMix as AttentiveCutMix
    from augcli.augmentations.cutout import Cutout as Cutout
    from augcli.augmentations.cutout import cutout as cutout
    from augcli.classifiers.prepare import prepare_scorer as prepare_scorer
    from augcli.pixels.blends import paste_cells as paste_cells
    from augcli.recipes.recipe import Recipe as Recipe
    from augcli.run.api import Summary as Summary
    from augcli.run.api import augment as augment
    from augcli.run.verify import verify as verify

__version__ = VERSION

__all__ = [
    "AttentiveCutMix",
    "Cutout",
    "HeatMaps",
    "Recipe",
    "Summary",
    "augment",
    "cutout",
    "heat_map",
    "paste_cells",
    "prepare_scorer",
    "verify",
]

__getattr__ = names_from(
    {
        "AttentiveCutMix": "augcli.augmentations.cutmix",
        "Cutout": "augcli.augmentations.cutout",
        "HeatMaps": "augcli.attention.heat_map_file",
        "Recipe": "augcli.recipes.recipe",
        "Summary": "augcli.run.api",
        "augment": "augcli.run.api",
        "cutout": "augcli.augmentations.cutout",
        "heat_map": "augcli.attention.scorer",
        "paste_cells": "augcli.pixels.blends",
        "prepare_scorer": "augcli.classifiers.prepare",
        "verify": "augcli.run.verify",
    },
    globals(),
)
