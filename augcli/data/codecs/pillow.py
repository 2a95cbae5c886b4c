"""Files opened with Pillow's plug-ins, strictly, and with errors in our own words."""

from __future__ import annotations

import importlib
import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from augcli.data.codecs.containers import called, cut_short, is_grey_palette, several
from augcli.errors import UnreadableImage, is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL import Image

    from augcli.data.codecs.containers import Container, Header

# The plug-ins themselves and not Image.open, which judges the size by a global limit of
# its own and may take a file for another format than the one that was recognised.
_PLUGINS: Final[dict[Container, Callable[[io.BytesIO], ImageFile.ImageFile]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "DIB": BmpImagePlugin.DibImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "PNM": PpmImagePlugin.PpmImageFile,
}
_OPTIONAL: Final[dict[Container, tuple[str, str, str]]] = {
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile", "Pillow 11.3 or later, from PyPI"),
    "HEIC": ("pillow_heif.as_plugin", "HeifImageFile", "pillow-heif: pip install 'augcli[heic]'"),
}
"""Plug-ins that may be missing: the module, the class, and what must be installed."""

_SEQUENCES: Final[dict[Container, tuple[str, str]]] = {
    "GIF": ("an animated GIF", "frames"),
    "AVIF": ("an animated AVIF", "frames"),
    "HEIC": ("a HEIC", "pictures"),
}
"""What a file of several pictures is, and what the pictures are."""

_BYTES_A_PIXEL: Final = 8
"""Memory that a decoder takes at least: its own picture of four bands, and a copy."""
_ALPHA_MODES: Final = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_GREY_MODES: Final = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
COLOUR_MODES: Final = _ALPHA_MODES | {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB"}
"""Pillow's modes that it converts to RGB as they are meant."""


def missing_for(container: Container) -> str:
    """Return what must be installed before a format can be read; empty where nothing is missing.

    Example:
        >>> missing_for("PNG")
        ''
    """
    if container not in _OPTIONAL:
        return ""
    module, _, needed = _OPTIONAL[container]
    try:
        plugin = importlib.import_module(module)
    except ImportError:
        return needed
    return "" if getattr(plugin, "SUPPORTED", True) else needed


@contextmanager
def opened_with_pillow(
    data: bytes, header: Header, max_pixels: int
) -> Iterator[ImageFile.ImageFile]:
    """Yield a file opened with Pillow, whose verdict is final, its pixels not yet loaded.

    Args:
        data: The whole file.
        header: Its header.
        max_pixels: Most pixels that it may have.

    Raises:
        UnreadableImage: Pillow can't decode it, also while the block runs; or it is larger, or
            holds several pictures.
        MemoryError: Memory ran out.
    """
    container = header.container
    missing = missing_for(container)
    if missing:
        raise UnreadableImage(f"{called(container)}, which needs {missing}")
    try:
        with _strict():
            picture = _plugin(container)(io.BytesIO(data))
            # Pillow may know a size where the header gave none.
            check_size(container, *picture.size, max_pixels)
            _check_frames(container, picture)
            yield picture
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:
        if is_out_of_memory(error) or not _has_room(header):
            raise MemoryError from None
        # Broken bytes make Pillow's plug-ins raise any exception. The reason is in our own
        # words, because Pillow's differ between its releases.
        if isinstance(error, EOFError) or "truncat" in str(error).lower():
            raise cut_short(container) from None
        damage = "that is damaged or of an unusual kind"
        raise UnreadableImage(f"{called(container)} {damage}; copy or export it again") from None


def _has_room(header: Header) -> bool:
    """Return whether there is memory for a picture: some decoders don't say that it ran out."""
    try:
        np.empty((header.height, header.width, _BYTES_A_PIXEL), np.uint8)
    except MemoryError:
        return False
    return True


def check_size(container: Container, width: int, height: int, limit: int) -> None:
    """Check that a picture is not too large to be decoded.

    Raises:
        UnreadableImage: It is.
    """
    if width * height > limit:
        raise UnreadableImage(
            f"{called(container)} that declares {width:,} x {height:,} pixels; "
            f"at most {limit:,} are allowed (`max_pixels`)"
        )


def _check_frames(container: Container, picture: ImageFile.ImageFile) -> None:
    if container not in _SEQUENCES:
        return  # judged by the header, or its first picture is the one that is meant
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        raise UnreadableImage(several(_SEQUENCES[container][0], frames, _SEQUENCES[container][1]))


def is_transparent(picture: Image.Image) -> bool:
    """Return whether a picture has an alpha channel, or a colour that is transparent."""
    return picture.mode in _ALPHA_MODES or "transparency" in picture.info


def is_grey(picture: Image.Image) -> bool:
    """Return whether the kind of a picture allows only greys."""
    if picture.mode in ("P", "PA"):
        return is_grey_palette(bytes(picture.getpalette() or ()))
    return picture.mode in _GREY_MODES


def _plugin(container: Container) -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    if container in _PLUGINS:
        return _PLUGINS[container]
    module, name, _ = _OPTIONAL[container]
    plugin: Callable[[io.BytesIO], ImageFile.ImageFile] = getattr(
        importlib.import_module(module), name
    )
    return plugin


@contextmanager
def _strict() -> Iterator[None]:
    """Prevent Pillow from warning about odd bytes and from filling missing pixels with grey.

    ``LOAD_TRUNCATED_IMAGES`` is a global that training scripts often set.
    """
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
