"""Reading: sources decoded and prepared for mixing, each once for its two roles."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.codecs.decoding import decode
from augcli.data.manifest import Failure
from augcli.data.stores.folder import read_source
from augcli.errors import UnreadableImage
from augcli.pixels.resize import resize
from augcli.plan.jobs import source_identity
from augcli.recipes.chain import Subject
from augcli.work.events import Touching

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.data.codecs.decoding import Decoded
    from augcli.data.codecs.formats import Subsampling
    from augcli.pixels.frame import Frame, HeatMap, Image
    from augcli.plan.jobs import Settings, Source
    from augcli.recipes.chain import Result, Score
    from augcli.work.events import Event
    from augcli.work.source_maps import SourceMaps

WINDOW = 3
"""Sources that a worker keeps where they are mixed: a base was the donor of the job before."""


class UnreadableFailure(Exception):
    """One source can't be used: a row of errors.csv."""

    def __init__(self, path: str, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.failure = Failure(path, stage, reason)


@dataclass(slots=True)
class Prepared:
    """A source decoded, with the steps before the mixer done.

    Attributes:
        source: Which one.
        data: The bytes of its file, where the originals are copied.
        original: The decoded picture, resized where outputs are.
        result: After the steps before the mixer.
        notes: What decoding had to simplify.
        subsampling: Of the colours in JPEG, where outputs are to have that of the source.
        score: Gives the heat map of the original, and of what is made of it.
        heat_maps: By number of rows and columns, those that were needed.
    """

    source: Source
    data: bytes
    original: Image
    result: Result
    notes: tuple[str, ...]
    subsampling: Subsampling
    score: Score
    heat_maps: dict[int, HeatMap] = field(default_factory=dict)

    def heat_map(self, grid: int) -> HeatMap:
        """Return the heat map float32 (grid, grid) of the result, computed once.

        Raises:
            UnreadableFailure: The scorer can't score it.
        """
        if grid not in self.heat_maps:
            try:
                self.heat_maps[grid] = self.score(self.result.image, grid)
            except UnreadableImage as error:
                raise UnreadableFailure(self.source.path, "score", error.reason) from None
        return self.heat_maps[grid]


class Reader:
    """Reads and prepares sources, and keeps the last few.

    Args:
        settings: What to do.
        maps: Gives heat maps.

    Attributes:
        settings: What to do.
        announce: Told of each source before it is touched.
        avoid: Reason by path of sources that must not be touched.
    """

    def __init__(self, settings: Settings, maps: SourceMaps) -> None:
        self.settings = settings
        self.announce: Callable[[Event], None] | None = None
        self.avoid: dict[str, str] = {}
        self._maps = maps
        self._folder = os.path.join(settings.folder, "")
        self._window: OrderedDict[tuple[str, int], Prepared | UnreadableFailure] = OrderedDict()

    def prepared(self, source: Source, copy: int) -> Prepared:
        """Return a source decoded and prepared, from the window if it is there.

        Raises:
            UnreadableFailure: It can't be used.
        """
        if self.settings.chain.mixer_at is None:
            # It has one role only. The memory of its picture is at once that of the next.
            return self._prepare(source, copy)
        key = (source.path, copy)
        found = self._window.get(key)
        if found is None:
            try:
                found = self._prepare(source, copy)
            except UnreadableFailure as error:
                found = error
            self._window[key] = found
            if len(self._window) > WINDOW:
                self._window.popitem(last=False)
        if isinstance(found, UnreadableFailure):
            raise found
        return found

    def read(self, path: str, identity: str = "") -> bytes:
        """Return the bytes of a source.

        Args:
            path: Relative to INPUT.
            identity: What it was when it was listed; not compared where empty.

        Raises:
            UnreadableFailure: It can't be read, or is another one by now.
        """
        if path in self.avoid:
            raise UnreadableFailure(path, "worker", self.avoid[path])
        if self.announce:
            self.announce(Touching(path))
        try:
            data, size, modified = read_source(self._folder + path)
        except OSError as error:
            raise UnreadableFailure(path, "read", error.strerror or str(error)) from None
        # Windows rounds the times that it lists.
        if identity and os.name != "nt" and identity != source_identity(size, modified):
            raise UnreadableFailure(path, "read", "changed during the run; run again")
        return data

    def decoded(self, data: bytes, path: str, enough: Frame | None = None) -> Decoded:
        """Return a picture, and what was simplified in it.

        Args:
            data: The bytes of its file.
            path: Relative to INPUT.
            enough: See :func:`augcli.data.codecs.decoding.decode`.

        Raises:
            UnreadableFailure: It is no picture that augcli reads.
        """
        try:
            return decode(data, max_pixels=self.settings.max_pixels, enough=enough)
        except UnreadableImage as error:
            raise UnreadableFailure(path, "decode", error.reason) from None

    def sized(self, image: Image) -> Image:
        """Return a picture as large as outputs are."""
        return resize(image, self.settings.frame) if self.settings.frame else image

    def _prepare(self, source: Source, copy: int) -> Prepared:
        path = source.path
        data = self.read(path, source.identity)
        decoded = self.decoded(data, path)
        image = self.sized(decoded.image)
        score = self._maps.score_of(path, data, image)
        try:
            result = self.settings.chain.before_mixing(image, Subject(path, copy), score)
        except UnreadableImage as error:
            raise UnreadableFailure(path, "augment", error.reason) from None
        kept = data if self.settings.originals == "copy" else b""
        return Prepared(source, kept, image, result, decoded.notes, decoded.subsampling, score)
