"""MixUp: a base and a donor blended into one picture.

Source: Zhang, Cisse, Dauphin & Lopez-Paz 2018, "mixup: Beyond Empirical Risk Minimization"
(arXiv 1710.09412). Reference code: facebookresearch/mixup-cifar10, ``train.py``.

Differs from the reference code in:

- Each image has its own lambda, not one for a batch, and no image is its own partner.
- Pictures are blended as 8-bit values, rounded to the nearest, and not as normalised floats.
- Lambda is a whole number of 1/65,536, so that the recorded weight is exact.
- A donor of another size is resized to the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import LABEL_MODE, LabelMode, MixDraw, Mixer
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class MixUpDraw(MixDraw):
    """Lambda, the base's share: a numerator and the denominator 65,536."""

    lam: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class MixUp(Mixer[MixUpDraw]):
    """Blend each image with another one, and mix the labels.

    The output is lambda * base + (1 - lambda) * donor, with lambda drawn from
    Beta(alpha, alpha). A cat blended with a dog at a lambda of 0.75 is labelled 3/4 cat and
    1/4 dog. With an alpha of 0.2 most lambdas are near 0 or 1.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> MixUp(alpha=0.2).draw(Frame(32, 48), Stream(1, "example"))
        MixUpDraw(lam=(9974, 65536))
    """

    name = "mixup"
    paper = "Zhang et al. 2018 (arXiv 1710.09412)"
    draw_type = MixUpDraw

    alpha: Annotated[
        float, Param("Lambda is drawn from Beta(alpha, alpha); 1 is uniform.", 0.01, 1000)
    ] = 0.2
    label_mode: Annotated[LabelMode, LABEL_MODE] = "area"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> MixUpDraw:
        """Draw lambda."""
        whole = pixels.WHOLE_SHARE
        return MixUpDraw((round(stream.beta(self.alpha, self.alpha) * whole), whole))

    def apply(self, images: tuple[Image, ...], draw: MixUpDraw) -> Image:
        """Blend base and donor."""
        base, donor = images
        return pixels.blend(base, donor, draw.lam[0])

    def mask(self, draw: MixUpDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 everywhere, as every pixel shows the donor."""
        return pixels.full_mask(frame)

    def opacity(self, draw: MixUpDraw) -> tuple[int, int]:
        """Return 1 - lambda, the donor's share."""
        part, whole = draw.lam
        return whole - part, whole
