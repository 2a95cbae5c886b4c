"""Making an output again from its sources and its row, without the plan, the seed or a scorer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.augmentations import METHODS
from augcli.augmentations.base import Mixer, donor_pixels, shown_pixels
from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import encode
from augcli.data.codecs.formats import output_ending, output_subsampling
from augcli.errors import OutputError, ParameterError
from augcli.params import build, declared
from augcli.pixels.frame import Frame
from augcli.pixels.resize import resize
from augcli.recipes.options import RunOptions

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation
    from augcli.data.codecs.decoding import Decoded
    from augcli.data.manifest import Row
    from augcli.pixels.frame import Image


@dataclass(frozen=True)
class Remade:
    """An output made again.

    Attributes:
        image: uint8 (H, W, 3), RGB, before encoding.
        data: As the file should be.
        lossless: Whether the file format keeps every pixel.
        donated: Pixels that come from the donor, and all pixels; None where it can't be told
            from the draw alone.
    """

    image: Image
    data: bytes
    lossless: bool
    donated: tuple[float, float] | None


class Remaker:
    """Makes outputs again, with the options that run.json recorded.

    Args:
        folder: INPUT.
        identity: What run.json says the outputs depend on.

    Raises:
        OutputError: run.json says something that this version can't do.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self._folder = folder
        names = {field.name for field in declared(RunOptions)}
        known = {name: value for name, value in identity.items() if name in names}
        try:
            self._options = build(RunOptions, known)
            choices = [one for step in identity["steps"] for one in step["choices"]]
            self._methods = {one["method"]: _method(one) for one in choices}
        except (KeyError, TypeError, ParameterError) as error:
            raise OutputError(
                f"run.json was not written by this version of augcli ({error}); "
                "verify with the version that it names"
            ) from None

    def make(self, row: Row) -> Remade:
        """Make the output of a row.

        Raises:
            OSError: A source can't be read.
            UnreadableImage: A source can't be decoded.
            ValueError: The row's draw is not one that augcli wrote.
        """
        record = json.loads(row.draw)
        if row.method == "original" and self._options.originals == "copy":
            data = (self._folder / row.source_a).read_bytes()
            return Remade(self._source(row.source_a).image, data, lossless=True, donated=None)
        donated: tuple[float, float] | None = None
        source = self._source(row.source_a)
        image = source.image
        if row.method != "original":
            steps = record.get("steps", [record])
            image, donated = self._steps(image, steps, row, record.get("donor_steps", []))
        kind = output_ending(row.source_a, self._options.format)
        data = encode(
            image,
            kind,
            quality=self._options.quality,
            subsampling=output_subsampling(source.subsampling, self._options.subsampling),
            png_level=self._options.png_level,
        )
        return Remade(image, data, kind == "png", donated)

    def _source(self, path: str) -> Decoded:
        data = (self._folder / path).read_bytes()
        found = decode(data, max_pixels=self._options.max_pixels)
        if self._options.frame:
            return replace(found, image=resize(found.image, self._options.frame))
        return found

    def _steps(
        self, image: Image, steps: list[Any], row: Row, donor_steps: list[Any]
    ) -> tuple[Image, tuple[float, float] | None]:
        donated: tuple[float, float] | None = None
        shown = None
        for record in steps:
            method = self._method_of(record)
            if method is None:
                continue
            found = record.get("draw", record) if "method" in record else record
            draw = method.draw_type.from_json(found)
            if isinstance(method, Mixer):
                donor = self._source(row.source_b).image
                donor, _ = self._steps(donor, donor_steps, row, [])
                frame = Frame.of(image)
                image = method.apply((image, donor), draw)
                if method.label_mode == "area":
                    donated = donor_pixels(method, draw, frame)
                    shown = (method.mask(draw, frame), method.opacity(draw))
            else:
                image = method.apply((image,), draw)
                if shown:
                    shown = (method.apply_to_mask(shown[0], draw), shown[1])
                    donated = shown_pixels(*shown)
        return image, donated

    def _method_of(self, record: dict[str, Any]) -> Augmentation[Any] | None:
        """Return what a record was made by, None where it says that nothing was done."""
        if any(record.get(word) is True for word in ("spared", "skipped", "unmixed")):
            return None
        name = record.get("method", next(iter(self._methods)))
        if name not in self._methods:
            raise ValueError(f"the draw names {name!r}, which run.json does not")
        return self._methods[name]


def _method(record: dict[str, Any]) -> Augmentation[Any]:
    method = METHODS[record["method"]]
    names = {field.name for field in declared(method)}
    return build(method, {name: value for name, value in record.items() if name in names})
