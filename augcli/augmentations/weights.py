"""Label weights: what of an output is the base's and what the donor's.

By area they are counted pixels. By attention they are the mass of both heat maps that the
output shows: a cell's score is spread evenly over its pixels, and each whole heat map has
the mass 1.

Source: the idea is that of SnapMix (Huang, Wang & Tao 2021, arXiv 2012.04846).

Differs from SnapMix in:

- The two weights are divided by their sum, so that they are a soft label that sums to 1.
- A score below 0 counts as 0; there the lowest score of each map is subtracted.
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
    """Return the donor's heat-map mass that arrives, and all mass that the output shows.

    The mass of a whole heat map is 1, the base's as the donor's. None where one of them has
    no mass, or where the output shows none.

    Args:
        mixer: The mixer.
        draw: What it decided.
        frame: Height and width of the base.
        base_map: float32 (grid, grid) of the base.
        donor_map: float32 (grid, grid) of the donor.
    """
    part, whole = mixer.opacity(draw)
    hidden, of_base = pixels.mass_in_mask(base_map, mixer.mask(draw, frame))
    shown, of_donor = pixels.mass_in_mask(donor_map, mixer.donor_mask(draw, frame))
    if not (of_base and of_donor):
        return None
    stays = (of_base - hidden * part / whole) / of_base
    arrives = shown * part / whole / of_donor
    return (arrives, arrives + stays) if arrives + stays > 0 else None


class Weighed(NamedTuple):
    """What a mixed label weighs.

    Attributes:
        donated: What is the donor's, and all there is; their quotient is the donor's weight.
        record: What the manifest's draw tells about it.
        remark: A short, fixed phrase where it may surprise.
    """

    donated: tuple[float, float]
    record: dict[str, Any]
    remark: str | None


def weigh(
    mixer: Mixer[AnyDraw], draw: AnyDraw, frame: Frame, maps: tuple[HeatMap, HeatMap] | None
) -> Weighed:
    """Weigh the labels of a draw.

    Args:
        mixer: The mixer.
        draw: What it decided.
        frame: Height and width of the base.
        maps: Heat maps of base and donor where labels go by attention, else None.
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
