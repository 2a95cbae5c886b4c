"""A map-style data set over an output folder, for PyTorch's DataLoader."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from augcli.data.codecs.decoding import decode
from augcli.data.data_set import read
from augcli.errors import InputError, ParameterError, UnreadableImage
from augcli.torch.libraries import Shared, library
from augcli.torch.outputs import Outputs

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


class ManifestDataset:
    """The pictures of an output folder with their labels.

    An item is a pair of image and target. Names and labels lie in a few arrays that all workers
    share; a worker opens the folder at its first picture. Pictures in tar files and in Parquet are
    read in any order as quickly as files are: each container is looked through once.

    Args:
        out: OUT, an output folder of augcli: of files, of tar files, or of Parquet.
        split: Which split, such as ``train``; needed where OUT has splits.
        transform: A pipeline of torchvision (``transforms.v2`` or the older one), which gets a PIL
            image, or of albumentations, which gets the array uint8 (H, W, 3). None gives a
            tensor uint8 (3, H, W).
        target: ``soft`` gives the vector float32 (C,), which ``CrossEntropyLoss`` takes; ``hard``
            gives the number of the heaviest class.

    Attributes:
        classes: The names of the classes, in the order of the vectors.

    Raises:
        InputError: OUT is no complete output folder.
        ParameterError: There is no such split, or none was given where there are some.
        UsageError: PyTorch is not installed, or pyarrow where OUT is Parquet.

    Example:
        >>> data = augcli.torch.ManifestDataset("images-cutmix")  # doctest: +SKIP
        >>> loader = DataLoader(data, batch_size=128, shuffle=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        *,
        split: str | None = None,
        transform: Callable[..., Any] | None = None,
        target: Literal["soft", "hard"] = "soft",
    ) -> None:
        self._torch()
        if target not in ("soft", "hard"):
            raise ParameterError("target", f"is {target!r}, but must be soft or hard")
        data = read(out, split)
        if split is None and data.splits:
            there = ", ".join(data.splits)
            raise ParameterError("split", f"must be given: {out} has the splits {there}")
        self.classes = data.classes
        self.transform = transform
        self.target = target
        self._folder = data.folder
        self._labels = Shared(data.labels)
        self._outputs = Outputs(data.folder, [row.file_name for row in data.rows])

    def __len__(self) -> int:
        return len(self._outputs)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return image and target.

        Raises:
            IndexError: There are not so many pictures.
            InputError: The file is missing or damaged.
        """
        index = self._checked(index)
        return self._image(index), self._target(index)

    def name(self, index: int) -> str:
        """Return the name of a picture: its path relative to OUT, with ``/``."""
        return self._outputs.name(self._checked(index))

    @property
    def targets(self) -> Any:
        """The vectors of all pictures, a tensor float32 (N, C)."""
        return self._torch().from_numpy(self._labels.arrays.dense(len(self.classes)))

    @property
    def hard(self) -> Any:
        """The number of each picture's heaviest class, a tensor int64 (N,); -1 without a label.

        For metrics, and for samplers that balance classes.
        """
        return self._torch().from_numpy(self._labels.arrays.hard())

    def _checked(self, index: int) -> int:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"picture {index} of {count}")
        return int(index) % count

    def _target(self, index: int) -> Any:
        target = self._labels.arrays.row(index, len(self.classes))
        if self.target == "hard":
            return int(target.argmax()) if target.any() else -1
        return self._torch().from_numpy(target)

    def _image(self, index: int) -> Any:
        name = self._outputs.name(index)
        try:
            image = decode(self._outputs.read(index)).image
        except OSError as error:
            raise InputError(
                f"{self._folder}: {name} can't be read ({error.strerror or error}); the same "
                "command that made the folder makes it again"
            ) from None
        except UnreadableImage as error:
            raise InputError(
                f"{self._folder}: {name} is {error.reason}; the same command that made the folder "
                "makes it again"
            ) from None
        return self._tensor(transformed(self.transform, image))

    def _tensor(self, image: Any) -> Any:
        """Return what a pipeline gave as a tensor (C, H, W), unless it is one."""
        torch = self._torch()
        if isinstance(image, torch.Tensor):
            return image
        array = np.asarray(image)
        array = array[..., None] if array.ndim == 2 else array
        return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))

    @staticmethod
    def _torch() -> Any:
        return library("torch", "augcli.torch.ManifestDataset")


def transformed(transform: Callable[..., Any] | None, image: np.ndarray[Any, Any]) -> Any:
    """Return a picture uint8 (H, W, 3) as a pipeline of torchvision or albumentations leaves it."""
    if transform is None:
        return image
    if is_albumentations(transform):
        return transform(image=image)["image"]
    from PIL import Image  # noqa: PLC0415 - only torchvision's pipelines want it

    return transform(Image.fromarray(image))


def is_albumentations(transform: object) -> bool:
    """Return whether a pipeline is one of albumentations, without importing that."""
    albumentations = sys.modules.get("albumentations")
    kinds = [getattr(albumentations, name, None) for name in ("BaseCompose", "BasicTransform")]
    return isinstance(transform, tuple(kind for kind in kinds if isinstance(kind, type)))
