"""Label weights: how much of an output belongs to the base and how much to the donor.

By area, weights are counted pixels. By attention, they are the heat-map mass of each picture
that is visible in the output: the score of a cell is spread evenly over its pixels, and a
whole heat map has the mass 1.

Source: the idea of SnapMix (Huang, Wang & Tao 2021, arXiv 2012.04846).

Differs from SnapMix in:

- The two weights are divided by their sum, so that they are a soft label that sums to 1.
- A score below 0 counts as 0; SnapMix subtracts the lowest score of each map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from augcli import pixels
from augcli.augmentations.base import donor_pixels

if TYPE_CHECKING:
    from augcli.augmentations.base import AnyDraw, Mixer
    from augcli.pixels.frame import Frame, HeatMap


def donor_attention(
    mixer: Mixer[AnyDraw], draw: AnyDraw, frame: Frame, base_map: HeatMap, donor_map: HeatMap
) -> tuple[float, float] | None:
    """Return the donor's heat-map mass that the output shows, and the mass of both that it shows.

    The mass of each whole heat map is 1. None if one of the maps has no mass, or if the output
    shows no mass.

    Args:
        mixer: The mixer.
        draw: What it drew.
        frame: Height and width of the base.
        base_map: float32 (grid, grid) of the base.
        donor_map: float32 (grid, grid) of the donor.
    """
    part, whole = mixer.opacity(draw)
    hidden, base_total = pixels.mass_in_mask(base_map, mixer.mask(draw, frame))
    shown, donor_total = pixels.mass_in_mask(donor_map, mixer.donor_mask(draw, frame))
    if not (base_total and donor_total):
        return None
    of_base = (base_total - hidden * part / whole) / base_total
    of_donor = shown * part / whole / donor_total
    return (of_donor, of_donor + of_base) if of_donor + of_base > 0 else None


class Weighed(NamedTuple):
    """The label weights of a mix.

    Attributes:
        donated: The donor's part and the total; their quotient is the donor's weight.
        record: What the manifest's draw says about the weights.
        remark: A short, fixed phrase if the weights may be unexpected.
    """

    donated: tuple[float, float]
    record: dict[str, Any]
    remark: str | None


def weigh(
    mixer: Mixer[AnyDraw], draw: AnyDraw, frame: Frame, maps: tuple[HeatMap, HeatMap] | None
) -> Weighed:
    """Return the label weights of a draw.

    Args:
        mixer: The mixer.
        draw: What it drew.
        frame: Height and width of the base.
        maps: Heat maps of base and donor for weights by attention; None for weights by area.
    """
    area = donor_pixels(mixer, draw, frame)
    if maps is None:
        return Weighed(area, {}, None)
    weights: dict[str, float | None] = {"area": area[0] / area[1], "attention": None}
    attention = donor_attention(mixer, draw, frame, *maps)
    if attention is None:
        remark = "labels by area: the heat maps show nothing"
        return Weighed(area, {"weights": weights}, remark)
    weights["attention"] = attention[0] / attention[1]
    return Weighed(attention, {"weights": weights}, None)
