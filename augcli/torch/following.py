"""Heat maps that follow a picture through transforms of torchvision.

A heat map goes through ``torchvision.transforms.v2`` beside its picture, as a tensor type of its
own, the way in which torchvision's boxes and masks do. So one pipeline serves both, whatever is
drawn in it, and nothing has to be recorded. It is not moved at each step: it remembers which part
of the picture is left, and whether that is mirrored, and is averaged once at the end. A transform
that it can't follow, such as a rotation, is refused: it would leave the map where it was.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import crop_map
from augcli.torch.libraries import library

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

NEEDED_BY = "a heat map that follows transforms"
REFUSED = ("rotate", "affine", "perspective", "elastic", "five_crop", "ten_crop")
"""Transforms that move pixels in other ways than a heat map can follow."""


@dataclass(frozen=True)
class View:
    """What is left of a picture after flips, crops and resizes.

    Attributes:
        frame: Height and width of the picture.
        box: (x0, y0, x1, y1) of the part that is left, in pixels of the picture.
        size: Height and width that this part has now.
        mirrored: Whether left and right are swapped.
        upside_down: Whether top and bottom are swapped.

    Example:
        >>> half = View.of(Frame(100, 200)).flip_horizontally().crop(0, 0, 100, 100)
        >>> half.box, half.mirrored
        ((100.0, 0.0, 200.0, 100.0), True)
    """

    frame: Frame
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    mirrored: bool = False
    upside_down: bool = False

    @classmethod
    def of(cls, frame: Frame) -> View:
        """Return the view of a whole picture."""
        return cls(frame, (0, 0, frame.width, frame.height), (frame.height, frame.width))

    def flip_horizontally(self) -> View:
        """Swap left and right."""
        return replace(self, mirrored=not self.mirrored)

    def flip_vertically(self) -> View:
        """Swap top and bottom."""
        return replace(self, upside_down=not self.upside_down)

    def crop(self, top: int, left: int, height: int, width: int) -> View:
        """Take a part, in pixels of what is there now; it may reach beyond."""
        x0, y0, x1, y1 = self.box
        rows, columns = self.size
        x0, x1 = _part(x0, x1, left / columns, (left + width) / columns, self.mirrored)
        y0, y1 = _part(y0, y1, top / rows, (top + height) / rows, self.upside_down)
        return replace(self, box=(x0, y0, x1, y1), size=(height, width))

    def centre_crop(self, size: Sequence[int]) -> View:
        """Take the middle."""
        height, width = _both(size)
        rows, columns = self.size
        return self.crop(round((rows - height) / 2), round((columns - width) / 2), height, width)

    def resize(self, size: Sequence[int] | int | None, longest: int | None = None) -> View:
        """Change the size, as torchvision's ``resize`` understands it."""
        if size is not None and not isinstance(size, int) and len(size) == 2:
            return replace(self, size=(size[0], size[1]))
        short, long = sorted(self.size)
        wanted = size if isinstance(size, int) else (size[0] if size else None)
        scale = wanted / short if wanted is not None else (longest or long) / long
        if longest is not None and scale * long > longest:
            scale = longest / long
        height, width = (max(1, int(scale * side)) for side in self.size)
        return replace(self, size=(height, width))

    def pad(self, padding: Sequence[int] | int) -> View:
        """Add a border."""
        sides = [padding] if isinstance(padding, int) else list(padding)
        left, top, right, bottom = {1: sides * 4, 2: sides * 2}.get(len(sides), sides)
        rows, columns = self.size
        return self.crop(-top, -left, rows + top + bottom, columns + left + right)

    def seen(self, heat_map: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
        """Return the heat map float32 (grid, grid) of what is left.

        Args:
            heat_map: float32 (h, w) of the whole picture.
            grid: Rows and columns wanted.
        """
        left = crop_map(heat_map, self.box, self.frame, grid)
        left = left[:, ::-1] if self.mirrored else left
        return left[::-1] if self.upside_down else left


def _part(
    start: float, stop: float, first: float, last: float, swapped: bool
) -> tuple[float, float]:
    length = stop - start
    if swapped:
        return stop - last * length, stop - first * length
    return start + first * length, start + last * length


def _both(size: Sequence[int] | int) -> tuple[int, int]:
    sides = [size] if isinstance(size, int) else list(size)
    return sides[0], sides[-1]


def followed(
    transform: Callable[..., Any] | None, image: Any, heat_map: NDArray[np.float32], grid: int
) -> tuple[Any, Any]:
    """Return a picture after a pipeline, and its heat map, which followed.

    Args:
        transform: A pipeline of ``torchvision.transforms.v2``, or None.
        image: A PIL image, or a tensor (C, H, W).
        heat_map: float32 (h, w) of the picture.
        grid: Rows and columns wanted.

    Returns:
        The picture, and a tensor float32 (grid, grid).
    """
    torch = library("torch", NEEDED_BY)
    is_tensor = isinstance(image, torch.Tensor)
    frame = Frame(*image.shape[-2:]) if is_tensor else Frame(image.height, image.width)
    view = View.of(frame)
    if transform is not None:
        marked = torch.zeros(1).as_subclass(map_type())
        marked.view_of = view
        image, marked = transform(image, marked)
        if not hasattr(marked, "view_of"):
            raise ParameterError(
                "transform",
                "loses the heat map, as ToPureTensor does: leave that transform out",
            )
        view = marked.view_of
    return image, torch.from_numpy(view.seen(heat_map, grid).copy())


@functools.cache
def map_type() -> Any:
    """Return the tensor type that torchvision's transforms change as their picture.

    Each of its tensors holds a :class:`View` in ``view_of``.
    """
    tensors = library("torchvision.tv_tensors", NEEDED_BY)
    transforms = library("torchvision.transforms.v2.functional", NEEDED_BY)

    class HeatMapView(tensors.TVTensor):  # type: ignore[misc, name-defined]  # known at run time
        view_of: View

    def register(name: str, change: Callable[..., View]) -> None:
        def kernel(tensor: Any, *args: Any, **options: Any) -> Any:
            changed = tensor.clone().as_subclass(HeatMapView)
            changed.view_of = change(tensor.view_of, *args, **options)
            return changed

        transforms.register_kernel(getattr(transforms, name), HeatMapView)(kernel)

    register("horizontal_flip", View.flip_horizontally)
    register("vertical_flip", View.flip_vertically)
    register("crop", View.crop)
    register("center_crop", lambda view, output_size: view.centre_crop(output_size))
    register(
        "resize",
        lambda view, size, interpolation=None, max_size=None, antialias=None: view.resize(
            size, max_size
        ),
    )
    register(
        "resized_crop",
        lambda view, top, left, height, width, size, **_: view.crop(
            top, left, height, width
        ).resize(size),
    )
    register("pad", lambda view, padding, *_, **__: view.pad(padding))
    for name in REFUSED:
        register(name, functools.partial(_refuse, name))
    return HeatMapView


def _refuse(name: str, *_: Any, **__: Any) -> NoReturn:
    raise ParameterError(
        "transform",
        f"does {name}, which a heat map can't follow: flips, crops, pads and resizes it can; do "
        "the others before the heat maps are made, or after the mix",
    )
