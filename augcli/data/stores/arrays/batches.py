"""Batches: many pictures of one size, one after the other in a file, and their labels."""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.data.codecs.npy import npy_header
from augcli.data.labels import Label
from augcli.data.stopping import raise_interruption
from augcli.errors import AugcliError, InputError, is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MOST_IMAGES = 10**8
"""Images of a batch, whose numbers have eight digits."""
DIGITS = 8
SUM_TOLERANCE = 1e-3
"""By how much the shares of a soft label may differ from 1: networks give float16."""
_NUMBERS = re.compile(r"[<>|=]?([iubf])([1248])")


class Block(NamedTuple):
    """Where the pictures of a batch lie.

    Attributes:
        path: The file that holds them, absolute; a temporary one where they were unpacked.
        size: Bytes of the file.
        modified: Time of its last change, in nanoseconds.
        start: Where the first picture begins.
        step: Bytes from one to the next.
        pictures: How many there are.
        height: Rows of each.
        width: Columns of each.
        channels: 1 or 3; 0 for a picture without an axis of channels.
        is_planar: Whether all of the red comes first, then the green, then the blue.
    """

    path: str
    size: int
    modified: int
    start: int
    step: int
    pictures: int
    height: int
    width: int
    channels: int
    is_planar: bool = False

    @property
    def bytes_each(self) -> int:
        """Bytes of a picture."""
        return self.height * self.width * max(1, self.channels)

    def picture(self, data: bytes) -> bytes:
        """Return a picture as a ``.npy`` file, given its bytes."""
        if self.is_planar:
            planes = np.frombuffer(data, np.uint8).reshape(self.channels, self.height, self.width)
            data = planes.transpose(1, 2, 0).tobytes()
        return npy_header(self.height, self.width, self.channels) + data


class Batch(NamedTuple):
    """Pictures with their labels.

    Attributes:
        name: What the names of its pictures begin with: the file, ``#``, and the array where the
            file has several.
        modified: Time of the last change of the file that was given, in nanoseconds.
        split: The split that it is by its name; empty for none.
        block: Where the pictures lie.
        labels: The label of each.
        notice: What a person should know of it; may be empty.
        names: What the file calls each; empty where it names none.
    """

    name: str
    modified: int
    split: str
    block: Block
    labels: Sequence[Label]
    notice: str = ""
    names: Sequence[str] = ()


class Frames(NamedTuple):
    """What the shape of an array of pictures means."""

    pictures: int
    height: int
    width: int
    channels: int
    is_planar: bool

    @property
    def bytes_each(self) -> int:
        """Bytes of a picture."""
        return self.height * self.width * max(1, self.channels)


def frames_of(shape: Sequence[int], where: str) -> Frames:
    """Return what the axes of an array of pictures are.

    The last axis has the channels where it is 1 or 3 long, else the second.

    Args:
        shape: Of the whole array.
        where: The array and its file, for messages.

    Raises:
        InputError: It is no shape of pictures.

    Example:
        >>> frames_of((50, 3, 32, 32), "")
        Frames(pictures=50, height=32, width=32, channels=3, is_planar=True)
        >>> frames_of((50, 3, 32, 3), "").is_planar
        False
    """
    count, *rest = shape if len(shape) in (3, 4) else (0,)
    frames = None
    if len(rest) == 2:
        frames = Frames(count, rest[0], rest[1], 0, is_planar=False)
    elif rest and rest[2] in (1, 3):
        frames = Frames(count, rest[0], rest[1], rest[2], is_planar=False)
    elif rest and rest[0] in (1, 3):
        frames = Frames(count, rest[1], rest[2], rest[0], is_planar=True)
    if frames is None:
        raise InputError(
            f"{where} has the shape {tuple(shape)}, but must be (N, H, W), (N, H, W, C) or "
            "(N, C, H, W), where C is 1 or 3"
        )
    if not (0 < frames.pictures <= MOST_IMAGES and frames.height > 0 and frames.width > 0):
        raise InputError(f"{where} has the shape {tuple(shape)}, which holds no usable picture")
    return frames


def planar_words(frames: Frames, where: str) -> str:
    """Return a notice where the channels of pictures come first; empty where they come last."""
    if not (frames.is_planar and frames.channels > 1):
        return ""
    return f"{where}: the second axis has the channels, by its length"


def labels_of_numbers(values: NDArray[Any], names: Sequence[str] | None, where: str) -> list[Label]:
    """Return the label of each picture.

    Args:
        values: Numbers or texts (N,) or (N, 1), or shares of classes (N, K).
        names: Names of the classes by number; None where the numbers themselves name them.
        where: The array and its file, for messages.

    Raises:
        InputError: A value is no class, or the shares of a picture don't sum to 1.

    Example:
        >>> [str(label) for label in labels_of_numbers(np.array([1, 0]), ["cat", "dog"], "y")]
        ['dog', 'cat']
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "iubf":
        return _shares(values, names, where)
    if values.ndim != 1:
        raise InputError(
            f"{where} has the shape {values.shape}, but must have a label for each image"
        )
    if values.dtype.kind == "f":
        if not np.all(np.isfinite(values) & (values == np.rint(values)) & (abs(values) < 2**53)):
            raise InputError(f"{where} has a label that is no whole number")
        values = values.astype(np.int64)
    different, index_of = np.unique(values, return_inverse=True)
    labels = [Label.of(_class_name(value, names, where)) for value in different.tolist()]
    return [labels[index] for index in index_of.tolist()]


def _shares(values: NDArray[Any], names: Sequence[str] | None, where: str) -> list[Label]:
    """Return soft labels, or those of one class where one share is all."""
    shares = values.astype(np.float64)
    sums = shares.sum(axis=1)
    wrong = ~(np.all(shares >= 0, axis=1) & (abs(sums - 1) <= SUM_TOLERANCE))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{where}: row {row} holds no shares from 0 that sum to 1; give one class number for "
            "each image, or shares"
        )
    columns = [_class_name(number, names, where) for number in range(shares.shape[1])]
    known: dict[bytes, Label] = {}
    labels = []
    for row in shares / sums[:, None]:
        key = row.tobytes()
        if key not in known:
            present = np.flatnonzero(row).tolist()
            known[key] = Label(tuple((columns[at], float(row[at])) for at in present))
        labels.append(known[key])
    return labels


def _class_name(value: Any, names: Sequence[str] | None, where: str) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if names is None or isinstance(value, str):
        return unicodedata.normalize("NFC", str(value))
    if not 0 <= value < len(names):
        raise InputError(f"{where} has the label {value}, but there are {len(names):,} class names")
    return names[int(value)]


def numbers(data: bytes, kind: str, shape: Sequence[int], where: str) -> NDArray[Any]:
    """Return an array of numbers or texts, given its bytes.

    Args:
        data: Its bytes, in C order.
        kind: Its type, as NumPy writes it.
        shape: Its shape.
        where: The array and its file, for messages.

    Raises:
        InputError: It is of another type, or has other bytes than it declares.
    """
    text = re.fullmatch(r"[<>|=]?([US])(\d{1,4})", kind)
    if not _NUMBERS.fullmatch(kind) and not text and kind not in ("|b1", "b1"):
        raise InputError(
            f"{where} is of the type {kind}, but labels are whole numbers or texts; objects are "
            "not read, because they would have to be unpickled"
        )
    # An exact product: NumPy's own would overflow.
    items, size = 1, np.dtype(kind).itemsize
    for side in shape:
        items *= side
    if items * size != len(data) or not size:
        raise InputError(f"{where} declares {items * size:,} bytes, but has {len(data):,}")
    return np.frombuffer(data, np.dtype(kind)).reshape(shape)


def check_length(frames: Frames, there: int, where: str) -> None:
    """Check that all pictures are there.

    Raises:
        InputError: The file is cut short, or declares more than it has.
    """
    needed = frames.pictures * frames.bytes_each
    if there < needed:
        raise InputError(
            f"{where} declares {needed:,} bytes of images, but has {max(0, there):,}; download or "
            "write the file again"
        )


def check_labels(labels: Sequence[Label] | None, count: int, where: str) -> Sequence[Label]:
    """Return the labels, or those of unlabelled pictures where there are none.

    Raises:
        InputError: There are not as many as pictures.
    """
    if labels is None:
        return [Label()] * count
    if len(labels) != count:
        raise InputError(f"{where} has {len(labels):,} labels for {count:,} images")
    return labels


@contextmanager
def readable(name: str, kind: str) -> Iterator[None]:
    """Name the file in the errors of the block.

    Args:
        name: The file.
        kind: What it should be, such as ``an idx file``.

    Raises:
        InputError: The file is damaged, or can't be read.
    """
    try:
        yield
    except AugcliError:
        raise
    except Exception as error:
        raise_interruption(error)
        if isinstance(error, OSError) and error.errno and error.strerror:
            raise InputError(f"INPUT: {name} can't be read ({error.strerror})") from None
        what = "declares more than memory holds" if is_out_of_memory(error) else str(error)
        raise InputError(
            f"INPUT: {name} is damaged, or not {kind} that augcli reads ({what[:200]}); download "
            "or write it again"
        ) from None
