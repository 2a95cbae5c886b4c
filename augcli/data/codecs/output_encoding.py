"""How outputs are encoded: the options of a run that decide the bytes of a picture's file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.formats import PNG_LEVEL, output_ending, output_subsampling

if TYPE_CHECKING:
    from augcli.data.codecs.formats import Subsampling, Wanted, WantedSubsampling
    from augcli.pixels.frame import Image


class Encoded(NamedTuple):
    """An output's file.

    Attributes:
        ending: Ending of its name, without the dot.
        data: Its bytes.
    """

    ending: str
    data: bytes

    @property
    def is_lossless(self) -> bool:
        """Whether it holds every pixel as it was."""
        return self.ending == "png"


@dataclass(frozen=True, kw_only=True)
class OutputEncoding:
    """Encodes outputs.

    Attributes:
        format: File format of the outputs.
        quality: JPEG and WebP quality, 1 to 100.
        subsampling: Of the colours in JPEG.
        png_level: Compression of PNG, 0 to 9.
    """

    format: Wanted = "same"
    quality: int = 95
    subsampling: WantedSubsampling = "same"
    png_level: int = PNG_LEVEL

    def encode(self, image: Image, source: str, subsampling: Subsampling) -> Encoded:
        """Encode a picture.

        Args:
            image: uint8 (H, W, 3), RGB.
            source: Name of the base.
            subsampling: That of the base, used where the run is to keep it.

        Raises:
            UnreadableImage: It is larger than the format can hold.
        """
        from augcli.data.codecs.encoding import encode  # noqa: PLC0415 - OpenCV only in workers

        ending = output_ending(source, self.format)
        data = encode(
            image,
            ending,
            quality=self.quality,
            subsampling=output_subsampling(subsampling, self.subsampling),
            png_level=self.png_level,
        )
        return Encoded(ending, data)


def copied(source: str, data: bytes) -> Encoded:
    """Return the file of a source that comes along as it is."""
    return Encoded(output_ending(source, "same", copied=True), data)
