"""Applications of a method, with options drawn from its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from augcli.augmentations import METHODS, REGISTRY
from augcli.errors import ParameterError, UnreadableImage
from augcli.params import declared
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import allowed_values, frames, heat_map, image, seeds

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation, Draw
    from augcli.pixels.frame import HeatMap, Image

    Method = type[Augmentation[Any]]

EVERY_METHOD: list[Method] = list(METHODS.values())
COMMANDS: list[Method] = list(REGISTRY)
MIXERS = [method for method in EVERY_METHOD if method.sources == 2]

ORDINARY = 16
"""Frames with both sides of at least this many pixels are never refused."""


class Case(NamedTuple):
    """A method with options, its images, and what it drew."""

    method: Augmentation[Any]
    images: tuple[Image, ...]
    frame: Frame
    heat_map: HeatMap | None
    key: int
    draw: Draw

    def draw_again(self) -> Draw:
        """Draw from a stream with the same key."""
        return drawn(self.method, self.frame, self.key, self.heat_map)

    def apply(self, draw: Draw | None = None) -> Image:
        """Make the picture of a draw, by default of the case's own."""
        return self.method.apply(self.images, draw or self.draw)


def drawn(method: Augmentation[Any], frame: Frame, key: int, scores: HeatMap | None) -> Draw:
    """Draw once."""
    decided: Draw = method.draw(frame, Stream("contract", key), scores)
    return decided


def ready(method: Augmentation[Any]) -> Augmentation[Any]:
    """Return a method as a run uses it: with the data set's mean colour if it needs one."""
    return method.with_mean_colour((124, 116, 104)) if method.needs_mean_colour else method


def map_for(method: Augmentation[Any], seed: int) -> HeatMap | None:
    """Return a heat map if the method needs one."""
    return heat_map(seed, method.map_grid) if method.scores else None


@st.composite
def options(draw: st.DrawFn, cls: Method) -> Augmentation[Any]:
    """Return a method with any options that its declaration allows."""
    values = {field.name: draw(allowed_values(field), field.name) for field in declared(cls)}
    try:
        return cls(**values)
    except ParameterError:
        # Each value is allowed on its own, but not with the others.
        reject()


@st.composite
def cases(draw: st.DrawFn, cls: Method) -> Case:
    """Return one application of a method to pictures of any sizes."""
    method = ready(draw(options(cls)))
    sizes = [draw(frames) for _ in range(cls.sources)]
    key = draw(seeds)
    images = tuple(image(key + at, size) for at, size in enumerate(sizes))
    for one in images:
        one.setflags(write=False)
    scores = map_for(method, key)
    try:
        return Case(method, images, sizes[0], scores, key, drawn(method, sizes[0], key, scores))
    except UnreadableImage:
        assert min(sizes[0]) < ORDINARY
        reject()


def default_case(cls: Method, frame: tuple[int, int]) -> Case:
    """Return an application with all options as they are by default."""
    method, whole = ready(cls()), Frame(*frame)
    images = tuple(image(at, (frame[0] + at, frame[1])) for at in range(cls.sources))
    scores = map_for(method, 1)
    return Case(method, images, whole, scores, 1, drawn(method, whole, 1, scores))


def black_and_white(case: Case) -> tuple[Image, ...]:
    """Return a black base and white donors, of the case's sizes."""
    base, *donors = case.images
    return (np.zeros_like(base), *(np.full_like(donor, 255) for donor in donors))
