"""ResizeMix: the whole donor, shrunk, is pasted onto a base.

Source: Qin et al. 2020, "ResizeMix: Mixing Data with Preserved Object Information and True
Labels" (arXiv 2012.11101). Reference code: JayQine/ResizeMix, ``getbox_new``.

Differs from the reference code in:

- Each image has its own tau, not one for a batch, and no image is its own partner.
- The donor is shrunk by area average, not by the nearest pixel.
- Sides are rounded, not truncated, and at least one pixel long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import LABEL_MODE, LabelMode, MixDraw, Mixer
from augcli.augmentations.ranges import Range, parse_shares, range_option

if TYPE_CHECKING:
    from augcli.pixels.frame import Box, Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class ResizeMixDraw(MixDraw):
    """The box of the base that shows the whole donor."""

    box: Box


@dataclass(frozen=True, kw_only=True)
class ResizeMix(Mixer[ResizeMixDraw]):
    """Shrink another image whole onto each image, and mix the labels.

    Both sides of the donor become tau times those of the base, with tau drawn uniformly from
    the scope. With 200 x 100 pixels and a tau of 0.3 a dog of 60 x 30 pixels is pasted onto a
    cat: the label is 0.91 cat and 0.09 dog.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> ResizeMix(scope=(0.5, 0.5)).draw(Frame(32, 48), Stream(1, "example"))
        ResizeMixDraw(box=(24, 13, 48, 29))
    """

    name = "resizemix"
    paper = "Qin et al. 2020 (arXiv 2012.11101)"
    draw_type = ResizeMixDraw

    scope: Annotated[
        tuple[float, float],
        range_option("Scale of the donor, up to 1, drawn uniformly.", parse_shares),
    ] = Range(0.1, 0.8)
    label_mode: Annotated[LabelMode, LABEL_MODE] = "area"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> ResizeMixDraw:
        """Draw the scale, and a centre uniform over all pixels; then shift the box inside."""
        tau = Range(*self.scope).uniform(stream)
        left, right = _span(frame.width, tau, stream)
        top, bottom = _span(frame.height, tau, stream)
        return ResizeMixDraw((left, top, right, bottom))

    def apply(self, images: tuple[Image, ...], draw: ResizeMixDraw) -> Image:
        """Paste the shrunken donor."""
        base, donor = images
        return pixels.paste_resized(base, donor, draw.box)

    def mask(self, draw: ResizeMixDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the box."""
        return pixels.box_mask(draw.box, frame)

    def donor_mask(self, draw: ResizeMixDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 everywhere, as all of the donor is shown."""
        return pixels.full_mask(frame)


def _span(length: int, tau: float, stream: Stream) -> tuple[int, int]:
    """Return where the box starts and ends along one axis, in pixels."""
    side = max(1, round(tau * length))
    start = stream.integer(length) - side // 2
    start = min(max(start, 0), length - side)
    return start, start + side
