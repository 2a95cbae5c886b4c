"""Trying each image format: one tiny picture is written and read as augcli does it."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import encode
from augcli.data.codecs.npy import npy_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.codecs.containers import Container
    from augcli.data.codecs.formats import Format

    Pixels = NDArray[np.uint8]

SIDE = 32
NEAR = 12
"""By how many of 255 levels a lossy format may change this smooth picture at quality 95."""


class Codec(NamedTuple):
    """A format that augcli reads.

    Attributes:
        name: Its name in :mod:`augcli.data.codecs.headers`.
        written: Its name among the formats that augcli writes; None where it is only read.
        lossy: Whether pixels may change a little.
    """

    name: Container
    written: Format | None = None
    lossy: bool = False


CODECS: Final = (
    Codec("JPEG", "jpg", lossy=True),
    Codec("PNG", "png"),
    Codec("WebP", "webp", lossy=True),
    Codec("GIF", lossy=True),
    Codec("BMP"),
    Codec("DIB"),
    Codec("TIFF"),
    Codec("PNM"),
    Codec("AVIF", lossy=True),
    Codec("HEIC", lossy=True),
    Codec("NPY"),
)


def try_codec(codec: Codec) -> str:
    """Write and read a picture; return what failed, or an empty string.

    Args:
        codec: A format for which nothing is missing, see
            :func:`augcli.data.codecs.pillow.missing_for`.

    Example:
        >>> from augcli.data.codecs.pillow import missing_for
        >>> [try_codec(codec) for codec in CODECS if not missing_for(codec.name)][:5]
        ['', '', '', '', '']
    """
    picture = _smooth()
    step = "write it"
    try:
        data = encode(picture, codec.written, quality=95) if codec.written else _saved(codec.name)
        step = "read it"
        images = {"augcli": decode(data).image}
        # augcli reads some files with OpenCV and others with Pillow: both must work.
        step = "read it with Pillow"
        # HEIC is read by a plug-in that Pillow does not know by itself, NPY by NumPy.
        if codec.name not in ("HEIC", "NPY"):
            images["Pillow"] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except Exception as error:
        return f"can't {step} ({type(error).__name__}: {error})"
    for reader, image in images.items():
        most = NEAR if codec.lossy else 0
        if image.shape != picture.shape or np.abs(image.astype(int) - picture).max() > most:
            return f"{reader} reads other pixels than were written"
    return ""


def _smooth() -> Pixels:
    """Return a picture uint8 (32, 32, 3) without edges, whose channels all differ."""
    ramp = np.linspace(30, 220, SIDE).astype(np.uint8)
    across = np.broadcast_to(ramp, (SIDE, SIDE))
    return np.ascontiguousarray(np.stack([across, across.T, across[::-1, ::-1]], axis=-1))


def _saved(name: Container) -> bytes:
    """Return the picture as a file, by Pillow."""
    target = io.BytesIO()
    picture = Image.fromarray(_smooth())
    if name == "NPY":
        return npy_header(SIDE, SIDE, 3) + _smooth().tobytes()
    if name == "HEIC":
        importlib.import_module("pillow_heif").from_pillow(picture).save(target, quality=95)
    else:
        picture.save(target, {"PNM": "PPM"}.get(name, name))
    return target.getvalue()
