"""Mixing and dropping inside a training loop, with the draws and label weights of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.augmentations import PREPARATIONS
from augcli.augmentations.base import Augmentation
from augcli.errors import ParameterError
from augcli.params import public_name
from augcli.pixels.batches import frame_of
from augcli.recipes.recipe import Recipe
from augcli.recipes.step import Step
from augcli.torch.batch_maps import BatchMaps, NamedMaps
from augcli.torch.drawing import draw_batch, ranked_cells
from augcli.torch.libraries import SharedNumbers, library
from augcli.torch.pictures import Memory, mix_arrays, mix_tensors
from augcli.torch.samples import (
    IN_NUMPY,
    TensorArrays,
    columns,
    names_of,
    numbers,
    stacked,
    type_name,
)
from augcli.torch.targets import as_vectors, mix_labels, mix_tensor_labels

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from augcli.attention.heat_map_file import HeatMaps
    from augcli.torch.drawing import BatchDraws

EPOCH, ENABLED = 0, 1
"""Places of the numbers that workers see change."""


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
        self._maps = NamedMaps(heat_maps)
        for augmentation in self._step.augmentations:
            if top_n := ranked_cells(augmentation):
                self._maps.choose(augmentation.map_grid, top_n)

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
            if batch.ndim != 4 or type_name(batch) not in IN_NUMPY:
                raise ParameterError(
                    "images",
                    f"are {batch.dtype} {batch.shape}, but must be uint8 or floats (N, H, W, C)",
                )
            mixed = batch.copy(order="C")
            labels = np.asarray(labels)
            return mixed, self._mix(mixed, batch, labels, names, heat_maps, channels_last=True)
        torch = library("torch", "a batch of tensors")
        labels = torch.as_tensor(labels, device=batch.device)
        if batch.device.type != "cpu" or type_name(batch) not in IN_NUMPY:
            return self._mixed_tensors(torch, batch, labels, names, heat_maps)
        # Contiguous, so that NumPy sees the same memory row by row.
        images = batch.detach().clone(memory_format=torch.contiguous_format)
        sources = batch.detach().numpy()
        targets = self._mix(images.numpy(), sources, labels.numpy(), names, heat_maps)
        return images, torch.from_numpy(targets)

    def _collate(self, samples: Sequence[Any]) -> Any:
        """Collate samples and mix them."""
        torch = library("torch", "augcli.torch.BatchMixer as collate_fn")
        found = columns(samples)
        images, labels = stacked(torch, found.images), numbers(found.labels)
        maps = None
        if found.heat_maps is not None:
            maps = np.stack([np.asarray(one, np.float32) for one in found.heat_maps])
        if type_name(images) in IN_NUMPY:
            are_tensors = isinstance(found.images[0], torch.Tensor)
            sources = TensorArrays(found.images) if are_tensors else found.images
            targets = torch.from_numpy(
                self._mix(images.numpy(), sources, labels, found.names, maps)
            )
        else:
            labels = torch.from_numpy(labels)
            images, targets = self._mixed_tensors(torch, images, labels, found.names, maps)
        if isinstance(samples[0], Mapping):
            return {"pixel_values": images, "labels": targets}
        return images, targets

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
        drawn = self._drawn(images, names, heat_maps)
        weights = drawn.given / drawn.total
        mixed = mix_tensors(torch, images, drawn)
        return mixed, mix_tensor_labels(torch, labels, self._classes, drawn.donors, weights)

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
        drawn = self._drawn(bases, names, heat_maps, channels_last=channels_last)
        targets = mix_labels(labels, self._classes, drawn.donors, drawn.given, drawn.total)
        mix_arrays(bases, sources, drawn, self._scale, self._memory, channels_last=channels_last)
        return targets

    def _drawn(
        self,
        images: Any,
        names: Sequence[str] | None,
        heat_maps: NDArray[Any] | None,
        *,
        channels_last: bool = False,
    ) -> BatchDraws:
        names = names_of(images) if names is None else names
        return draw_batch(
            self._step,
            frame_of(images, channels_last=channels_last),
            BatchMaps(names, heat_maps, self._maps),
            seed=self._seed,
            epoch=self.epoch,
            epochs=self._epochs,
        )


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
