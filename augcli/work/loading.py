"""Loading: sources decoded, with the steps before the mixer done, each once for both roles."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.manifest import Failure
from augcli.errors import UnreadableImage, is_out_of_memory
from augcli.recipes.chain import Result
from augcli.recipes.decisions import Subject
from augcli.work.reading import SourceFailed, stage_of, without_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.data.codecs.formats import Subsampling
    from augcli.data.stores.sources import Source
    from augcli.pixels.frame import HeatMap, Image
    from augcli.recipes.chain import Chain
    from augcli.recipes.decisions import Score
    from augcli.work.reading import Reader

WINDOW = 3
"""Sources in memory where they are mixed: a base was the donor of the job before."""
SMALL_BYTES = 1 << 20
"""Bytes of decoded pictures that may be in memory, however many they are."""


@dataclass(slots=True)
class LoadedSource:
    """A source decoded, with the steps before the mixer done.

    Attributes:
        source: Which one.
        data: The bytes of its file, where the originals are copied.
        original: The decoded picture, resized where originals are encoded.
        result: After the steps before the mixer.
        notes: What decoding had to simplify.
        subsampling: Of the colours in JPEG, where outputs are to have that of the source.
        grey: Whether its file stores greys only.
        score: Returns the heat map of the original, and of what is made of it.
        heat_maps: By number of rows and columns, those that were needed.
        steps_in: Whether it gives to a job whose own donor can't be read.
    """

    source: Source
    data: bytes
    original: Image
    result: Result
    notes: tuple[str, ...]
    subsampling: Subsampling
    grey: bool
    score: Score
    heat_maps: dict[int, HeatMap] = field(default_factory=dict)
    steps_in: bool = False

    def heat_map(self, grid: int) -> HeatMap:
        """Return the heat map float32 (grid, grid) of the result, computed once.

        Raises:
            SourceFailed: The scorer can't score it.
        """
        if grid not in self.heat_maps:
            try:
                self.heat_maps[grid] = self.score(self.result.image, grid)
            except UnreadableImage as error:
                raise SourceFailed(self.source.path, "score", error.reason) from None
            except Exception as error:
                raise without_memory(self.source.path, error) from None
        return self.heat_maps[grid]


class Loader:
    """Loads sources, and keeps the last few in memory where they are mixed.

    Args:
        reader: Reads and scores them.
        chain: What is done to them.
        with_data: Whether the bytes of their files are wanted too.
        check_sides: Called with path, width and height of a picture that is to be an output of
            this size, before it is decoded. What it raises ends the loading.
    """

    def __init__(
        self,
        reader: Reader,
        chain: Chain,
        *,
        with_data: bool,
        check_sides: Callable[[Source, int, int], object],
    ) -> None:
        self._reader = reader
        self._chain = chain
        self._with_data = with_data
        self._check_sides = check_sides if chain.keeps_size else None
        self._window: OrderedDict[tuple[str, int], LoadedSource | Failure] = OrderedDict()
        self._held = 0
        self._expected: dict[tuple[int, int], LoadedSource] = {}

    def load(
        self, source: Source, copy: int, *, is_base: bool = False, is_last: bool = False
    ) -> LoadedSource:
        """Return a source decoded and led up to the mixer, from memory if it is there.

        Args:
            source: Which one.
            copy: Copy number.
            is_base: Whether the output has its size.
            is_last: Whether nobody needs it after this; see also :meth:`release`.

        Raises:
            SourceFailed: It can't be used.
        """
        if self._chain.mixer_at is None:
            # It has one role only. The memory of its picture is at once that of the next.
            return self._load(source, copy, is_base=is_base, is_spare=is_last)
        key = (source.path, copy)
        loaded = self._window.get(key)
        if loaded is None:
            loaded = self._load_or_failure(source, copy, is_base=is_base)
            if isinstance(loaded, Failure) and loaded.stage == "memory" and self._window:
                # Others in memory may have taken its place.
                self._window.clear()
                self._held = 0
                loaded = self._load_or_failure(source, copy, is_base=is_base)
            if isinstance(loaded, LoadedSource) or loaded.stage != "encode":
                # What is too large for an output can be a donor.
                self._window[key] = loaded
                self._held += _size(loaded)
            while len(self._window) > WINDOW and self._held > SMALL_BYTES:
                self._held -= _size(self._window.popitem(last=False)[1])
        if isinstance(loaded, Failure):
            raise SourceFailed(*loaded)
        return loaded

    def expect_map(self, source: Source, copy: int, grid: int) -> None:
        """Have a source scored before its heat map is asked for.

        It is scored now, or by :meth:`score_expected` where that is quicker for several together.

        Args:
            source: Which one; it is loaded.
            copy: Copy number.
            grid: Rows and columns of the map.
        """
        maps = self._reader.maps
        try:
            loaded = self.load(source, copy)
            if not maps.is_quicker_in_group(loaded.result.image):
                loaded.heat_map(grid)
            elif grid not in loaded.heat_maps:
                self._expected[grid, id(loaded)] = loaded
        except SourceFailed:
            return  # it fails again when it is to give

    def score_expected(self) -> None:
        """Score the sources whose heat maps will be asked for, all together."""
        expected, self._expected = self._expected, {}
        for grid in dict.fromkeys(grid for grid, _ in expected):
            group = [loaded for (wanted, _), loaded in expected.items() if wanted == grid]
            try:
                maps = self._reader.maps.in_group([each.result.image for each in group], grid)
            except Exception as error:
                if not (isinstance(error, UnreadableImage) or is_out_of_memory(error)):
                    raise
                continue  # scored alone, when its map is asked for, each says what is wrong
            for loaded, heat_map in zip(group, maps, strict=True):
                loaded.heat_maps[grid] = heat_map

    def release(self, loaded: LoadedSource, copy: int) -> None:
        """Forget a source: it is in its last planned role, and its picture may be changed.

        Args:
            loaded: The source.
            copy: Copy number.
        """
        forgotten = self._window.pop((loaded.source.path, copy), None)
        self._held -= _size(forgotten) if forgotten else 0
        loaded.result.is_spare = not loaded.steps_in

    def load_plain(self, source: Source, *, is_encoded: bool) -> LoadedSource:
        """Return a source decoded, without any step.

        Args:
            source: Which one.
            is_encoded: Whether the picture is written anew; it must then fit its format.

        Raises:
            SourceFailed: It can't be used.
        """
        reader, path = self._reader, source.path
        data = reader.read(source)
        decoded = reader.decoded(data, path, sides=self._sides(source) if is_encoded else None)
        try:
            image = reader.sized(decoded.image) if is_encoded else decoded.image
        except Exception as error:
            raise without_memory(path, error) from None
        return LoadedSource(
            source,
            data,
            image,
            Result(image),
            decoded.notes,
            decoded.subsampling,
            decoded.grey,
            reader.maps.score_of(path, data, image),
        )

    def _load_or_failure(
        self, source: Source, copy: int, *, is_base: bool
    ) -> LoadedSource | Failure:
        """Return a source, or why it failed: an error would hold its bytes in memory."""
        try:
            return self._load(source, copy, is_base=is_base)
        except SourceFailed as error:
            return error.failure

    def _load(
        self, source: Source, copy: int, *, is_base: bool, is_spare: bool = False
    ) -> LoadedSource:
        reader, path = self._reader, source.path
        data = reader.read(source)
        decoded = reader.decoded(data, path, sides=self._sides(source) if is_base else None)
        try:
            image = reader.sized(decoded.image)
            score = reader.maps.score_of(path, reader.scored_bytes(data), image)
            chance = self._chain.chance(Subject(path, copy), score)
            result = self._chain.lead(image, chance, is_spare=is_spare)
        except UnreadableImage as error:
            raise SourceFailed(path, stage_of(error), error.reason) from None
        except Exception as error:
            raise without_memory(path, error) from None
        return LoadedSource(
            source,
            data if self._with_data else b"",
            # The bytes that are copied keep their size.
            decoded.image if self._with_data else image,
            result,
            decoded.notes,
            decoded.subsampling,
            decoded.grey,
            score,
        )

    def _sides(self, source: Source) -> Callable[[int, int], object] | None:
        """Return what checks the size of an output, given that of its base."""
        check, frame = self._check_sides, self._reader.settings.frame
        if check is None:
            return None
        if frame:
            check(source, frame.width, frame.height)
            return None
        return lambda width, height: check(source, width, height)


def _size(loaded: LoadedSource | Failure) -> int:
    """Return the bytes of a source's pictures."""
    if isinstance(loaded, Failure):
        return 0
    result = loaded.result.image
    return result.nbytes + (0 if result is loaded.original else loaded.original.nbytes)
