"""Mixing and dropping inside a training loop, with the draws and label weights of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.attention.heat_map_file import HeatMaps
from augcli.augmentations import PREPARATIONS
from augcli.augmentations.base import Augmentation
from augcli.errors import ParameterError
from augcli.params import public_name
from augcli.pixels.batches import frame_of
from augcli.pixels.heat_maps import pool_maps
from augcli.recipes.recipe import Recipe
from augcli.recipes.step import Step
from augcli.torch.drawing import draw_batch
from augcli.torch.libraries import Shared, SharedNumbers, library
from augcli.torch.pictures import IN_NUMPY, Memory, mix_arrays, mix_tensors
from augcli.torch.targets import as_vectors, mix_labels, mix_tensor_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.attention.map_arrays import MapArrays

EPOCH, ENABLED = 0, 1
"""Places of the numbers that workers see change."""
NAME_VALUES = 256
"""Values of a picture that stand for its name where it has none."""


class BatchMixer:
    """Mixes the pictures of a batch, or drops parts of them, and gives label vectors.

    As ``collate_fn`` of a ``DataLoader`` it takes a list of samples: ``(image, label)``,
    ``(image, label, name)`` or ``(image, label, name, heat_map)``, as
    :class:`augcli.torch.NamedDataset` gives them, or dictionaries with ``pixel_values`` and
    ``labels``, and ``name`` and ``heat_map`` where there are any. In a loop it is called with
    ``images, labels`` and, where they are at hand, ``names`` and ``heat_maps``.

    Draws depend on the seed, the epoch and the names alone, and the epoch takes the place of the
    copy: with a whole data set in one batch, the pictures and labels of epoch 0 are those of an
    offline run. Samples without names are told apart by some of their pixels.

    Args:
        method: A mixer or a drop, such as ``augcli.AttentiveCutMix(top_n=6)``, or a recipe of
            one step, which may have several choices.
        heat_maps: Heat maps by name, where the method needs any: a file of ``augcli heatmaps``,
            :class:`augcli.HeatMaps`, or a mapping of names to arrays float32 (h, w). Not used
            for samples that bring their own.
        classes: How many classes there are, or their names; needed if labels are numbers.
        seed: Seed of all chance.
        prob: Share of the pictures that the method is applied to.
        epochs: How many epochs there are, for methods that change over them.
        normalized: Mean and standard deviation of float pictures, as ``Normalize`` takes them;
            without it they are 0 … 1. Only drops need it, for their fill.

    Raises:
        ParameterError: A wrong value.
        HeatMapsError: The file of heat maps can't be used.

    Example:
        >>> import augcli, augcli.torch
        >>> mixer = augcli.torch.BatchMixer(augcli.CutMix(region="box"), classes=3, seed=1)
        >>> images = np.zeros((4, 32, 32, 3), np.uint8)
        >>> mixed, targets = mixer(images, np.array([0, 1, 2, 0]), names=["a", "b", "c", "d"])
        >>> mixed.shape, [round(float(weight), 3) for weight in targets[1]]
        ((4, 32, 32, 3), [0.264, 0.736, 0.0])
    """

    def __init__(
        self,
        method: Augmentation[Any] | Recipe,
        *,
        heat_maps: HeatMaps | Mapping[str, Any] | str | os.PathLike[str] | None = None,
        classes: int | Sequence[str] | None = None,
        seed: int = 0,
        prob: float = 1.0,
        epochs: int = 1,
        normalized: tuple[Sequence[float], Sequence[float]] | None = None,
    ) -> None:
        self._step = _step(method, prob)
        self._classes = classes if classes is None or isinstance(classes, int) else len(classes)
        self._seed = int(seed)
        self._epochs = epochs
        mean, deviation = normalized or ((0.0,) * 3, (1.0,) * 3)
        self._scale = np.asarray(mean, np.float32), np.asarray(deviation, np.float32)
        self._numbers = SharedNumbers(0, 1)
        self._memory = Memory()
        self._stored: Shared[MapArrays] | None = None
        self._maps: Mapping[str, Any] | None = None
        if isinstance(heat_maps, str | os.PathLike):
            heat_maps = HeatMaps.load(heat_maps)
        if isinstance(heat_maps, HeatMaps):
            self._stored = Shared(heat_maps.table())
        elif heat_maps is not None:
            self._maps = heat_maps

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the memory of this process."""
        return {name: value for name, value in self.__dict__.items() if name != "_memory"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _memory=Memory())

    @property
    def epoch(self) -> int:
        """The epoch that is drawn for; workers of a loader see it change, see :meth:`set_epoch`."""
        return self._numbers[EPOCH]

    @property
    def enabled(self) -> bool:
        """Whether batches are changed; without, labels are vectors all the same.

        Set it to False for validation. Workers of a loader see it change.
        """
        return bool(self._numbers[ENABLED])

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._numbers[ENABLED] = int(enabled)

    def set_epoch(self, epoch: int) -> None:
        """Draw anew: call it before each epoch, as the ``set_epoch`` of samplers.

        Also the workers of a loader with ``persistent_workers=True`` draw for this epoch.
        """
        if epoch < 0:
            raise ParameterError("epoch", f"is {epoch}, but must be 0 or more")
        self._numbers[EPOCH] = epoch

    def __call__(
        self,
        batch: Any,
        labels: Any = None,
        names: Sequence[str] | None = None,
        heat_maps: Any = None,
    ) -> Any:
        """Mix a batch; inputs are not changed.

        Args:
            batch: A list of samples, see the class; or images: a tensor (N, C, H, W) of any type
                on any device, or a NumPy array (N, H, W, C), uint8 or floats.
            labels: With images: whole numbers (N,), or floats (N, C).
            names: With images: the name of each.
            heat_maps: With images: (N, h, w), a tensor or an array.

        Returns:
            Images of the same kind, type and shape, and label vectors float32 (N, C); for
            samples that are dictionaries, a dictionary of ``pixel_values`` and ``labels``.

        Raises:
            ParameterError: Labels, heat maps or shapes don't fit.
        """
        if labels is None:
            return self._collate(batch)
        names = None if names is None else [str(name) for name in names]
        if heat_maps is not None and not isinstance(heat_maps, np.ndarray):
            heat_maps = heat_maps.cpu().numpy()
        if isinstance(batch, np.ndarray):
            return self._mixed_arrays(batch, np.asarray(labels), names, heat_maps)
        torch = library("torch", "a batch of tensors")
        labels = torch.as_tensor(labels, device=batch.device)
        if batch.device.type != "cpu" or str(batch.dtype).removeprefix("torch.") not in IN_NUMPY:
            return self._mixed_tensors(torch, batch, labels, names, heat_maps)
        # Contiguous, so that NumPy sees the same memory row by row.
        images = batch.detach().clone(memory_format=torch.contiguous_format)
        sources = batch.detach().numpy()
        targets = self._mix(images.numpy(), sources, labels.numpy(), names, heat_maps)
        return images, torch.from_numpy(targets)

    def _mixed_arrays(
        self,
        images: NDArray[Any],
        labels: NDArray[Any],
        names: Sequence[str] | None,
        heat_maps: NDArray[Any] | None,
    ) -> tuple[NDArray[Any], NDArray[np.float32]]:
        if images.ndim != 4 or images.dtype.name not in IN_NUMPY:
            raise ParameterError(
                "images",
                f"are {images.dtype} {images.shape}, but must be uint8 or floats (N, H, W, C)",
            )
        mixed = images.copy(order="C")
        targets = self._mix(mixed, images, labels, names, heat_maps, channels_last=True)
        return mixed, targets

    def _mixed_tensors(
        self,
        torch: Any,
        images: Any,
        labels: Any,
        names: Sequence[str] | None,
        heat_maps: NDArray[Any] | None,
    ) -> tuple[Any, Any]:
        nobody = np.zeros(len(images))
        donors = np.arange(len(images))
        if not self.enabled:
            return images, mix_tensor_labels(torch, labels, self._classes, donors, nobody)
        if names is None:
            names = _names_of(_sampled(images.flatten(1)).cpu().float().numpy())
        drawn = self._drawn(names, images, heat_maps)
        weights = drawn.given / drawn.total
        mixed = mix_tensors(torch, images, drawn)
        return mixed, mix_tensor_labels(torch, labels, self._classes, drawn.donors, weights)

    def _collate(self, samples: Sequence[Any]) -> Any:
        """Collate samples and mix them."""
        if isinstance(samples[0], Mapping):
            images, targets = self._collated(*_columns(samples))
            return {"pixel_values": images, "labels": targets}
        columns = list(zip(*samples, strict=True))
        if not 2 <= len(columns) <= 4:
            raise ParameterError(
                "batch",
                f"has samples of {len(columns)} values, but they must be (image, label), "
                "(image, label, name) or (image, label, name, heat_map)",
            )
        return self._collated(*columns)

    def _collated(
        self,
        images: Sequence[Any],
        labels: Sequence[Any],
        names: Sequence[str] | None = None,
        heat_maps: Sequence[Any] | None = None,
    ) -> tuple[Any, Any]:
        torch = library("torch", "augcli.torch.BatchMixer as collate_fn")
        collate = library("torch.utils.data", "").default_collate
        are_tensors = isinstance(images[0], torch.Tensor)
        if not are_tensors:
            images = [_array(one) for one in images]
        try:
            stacked = collate(images)
        except RuntimeError:
            if len({tuple(one.shape) for one in images}) == 1:
                raise
            raise ParameterError(
                "batch", "has pictures of several sizes: resize or crop them in the transform"
            ) from None
        numbers = collate(labels)
        maps = None
        if heat_maps is not None:
            maps = np.stack([np.asarray(one, np.float32) for one in heat_maps])
        if str(stacked.dtype).removeprefix("torch.") not in IN_NUMPY:
            return self._mixed_tensors(torch, stacked, numbers, names, maps)
        sources = _Arrays(images) if are_tensors else images
        targets = self._mix(stacked.numpy(), sources, numbers.numpy(), names, maps)
        return stacked, torch.from_numpy(targets)

    def _mix(
        self,
        bases: NDArray[Any],
        sources: Sequence[NDArray[Any]] | NDArray[Any],
        labels: NDArray[Any],
        names: Sequence[str] | None,
        heat_maps: NDArray[Any] | None,
        *,
        channels_last: bool = False,
    ) -> NDArray[np.float32]:
        """Mix a batch in place, and return its label vectors."""
        if len(labels) != len(bases):
            raise ParameterError("labels", f"are {len(labels)}, but there are {len(bases)} images")
        if not self.enabled:
            return as_vectors(labels, self._classes)
        if names is None:
            names = _names_of(_sampled(bases.reshape(len(bases), -1)))
        drawn = self._drawn(names, bases, heat_maps, channels_last=channels_last)
        targets = mix_labels(labels, self._classes, drawn.donors, drawn.given, drawn.total)
        mix_arrays(bases, sources, drawn, self._scale, self._memory, channels_last=channels_last)
        return targets

    def _drawn(
        self,
        names: Sequence[str],
        images: Any,
        heat_maps: NDArray[Any] | None,
        *,
        channels_last: bool = False,
    ) -> Any:
        def maps_of(indices: NDArray[np.int64], grid: int) -> NDArray[np.float32]:
            return self._maps_of(indices, grid, names, heat_maps)

        return draw_batch(
            self._step,
            names,
            frame_of(images, channels_last=channels_last),
            maps_of,
            seed=self._seed,
            epoch=self.epoch,
            epochs=self._epochs,
        )

    def _maps_of(
        self,
        indices: NDArray[np.int64],
        grid: int,
        names: Sequence[str],
        heat_maps: NDArray[Any] | None,
    ) -> NDArray[np.float32]:
        """Return the heat maps of some pictures: their own, or by their names."""
        wanted = [names[index] for index in indices.tolist()]
        try:
            if heat_maps is not None:
                found = np.asarray(heat_maps[indices], np.float32)
            elif self._stored:
                found = self._stored.arrays.find(wanted)
            elif self._maps is not None:
                found = np.stack([np.asarray(self._maps[name], np.float32) for name in wanted])
            else:
                raise ParameterError(
                    "heat_maps",
                    "is missing, but the method needs heat maps: give the file that augcli "
                    "heatmaps makes, or samples with a heat map each",
                )
        except KeyError as error:
            raise ParameterError(
                "heat_maps",
                f"has no heat map of {error.args[0]!r}; names are paths relative to the folder "
                "that augcli heatmaps was given",
            ) from None
        if min(found.shape[1:]) < grid:
            raise ParameterError(
                "heat_maps",
                f"are {found.shape[1]} x {found.shape[2]}, but the method needs {grid} x {grid}",
            )
        return pool_maps(found, grid)


class _Arrays(Sequence[Any]):
    """Tensors, each an array when it is looked at: most are not, and each would take its time."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        self._tensors = tensors

    def __len__(self) -> int:
        return len(self._tensors)

    def __getitem__(self, index: Any) -> Any:
        return self._tensors[index].numpy()


def _step(method: object, prob: float) -> Step:
    """Return the one step that a method or a recipe is."""
    if isinstance(method, Recipe):
        if len(method.steps) != 1 or method.survival is not None:
            raise ParameterError(
                "method",
                f"is a recipe of {len(method.steps)} steps, but must have one: do the others in "
                "the transform of the data set",
            )
        if prob != 1:
            raise ParameterError("prob", "belongs to the step of a recipe: give it there")
        step = method.steps[0]
    elif isinstance(method, Augmentation):
        if not 0 <= prob <= 1:
            raise ParameterError("prob", f"is {prob}, but must be 0 to 1")
        step = Step.of(method, prob)
    else:
        raise ParameterError(
            "method",
            f"is {method!r}, but must be a method with its options, such as augcli.CutMix()",
        )
    for augmentation in step.augmentations:
        if isinstance(augmentation, PREPARATIONS):
            raise ParameterError(
                "method",
                f"is {public_name(type(augmentation))}, which belongs into the transform of the "
                "data set",
            )
        if augmentation.needs_mean_colour:
            raise ParameterError(
                "fill", "is mean, but the mean colour of the data set is not known: give a colour"
            )
    return step


def _columns(samples: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return images, labels, names and heat maps of samples that are dictionaries."""
    first = samples[0]
    label = "labels" if "labels" in first else "label"
    missing = {"pixel_values", label} - set(first)
    if missing:
        raise ParameterError(
            "batch", f"has samples with {sorted(first)}, but they need pixel_values and labels"
        )
    names = ("pixel_values", label, "name", "heat_map")
    return [[one[name] for one in samples] if name in first else None for name in names]


def _array(image: Any) -> NDArray[Any]:
    """Return a picture of a sample as an array (C, H, W)."""
    if not isinstance(image, np.ndarray):
        raise ParameterError(
            "batch",
            f"has images of the type {type(image).__name__}, but they must be tensors or arrays "
            "(C, H, W): end the transform with ToImage or PILToTensor",
        )
    return image


def _sampled(rows: Any) -> Any:
    """Return a few hundred values of each row, evenly spaced."""
    return rows[:, :: max(1, rows.shape[1] // NAME_VALUES)]


def _names_of(values: NDArray[Any]) -> list[str]:
    """Return a name for each row of values."""
    return [row.tobytes().decode("latin-1") for row in np.ascontiguousarray(values)]
