"""Making an output again from its sources and its row, without the plan, the seed or a scorer."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augcli.data.codecs.choices import background_colour
from augcli.data.codecs.decoding import decode
from augcli.data.codecs.encoding import copied, encode_output
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.sinks.opening import holds_arrays
from augcli.data.splits import is_chosen
from augcli.errors import OutputError, ParameterError
from augcli.files import parse_json
from augcli.params import build, declared
from augcli.pixels.resize import resize
from augcli.recipes.chain import Chain
from augcli.recipes.options import RunOptions
from augcli.recipes.step import Step
from augcli.run.checking.amounts import rest_original
from augcli.run.checking.encoding import encoding_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.data.codecs.decoding import Decoded
    from augcli.data.codecs.encoding import Encoded
    from augcli.data.manifest import Row
    from augcli.data.stores.sources import Source, Sources, Store
    from augcli.pixels.frame import Image
    from augcli.recipes.recipe import Recipe


@dataclass(frozen=True)
class Remade:
    """An output made again.

    Attributes:
        image: uint8 (H, W, 3), RGB, before encoding.
        encoded: The file as it should be.
        is_exact: Whether the file holds every pixel of the image.
        donated: What of the image is the donor's, and all there is; None without a donor.
    """

    image: Image
    encoded: Encoded
    is_exact: bool
    donated: tuple[float, float] | None = None


def recorded_options(identity: Mapping[str, Any], labels: object = None) -> RunOptions:
    """Return the options that run.json recorded.

    Args:
        identity: What it says the outputs depend on.
        labels: The table of labels, of which it has only the hash.

    Raises:
        OutputError: It says something that this version can't do.
    """
    names = {field.name for field in declared(RunOptions)} - {"labels"}
    known = {name: value for name, value in identity.items() if name in names}
    try:
        # Files that are gone by now are named where an output was made of them.
        return build(RunOptions, {**known, "labels": labels, "missing": "skip"})
    except (TypeError, ParameterError) as error:
        raise _other_version(error) from None


def recorded_chain(
    identity: Mapping[str, Any], options: RunOptions, recipe: Recipe | None = None
) -> Chain:
    """Return the steps that run.json recorded.

    Args:
        identity: What run.json says the outputs depend on.
        options: See :func:`recorded_options`.
        recipe: What was done, where run.json names a method that is not registered.

    Raises:
        OutputError: It says something that this version can't do, or another recipe.
    """
    try:
        if recipe:
            steps = _steps_of(recipe, identity)
        else:
            steps = tuple(Step.from_json(step) for step in identity["steps"])
        return Chain(identity["command"], steps, options.seed, options.copies, identity["survival"])
    except (KeyError, TypeError, ParameterError) as error:
        raise _other_version(error) from None


def _other_version(error: Exception) -> OutputError:
    return OutputError(
        f"run.json was not written by this version of augcli ({error}); verify with the "
        "version that it names, or give the recipe where a method is not registered"
    )


class Remaker:
    """Makes outputs again, with the options that run.json recorded.

    Args:
        store: INPUT.
        sources: What it holds.
        identity: What run.json says the outputs depend on.
        options: The options in it, see :func:`recorded_options`.
        recipe: What was done, where run.json names a method that is not registered.
        white_level: The level of 16-bit images that became 255; None for the highest.

    Raises:
        OutputError: run.json says something that this version can't do, or another recipe.
    """

    def __init__(
        self,
        store: Store,
        sources: Sources,
        identity: Mapping[str, Any],
        options: RunOptions,
        recipe: Recipe | None = None,
        white_level: int | None = None,
    ) -> None:
        self._store = store
        self._sources = sources
        self._options = options
        self._chain = recorded_chain(identity, options, recipe)
        self._encoding = encoding_of(options)
        self._white_level = white_level or FULL_WHITE
        self._background = background_colour(options.background)

    def make(self, row: Row) -> Remade:
        """Make the output of a row.

        Raises:
            OSError: A source can't be read.
            UnreadableImage: A source can't be decoded.
            MemoryError: Memory ran out.
            ValueError: The row's draw is not one that augcli wrote.
        """
        source = self._find(row.source_a)
        path = source.place or source.path
        data = self._read(source)
        base = self._decoded(data)
        if row.method == "original" and self._is_copied(row.split):
            return Remade(base.image, copied(path, data), is_exact=True)
        image, grey, donated = base.image, base.grey, None
        if row.method != "original":
            donor = self._decoded(self._read(self._find(row.source_b))) if row.source_b else None
            grey &= donor is None or donor.grey
            draw = parse_json(row.draw.encode())
            result = self._chain.replay(draw, image, donor.image if donor else None)
            image, donated = result.image, result.donated
        encoded = encode_output(image, path, base.subsampling, self._encoding, grey=grey)
        return Remade(image, encoded, encoded.ending in ("png", "npy"), donated)

    def pictures(self, row: Row) -> tuple[Image, Image | None]:
        """Return base and donor of a row, uint8 (H, W, 3), as its steps took them.

        Raises:
            OSError: A source can't be read.
            UnreadableImage: A source can't be decoded.
            MemoryError: Memory ran out.
        """
        base, donor = (
            self._decoded(self._read(self._find(path))).image if path else None
            for path in (row.source_a, row.source_b)
        )
        assert base is not None
        return base, donor

    def _is_copied(self, split: str) -> bool:
        """Return whether the originals of a split are copies of the sources' bytes."""
        if not self._sources.are_files or holds_arrays(self._options.to):
            return False
        is_augmented = is_chosen(split, self._options.splits) or not split
        if is_augmented and self._chain.steps:
            return self._options.originals == "copy"
        return rest_original(self._options) == "copy"

    def _find(self, path: str) -> Source:
        index = self._sources.find(path)
        if index is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self._sources.source(index)

    def _read(self, source: Source) -> bytes:
        return self._store.read(source, max_bytes=self._options.max_bytes)

    def _decoded(self, data: bytes) -> Decoded:
        decoded = decode(
            data,
            max_pixels=self._options.max_pixels,
            white_level=self._white_level,
            background=self._background,
        )
        if self._options.frame:
            return decoded._replace(image=resize(decoded.image, self._options.frame))
        return decoded


def _steps_of(recipe: Recipe, identity: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return a recipe's steps where run.json has the same.

    Raises:
        OutputError: It has others.
    """
    # As they come back from run.json.
    steps = json.loads(json.dumps([step.to_json() for step in recipe.steps]))
    if steps != identity["steps"] or recipe.survival != identity["survival"]:
        raise OutputError("OUT was made by another recipe than the one given; give that one")
    return recipe.steps
