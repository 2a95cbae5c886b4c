"""Arrays in, arrays out: grid geometry, fills, resizing and compositing.

Knows NumPy and OpenCV and nothing else; draws nothing at random, opens no file. An image is
uint8 (H, W, 3) RGB, a mask is bool or uint8 (H, W), a box is (x0, y0, x1, y1), half-open.

The names are imported on first use, so that declaring an augmentation imports neither NumPy
nor OpenCV.
"""

from typing import TYPE_CHECKING

from augcli.lazy import names_from

if TYPE_CHECKING:
    from augcli.pixels.colour import blur as blur
    from augcli.pixels.colour import change_brightness as change_brightness
    from augcli.pixels.colour import change_contrast as change_contrast
    from augcli.pixels.colour import change_saturation as change_saturation
    from augcli.pixels.compose import count_mask as count_mask
    from augcli.pixels.compose import paste_cells as paste_cells
    from augcli.pixels.compose import paste_mask as paste_mask
    from augcli.pixels.fills import fill_boxes as fill_boxes
    from augcli.pixels.fills import mean_colour as mean_colour
    from augcli.pixels.fills import parse_colour as parse_colour
    from augcli.pixels.geometry import LONGEST_ROTATED as LONGEST_ROTATED
    from augcli.pixels.geometry import crop_resized as crop_resized
    from augcli.pixels.geometry import crop_resized_mask as crop_resized_mask
    from augcli.pixels.geometry import mirror as mirror
    from augcli.pixels.geometry import rotate as rotate
    from augcli.pixels.geometry import rotate_mask as rotate_mask
    from augcli.pixels.grid import cells_mask as cells_mask
    from augcli.pixels.grid import pool_map as pool_map
    from augcli.pixels.grid import ranked_cells as ranked_cells
    from augcli.pixels.lattice import lattice_mask as lattice_mask
    from augcli.pixels.masks import divide_values as divide_values
    from augcli.pixels.masks import fill_channels as fill_channels
    from augcli.pixels.masks import fill_mask as fill_mask
    from augcli.pixels.masks import grow_blocks as grow_blocks
    from augcli.pixels.masks import is_grey as is_grey
    from augcli.pixels.mass import mass_in_mask as mass_in_mask
    from augcli.pixels.mix import WHOLE as WHOLE
    from augcli.pixels.mix import blend as blend
    from augcli.pixels.mix import box_mask as box_mask
    from augcli.pixels.mix import cell_centre as cell_centre
    from augcli.pixels.mix import full_mask as full_mask
    from augcli.pixels.mix import paste_resized as paste_resized
    from augcli.pixels.placement import cell_boxes as cell_boxes
    from augcli.pixels.placement import quietest_box as quietest_box
    from augcli.pixels.placement import touches as touches

__getattr__ = names_from(
    {
        "blend": "augcli.pixels.mix",
        "blur": "augcli.pixels.colour",
        "box_mask": "augcli.pixels.mix",
        "cell_boxes": "augcli.pixels.placement",
        "cell_centre": "augcli.pixels.mix",
        "cells_mask": "augcli.pixels.grid",
        "change_brightness": "augcli.pixels.colour",
        "change_contrast": "augcli.pixels.colour",
        "change_saturation": "augcli.pixels.colour",
        "count_mask": "augcli.pixels.compose",
        "crop_resized": "augcli.pixels.geometry",
        "crop_resized_mask": "augcli.pixels.geometry",
        "divide_values": "augcli.pixels.masks",
        "fill_boxes": "augcli.pixels.fills",
        "fill_channels": "augcli.pixels.masks",
        "fill_mask": "augcli.pixels.masks",
        "full_mask": "augcli.pixels.mix",
        "grow_blocks": "augcli.pixels.masks",
        "is_grey": "augcli.pixels.masks",
        "lattice_mask": "augcli.pixels.lattice",
        "LONGEST_ROTATED": "augcli.pixels.geometry",
        "mass_in_mask": "augcli.pixels.mass",
        "mean_colour": "augcli.pixels.fills",
        "mirror": "augcli.pixels.geometry",
        "parse_colour": "augcli.pixels.fills",
        "paste_cells": "augcli.pixels.compose",
        "paste_mask": "augcli.pixels.compose",
        "paste_resized": "augcli.pixels.mix",
        "pool_map": "augcli.pixels.grid",
        "quietest_box": "augcli.pixels.placement",
        "ranked_cells": "augcli.pixels.grid",
        "rotate": "augcli.pixels.geometry",
        "rotate_mask": "augcli.pixels.geometry",
        "touches": "augcli.pixels.placement",
        "WHOLE": "augcli.pixels.mix",
    },
    globals(),
)
