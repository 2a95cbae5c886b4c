"""Arrays in, arrays out: grid geometry, fills, resizing and compositing.

Knows NumPy and OpenCV and nothing else; draws nothing at random, opens no file. An image is
uint8 (H, W, 3) RGB, a mask is bool or uint8 (H, W), a box is (x0, y0, x1, y1), half-open.

The names are imported on first use, so that declaring an augmentation imports neither NumPy
nor OpenCV.
"""

from typing import TYPE_CHECKING

from augcli.lazy import names_from

if TYPE_CHECKING:
    from augcli.pixels.compose import count_mask as count_mask
    from augcli.pixels.compose import paste_cells as paste_cells
    from augcli.pixels.compose import paste_mask as paste_mask
    from augcli.pixels.fills import fill_boxes as fill_boxes
    from augcli.pixels.fills import mean_colour as mean_colour
    from augcli.pixels.fills import parse_colour as parse_colour
    from augcli.pixels.grid import cells_mask as cells_mask
    from augcli.pixels.grid import pool_map as pool_map
    from augcli.pixels.grid import ranked_cells as ranked_cells
    from augcli.pixels.mass import mass_in_mask as mass_in_mask
    from augcli.pixels.mix import WHOLE as WHOLE
    from augcli.pixels.mix import blend as blend
    from augcli.pixels.mix import box_mask as box_mask
    from augcli.pixels.mix import cell_centre as cell_centre
    from augcli.pixels.mix import full_mask as full_mask
    from augcli.pixels.mix import paste_resized as paste_resized
    from augcli.pixels.resize import resize as resize

__getattr__ = names_from(
    {
        "WHOLE": "augcli.pixels.mix",
        "blend": "augcli.pixels.mix",
        "box_mask": "augcli.pixels.mix",
        "cell_centre": "augcli.pixels.mix",
        "cells_mask": "augcli.pixels.grid",
        "count_mask": "augcli.pixels.compose",
        "fill_boxes": "augcli.pixels.fills",
        "full_mask": "augcli.pixels.mix",
        "mass_in_mask": "augcli.pixels.mass",
        "mean_colour": "augcli.pixels.fills",
        "paste_cells": "augcli.pixels.compose",
        "parse_colour": "augcli.pixels.fills",
        "paste_resized": "augcli.pixels.mix",
        "paste_mask": "augcli.pixels.compose",
        "pool_map": "augcli.pixels.grid",
        "ranked_cells": "augcli.pixels.grid",
        "resize": "augcli.pixels.resize",
    }
)
