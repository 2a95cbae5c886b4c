"""Arrays in, arrays out: cells, masks, fills, blends, colours, heat maps, moving and resizing.

Imports NumPy and OpenCV and nothing else; draws nothing at random, opens no file. An image is
uint8 (H, W, 3) RGB, a mask is uint8 (H, W), 0 or 1, a box is (x0, y0, x1, y1), half-open.

The names are imported on first use, so that declaring an augmentation imports neither NumPy
nor OpenCV.
"""

from typing import TYPE_CHECKING

from augcli.lazy import names_from

if TYPE_CHECKING:
    from augcli.pixels.array_checks import check_image as check_image
    from augcli.pixels.blends import WHOLE_SHARE as WHOLE_SHARE
    from augcli.pixels.blends import blend as blend
    from augcli.pixels.blends import paste_boxes as paste_boxes
    from augcli.pixels.blends import paste_cells as paste_cells
    from augcli.pixels.blends import paste_resized as paste_resized
    from augcli.pixels.colour import blur as blur
    from augcli.pixels.colour import change_brightness as change_brightness
    from augcli.pixels.colour import change_contrast as change_contrast
    from augcli.pixels.colour import change_saturation as change_saturation
    from augcli.pixels.colour import divide_values as divide_values
    from augcli.pixels.colour import is_grey as is_grey
    from augcli.pixels.fills import fill_boxes as fill_boxes
    from augcli.pixels.fills import fill_channels as fill_channels
    from augcli.pixels.fills import fill_mask as fill_mask
    from augcli.pixels.fills import mean_colour as mean_colour
    from augcli.pixels.fills import parse_colour as parse_colour
    from augcli.pixels.geometry import LONGEST_ROTATED as LONGEST_ROTATED
    from augcli.pixels.geometry import crop_resized as crop_resized
    from augcli.pixels.geometry import crop_resized_mask as crop_resized_mask
    from augcli.pixels.geometry import mirror as mirror
    from augcli.pixels.geometry import rotate as rotate
    from augcli.pixels.geometry import rotate_mask as rotate_mask
    from augcli.pixels.grid import cell_boxes as cell_boxes
    from augcli.pixels.grid import cell_centre as cell_centre
    from augcli.pixels.grid import cell_runs as cell_runs
    from augcli.pixels.heat_maps import mass_in_mask as mass_in_mask
    from augcli.pixels.heat_maps import pool_map as pool_map
    from augcli.pixels.heat_maps import ranked_cells as ranked_cells
    from augcli.pixels.masks import box_mask as box_mask
    from augcli.pixels.masks import boxes_mask as boxes_mask
    from augcli.pixels.masks import cells_mask as cells_mask
    from augcli.pixels.masks import count_mask as count_mask
    from augcli.pixels.masks import full_mask as full_mask
    from augcli.pixels.masks import grow_blocks as grow_blocks
    from augcli.pixels.masks import lattice_mask as lattice_mask
    from augcli.pixels.placement import quietest_box as quietest_box
    from augcli.pixels.placement import touches as touches

__getattr__ = names_from(
    {
        "blend": "augcli.pixels.blends",
        "blur": "augcli.pixels.colour",
        "box_mask": "augcli.pixels.masks",
        "boxes_mask": "augcli.pixels.masks",
        "cell_boxes": "augcli.pixels.grid",
        "cell_centre": "augcli.pixels.grid",
        "cell_runs": "augcli.pixels.grid",
        "cells_mask": "augcli.pixels.masks",
        "change_brightness": "augcli.pixels.colour",
        "change_contrast": "augcli.pixels.colour",
        "change_saturation": "augcli.pixels.colour",
        "check_image": "augcli.pixels.array_checks",
        "count_mask": "augcli.pixels.masks",
        "crop_resized": "augcli.pixels.geometry",
        "crop_resized_mask": "augcli.pixels.geometry",
        "divide_values": "augcli.pixels.colour",
        "fill_boxes": "augcli.pixels.fills",
        "fill_channels": "augcli.pixels.fills",
        "fill_mask": "augcli.pixels.fills",
        "full_mask": "augcli.pixels.masks",
        "grow_blocks": "augcli.pixels.masks",
        "is_grey": "augcli.pixels.colour",
        "lattice_mask": "augcli.pixels.masks",
        "LONGEST_ROTATED": "augcli.pixels.geometry",
        "mass_in_mask": "augcli.pixels.heat_maps",
        "mean_colour": "augcli.pixels.fills",
        "mirror": "augcli.pixels.geometry",
        "parse_colour": "augcli.pixels.fills",
        "paste_boxes": "augcli.pixels.blends",
        "paste_cells": "augcli.pixels.blends",
        "paste_resized": "augcli.pixels.blends",
        "pool_map": "augcli.pixels.heat_maps",
        "quietest_box": "augcli.pixels.placement",
        "ranked_cells": "augcli.pixels.heat_maps",
        "rotate": "augcli.pixels.geometry",
        "rotate_mask": "augcli.pixels.geometry",
        "touches": "augcli.pixels.placement",
        "WHOLE_SHARE": "augcli.pixels.blends",
    },
    globals(),
)
