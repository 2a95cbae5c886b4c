"""augcli makes augmented image data sets offline, with soft labels that are true.

The command line's own run is :func:`augment`; every method is a class, such as
:class:`GridMask`; the functions on arrays serve a training loop.
The names are imported on first use: importing augcli imports neither OpenCV nor onnxruntime.
"""

from typing import TYPE_CHECKING

from augcli.lazy import names_from
from augcli.version import VERSION

if TYPE_CHECKING:
    from augcli.attention.heat_map_file import HeatMaps as HeatMaps
    from augcli.attention.scorer import heat_map as heat_map
    from augcli.augmentations.blur import Blur as Blur
    from augcli.augmentations.colour import Colour as Colour
    from augcli.augmentations.cutmix import AttentiveCutMix as AttentiveCutMix
    from augcli.augmentations.cutmix import CutMix as CutMix
    from augcli.augmentations.cutout import Cutout as Cutout
    from augcli.augmentations.cutout import cutout as cutout
    from augcli.augmentations.dropblock import DropBlock as DropBlock
    from augcli.augmentations.dropout import Dropout as Dropout
    from augcli.augmentations.erasing import Erasing as Erasing
    from augcli.augmentations.flip import Flip as Flip
    from augcli.augmentations.gridmask import GridMask as GridMask
    from augcli.augmentations.mixup import MixUp as MixUp
    from augcli.augmentations.random_resized_crop import RandomResizedCrop as RandomResizedCrop
    from augcli.augmentations.resize import Resize as Resize
    from augcli.augmentations.resizemix import ResizeMix as ResizeMix
    from augcli.augmentations.rotate import Rotate as Rotate
    from augcli.augmentations.spatial_dropout import SpatialDropout as SpatialDropout
    from augcli.classifiers.prepare import prepare_scorer as prepare_scorer
    from augcli.data.data_set import DataSet as DataSet
    from augcli.data.data_set import read as read
    from augcli.pixels.blends import paste_cells as paste_cells
    from augcli.pixels.heat_maps import ranked_cells as ranked_cells
    from augcli.recipes.recipe import Recipe as Recipe
    from augcli.report.preview import preview as preview
    from augcli.run.api import Summary as Summary
    from augcli.run.api import augment as augment
    from augcli.run.api import export as export
    from augcli.run.api import finish as finish
    from augcli.run.api import prepare as prepare
    from augcli.run.inspecting.inspect import inspect as inspect
    from augcli.run.splitting.split import split as split
    from augcli.run.verifying.single import remake as remake
    from augcli.run.verifying.verify import verify as verify

__version__ = VERSION

__all__ = [
    "AttentiveCutMix",
    "Blur",
    "Colour",
    "CutMix",
    "Cutout",
    "DataSet",
    "DropBlock",
    "Dropout",
    "Erasing",
    "Flip",
    "GridMask",
    "HeatMaps",
    "MixUp",
    "RandomResizedCrop",
    "Recipe",
    "Resize",
    "ResizeMix",
    "Rotate",
    "SpatialDropout",
    "Summary",
    "augment",
    "cutout",
    "export",
    "finish",
    "heat_map",
    "inspect",
    "paste_cells",
    "prepare",
    "prepare_scorer",
    "preview",
    "ranked_cells",
    "read",
    "remake",
    "split",
    "verify",
]

__getattr__ = names_from(
    {
        "AttentiveCutMix": "augcli.augmentations.cutmix",
        "Blur": "augcli.augmentations.blur",
        "Colour": "augcli.augmentations.colour",
        "CutMix": "augcli.augmentations.cutmix",
        "Cutout": "augcli.augmentations.cutout",
        "DataSet": "augcli.data.data_set",
        "DropBlock": "augcli.augmentations.dropblock",
        "Dropout": "augcli.augmentations.dropout",
        "Erasing": "augcli.augmentations.erasing",
        "Flip": "augcli.augmentations.flip",
        "GridMask": "augcli.augmentations.gridmask",
        "HeatMaps": "augcli.attention.heat_map_file",
        "MixUp": "augcli.augmentations.mixup",
        "RandomResizedCrop": "augcli.augmentations.random_resized_crop",
        "Recipe": "augcli.recipes.recipe",
        "Resize": "augcli.augmentations.resize",
        "ResizeMix": "augcli.augmentations.resizemix",
        "Rotate": "augcli.augmentations.rotate",
        "SpatialDropout": "augcli.augmentations.spatial_dropout",
        "Summary": "augcli.run.api",
        "augment": "augcli.run.api",
        "cutout": "augcli.augmentations.cutout",
        "heat_map": "augcli.attention.scorer",
        "export": "augcli.run.api",
        "finish": "augcli.run.api",
        "inspect": "augcli.run.inspecting.inspect",
        "paste_cells": "augcli.pixels.blends",
        "prepare": "augcli.run.api",
        "prepare_scorer": "augcli.classifiers.prepare",
        "preview": "augcli.report.preview",
        "ranked_cells": "augcli.pixels.heat_maps",
        "read": "augcli.data.data_set",
        "remake": "augcli.run.verifying.single",
        "split": "augcli.run.splitting.split",
        "verify": "augcli.run.verifying.verify",
    },
    globals(),
)
