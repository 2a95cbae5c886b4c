"""A data set whose items have names, and heat maps that follow the transforms."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.heat_map_file import HeatMaps
from augcli.errors import ParameterError
from augcli.torch.libraries import Shared
from augcli.torch.manifest_dataset import ManifestDataset, is_albumentations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class NamedDataset:
    """Another data set, whose items become (image, label, name) or (image, label, name, heat map).

    :class:`augcli.torch.BatchMixer` draws by the names. Where pictures are flipped, cropped or
    resized before they are mixed, heat maps must follow: with ``heat_maps``, the transform gets
    the picture and its heat map together, and the map travels with the sample.

    Args:
        dataset: Its items begin with image and label: torchvision's ``ImageFolder`` without a
            transform, :class:`augcli.torch.ManifestDataset`, or any other.
        names: The name of each item. By default, paths relative to the folder of an
            ``ImageFolder`` or of OUT, with ``/``, as ``augcli heatmaps`` names them; else the
            number of the item.
        heat_maps: A file of ``augcli heatmaps``, or :class:`augcli.HeatMaps`.
        transform: A pipeline of ``torchvision.transforms.v2``; with ``heat_maps`` it gets image
            and heat map. Without heat maps it may also be one of albumentations.

    Raises:
        ParameterError: The transform is of a library whose transforms heat maps can't follow.
        HeatMapsError: The file of heat maps can't be used.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        names: Sequence[str] | None = None,
        heat_maps: HeatMaps | str | os.PathLike[str] | None = None,
        transform: Callable[..., Any] | None = None,
    ) -> None:
        if names is not None and len(names) != len(dataset):
            raise ParameterError(
                "names", f"has {len(names)} names, but the data set has {len(dataset)} items"
            )
        if heat_maps is not None and is_albumentations(transform):
            raise ParameterError(
                "transform",
                "is one of albumentations, which heat maps can't follow: give one of "
                "torchvision.transforms.v2, or crop the maps with augcli.HeatMaps.crop",
            )
        if isinstance(heat_maps, str | os.PathLike):
            heat_maps = HeatMaps.load(heat_maps)
        self.dataset = dataset
        self.names = names
        self.transform = transform
        self._grid = heat_maps.grid if heat_maps else 0
        self._maps = Shared(heat_maps.table()) if heat_maps else None

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return image, label and name, and the heat map float32 (grid, grid) where there are any.

        Raises:
            ParameterError: There is no heat map of the picture.
        """
        image, label, *_ = self.dataset[index]
        name = self.name(index)
        if self._maps is None:
            return self._transformed(image), label, name
        from augcli.torch.following import followed  # noqa: PLC0415 - it needs torchvision

        image, heat_map = followed(self.transform, image, self._map(name), self._grid)
        return image, label, name, heat_map

    def name(self, index: int) -> str:
        """Return the name of an item."""
        if self.names is not None:
            return self.names[index]
        if isinstance(self.dataset, ManifestDataset):
            return self.dataset.name(index)
        samples, root = (getattr(self.dataset, word, None) for word in ("samples", "root"))
        if samples and root is not None:
            path = os.path.relpath(samples[index][0], root)
            return str(path).replace(os.sep, "/")
        return str(index)

    def _map(self, name: str) -> NDArray[np.float32]:
        assert self._maps
        try:
            return np.asarray(self._maps.arrays.find([name])[0])
        except KeyError:
            raise ParameterError("heat_maps", f"has no heat map of {name}") from None

    def _transformed(self, image: Any) -> Any:
        if self.transform is None:
            return image
        if is_albumentations(self.transform):
            return self.transform(image=np.asarray(image))["image"]
        return self.transform(image)
