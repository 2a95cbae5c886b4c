"""A trial of each format: one tiny picture, written and read with what augcli uses for it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.codecs.formats import Format

    Pixels = NDArray[np.uint8]

SIDE = 32
NEAR = 12
"""Levels by which a lossy format may change this smooth picture at quality 95."""


class Codec(NamedTuple):
    """A format that augcli reads.

    Attributes:
        name: As Pillow and :mod:`augcli.data.codecs.headers` call it.
        written: The format as it is written; None where it is only read.
        lossy: Whether pixels may change a little.
    """

    name: str
    written: Format | None = None
    lossy: bool = False


CODECS: Final = (
    Codec("JPEG", "jpg", lossy=True),
    Codec("PNG", "png"),
    Codec("WebP", "webp", lossy=True),
    Codec("BMP"),
    Codec("TIFF"),
)


def try_codec(codec: Codec) -> str:
    """Write and read a picture; return what went wrong, empty where nothing did.

    Example:
        >>> [try_codec(codec) for codec in CODECS]
        ['', '', '', '', '']
    """
    picture = _smooth()
    what = "write it"
    try:
        data = encode(picture, codec.written, quality=95) if codec.written else _saved(codec.name)
        what = "read it"
        found = {"augcli": decode(data).image}
        # What OpenCV can't be trusted with is left to Pillow: both must be able to.
        what = "read it with Pillow"
        found["Pillow"] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except Exception as error:
        return f"can't {what} ({type(error).__name__}: {error})"
    for who, image in found.items():
        most = NEAR if codec.lossy else 0
        if image.shape != picture.shape or np.abs(image.astype(int) - picture).max() > most:
            return f"{who} reads other pixels than were written"
    return ""


def _smooth() -> Pixels:
    """Return a picture uint8 (32, 32, 3) whose channels all differ, without edges."""
    ramp = np.linspace(30, 220, SIDE).astype(np.uint8)
    across = np.broadcast_to(ramp, (SIDE, SIDE))
    return np.ascontiguousarray(np.stack([across, across.T, across[::-1, ::-1]], axis=-1))


def _saved(name: str) -> bytes:
    target = io.BytesIO()
    Image.fromarray(_smooth()).save(target, name)
    return target.getvalue()
