"""The workbench: where a worker makes outputs, one shard at a time."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.augmentations.chain import Maps, Subject
from augcli.data.codecs import decode, encode
from augcli.data.formats import output_format
from augcli.data.manifest import Failure, Row
from augcli.data.names import output_name
from augcli.data.publish import Publisher
from augcli.data.sources import read_source
from augcli.errors import UnreadableImage
from augcli.pixels.resize import resize
from augcli.run.clock import Clock
from augcli.run.job import Settings, source_identity
from augcli.run.parts import UNFINISHED, Made, Part, commit_part
from augcli.run.reports import Failed, NeedsDonors, ShardDone, Touching
from augcli.run.soft_labels import SoftLabels, soft_labels
from augcli.run.source_maps import SourceMaps
from augcli.run.stopping import stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.augmentations.base import Mixer
    from augcli.augmentations.chain import Chain, Result, Score
    from augcli.pixels.frame import Colour, HeatMap, Image
    from augcli.run.job import Job, Source, Task
    from augcli.run.reports import Event, Scored

WINDOW = 4
"""Sources that a worker keeps: a base was the donor of the job before."""
UNMIXED = "left unmixed: no other image of its class"
"""Remark where ``--pair same`` has no donor."""


class OutOfDonors(Exception):
    """All donors of a job's list are unreadable, but the ring has more."""


class StopAsked(Exception):
    """The run is being stopped; the shard is left uncommitted."""


@dataclass(slots=True)
class Prepared:
    """A source decoded, with the steps before the mixer done.

    Attributes:
        source: Which one.
        data: The bytes of its file, where the originals are copied.
        original: The decoded picture, resized where outputs are.
        result: After the steps before the mixer.
        notes: What decoding had to simplify.
        score: Gives the heat map of the original, and of what is made of it.
        heat_maps: By number of rows and columns, those that were needed.
    """

    source: Source
    data: bytes
    original: Image
    result: Result
    notes: tuple[str, ...]
    score: Score
    heat_maps: dict[int, HeatMap] = field(default_factory=dict)


class Workbench:
    """Makes outputs, one shard at a time.

    Args:
        settings: What to do.
        publisher: Where outputs go; by default into OUT.

    Raises:
        ScorerError: A heat map is needed and the scorer can't give one.
    """

    def __init__(self, settings: Settings, publisher: Publisher | None = None) -> None:
        self.settings = settings
        self._maps = SourceMaps(settings.model, settings.grid, settings.frame, settings.keeping)
        temporary = os.path.join(settings.out, ".augcli/tmp")
        self._publisher = publisher or Publisher(settings.out, temporary, settings.fsync)
        self._window: OrderedDict[tuple[str, int], Prepared | UnreadableFailure] = OrderedDict()
        self._announce: Callable[[Event], None] = lambda _: None
        self._avoid: dict[str, str] = {}

    def close(self) -> None:
        """Close what was opened."""
        self._maps.close()

    def use(self, chain: Chain) -> None:
        """Go on with another chain: the mean colour is known by now."""
        self.settings = Settings(**{**vars(self.settings), "chain": chain})

    def mean_colours(self, paths: list[str]) -> list[Colour | str]:
        """Return the mean colour of each source, or why it can't be read."""
        from augcli.pixels.fills import mean_colour  # noqa: PLC0415

        colours: list[Colour | str] = []
        for path in paths:
            try:
                colours.append(mean_colour(self._decoded(self._read(path))[0]))
            except UnreadableFailure as error:
                colours.append(error.failure.reason)
        return colours

    def scored(self, paths: list[str]) -> list[Scored | Failure]:
        """Return what can be found out here about the heat map of each source."""
        return [self._scored(path) for path in paths]

    def _scored(self, path: str) -> Scored | Failure:
        def decoded() -> Image:
            image = self._decoded(data, path)[0]
            return resize(image, self.settings.frame) if self.settings.frame else image

        try:
            data = self._read(path)
            return self._maps.scored(data, decoded)
        except UnreadableFailure as error:
            return error.failure
        except UnreadableImage as error:
            return Failure(path, "score", error.reason)

    def make_shard(
        self,
        task: Task,
        announce: Callable[[Event], None],
        stop_asked: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make what a shard lacks and commit its part.

        Args:
            task: The shard.
            announce: Takes events as they happen, the last of them :class:`ShardDone`.
            stop_asked: Asked before each image.

        Raises:
            StopAsked: ``stop_asked`` said so; nothing was committed.
            Stopped: Nothing can be written any more.
        """
        clock = Clock(task.shard, announce)
        try:
            self._forget_obsolete(task)
            part = self.make_part(task, announce, stop_asked, clock)
            self._publisher.sync()
            commit_part(self._publisher, part)
            self._publisher.sync()
            for name in part.obsolete:
                self._publisher.remove(name)
        except OutOfDonors:
            announce(NeedsDonors(task))
            return
        except OSError as error:
            raise stopped(error, self.settings.out) from error
        outputs = len(part.made) - len(task.kept)
        lacking = tuple(dict.fromkeys(self._maps.lacking))
        self._maps.lacking.clear()
        announce(
            ShardDone(
                task.shard, clock.made, clock.failed, outputs, clock.first, clock.last, lacking
            )
        )

    def _forget_obsolete(self, task: Task) -> None:
        """Before outputs are replaced or removed, let the shard's part forget them.

        So a part never names a file that is not the one it recorded, however a run ends.
        """
        if not task.obsolete:
            return
        part = Part(task.shard, UNFINISHED, task.kept, task.failed, task.stood_in)
        part.obsolete, part.sources = task.obsolete, task.sources_before
        commit_part(self._publisher, part)
        self._publisher.sync()

    def make_part(
        self,
        task: Task,
        announce: Callable[[Event], None],
        stop_asked: Callable[[], bool] = lambda: False,
        clock: Clock | None = None,
    ) -> Part:
        """Make what a shard lacks and return its part, not yet committed."""
        self._announce = announce if task.careful else lambda _: None
        self._avoid = task.avoid
        clock = clock or Clock(task.shard, announce)
        part = Part(task.shard, task.fingerprint, list(task.kept), list(task.failed))
        part.stood_in.update(task.stood_in)
        part.sources = task.sources
        for job in task.jobs:
            if stop_asked():
                raise StopAsked
            try:
                self._make(job, task.copy, part)
                clock.tick(made=1)
            except (UnreadableFailure, MemoryError) as error:
                failure = (
                    error.failure
                    if isinstance(error, UnreadableFailure)
                    else Failure(job.base.path, "worker", "not enough memory for this image")
                )
                part.failed.append((job.identity, failure))
                announce(Failed(failure))
                clock.tick(failed=1)
        names = {one.row.file_name for one in part.made}
        part.obsolete = [name for name in task.obsolete if name not in names]
        return part

    def _make(self, job: Job, copy: int, part: Part) -> None:
        """Make the outputs of one job and add them to the part."""
        chain = self.settings.chain
        base = self._prepared(job.base, copy)
        subject = Subject(job.base.path, copy)
        mixer = chain.mixer_for(subject)
        donor = self._donor(job, copy, part, mixer) if mixer else None
        try:
            result = chain.from_mixing(
                base.result,
                donor.result if donor else None,
                subject,
                base.score,
                Maps(lambda: self._map_of(base, mixer), lambda: self._map_of(donor, mixer)),
            )
        except UnreadableImage as error:
            raise UnreadableFailure(job.base.path, "augment", error.reason) from None
        draw = json.dumps(chain.draw_of(result))
        remarks = [*base.notes, *result.remarks, *([UNMIXED] if mixer and not donor else [])]
        labels = soft_labels(job.base, donor.source if donor else None, result.donated)
        output = _Output(job, chain.name, copy, labels, draw, remarks)
        part.made.append(self._encode(output, result.image))
        if copy == 0 and self.settings.originals != "none":
            part.made.append(self._original(job, base))

    def _donor(self, job: Job, copy: int, part: Part, mixer: Mixer[Any]) -> Prepared | None:
        """Return the first donor that can be read; None where nobody may give."""
        for source in job.donors:
            if source is not job.donors[0]:
                # The first is part of the job's identity; what else mattered is noted.
                part.stood_in[source.path] = source.identity
            try:
                prepared = self._prepared(source, copy)
                if mixer.scores:
                    self._map_of(prepared, mixer)
            except UnreadableFailure:
                continue
            return prepared
        if job.more:
            raise OutOfDonors
        if job.donors:
            raise UnreadableFailure(job.base.path, "donor", "no donor can be read")
        return None

    def _prepared(self, source: Source, copy: int) -> Prepared:
        """Return a source decoded and prepared, from the window if it is there."""
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

    def _prepare(self, source: Source, copy: int) -> Prepared:
        data = self._read(source.path, source.identity)
        image, notes = self._decoded(data, source.path)
        if self.settings.frame:
            image = resize(image, self.settings.frame)
        try:
            subject = Subject(source.path, copy)
            score = self._maps.score_of(source.path, data, image)
            result = self.settings.chain.before_mixing(image, subject, score)
        except UnreadableImage as error:
            raise UnreadableFailure(source.path, "augment", error.reason) from None
        kept = data if self.settings.originals == "copy" else b""
        return Prepared(source, kept, image, result, notes, score)

    def _read(self, path: str, identity: str = "") -> bytes:
        if path in self._avoid:
            raise UnreadableFailure(path, "worker", self._avoid[path])
        self._announce(Touching(path))
        try:
            data, size, modified = read_source(os.path.join(self.settings.folder, path))
        except OSError as error:
            raise UnreadableFailure(path, "read", error.strerror or str(error)) from None
        # Windows rounds the times that it lists.
        if identity and os.name != "nt" and identity != source_identity(size, modified):
            raise UnreadableFailure(path, "read", "changed during the run; run again")
        return data

    def _decoded(self, data: bytes, path: str = "") -> tuple[Image, tuple[str, ...]]:
        try:
            decoded = decode(data, max_pixels=self.settings.max_pixels)
        except UnreadableImage as error:
            raise UnreadableFailure(path, "decode", error.reason) from None
        return decoded.image, decoded.notes

    def _map_of(self, prepared: Prepared | None, mixer: Mixer[Any] | None) -> HeatMap:
        """Return the heat map that a mixer needs of a base or donor, computed once."""
        assert prepared
        assert mixer
        grid = mixer.map_grid
        if grid not in prepared.heat_maps:
            try:
                prepared.heat_maps[grid] = prepared.score(prepared.result.image, grid)
            except UnreadableImage as error:
                raise UnreadableFailure(prepared.source.path, "score", error.reason) from None
        return prepared.heat_maps[grid]

    def _original(self, job: Job, base: Prepared) -> Made:
        output = _Output(job, "original", 0, soft_labels(job.base), "{}", [])
        if self.settings.originals == "encode":
            return self._encode(output, base.original)
        extension = _extension(job.base.path).removeprefix(".")
        return self._write(output, base.original, extension, base.data)

    def _encode(self, output: _Output, image: Image) -> Made:
        path = output.job.base.path
        kind = output_format(_extension(path), self.settings.format)
        try:
            data = encode(image, kind, quality=self.settings.quality)
        except UnreadableImage as error:
            raise UnreadableFailure(path, "encode", error.reason) from None
        return self._write(output, image, kind, data)

    def _write(self, output: _Output, image: Image, extension: str, data: bytes) -> Made:
        job = output.job
        name = output_name(job.base.path, output.method, output.copy, extension)
        try:
            self._publisher.publish(name, data)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            reason = "the path of its output is too long; give an OUT with a shorter path"
            raise UnreadableFailure(job.base.path, "encode", reason) from None
        labels = output.labels
        row = Row(
            file_name=name,
            label_a=job.base.label,
            weight_a=labels.weight_a,
            label_b=labels.label_b,
            weight_b=labels.weight_b,
            source_a=job.base.path,
            source_b=labels.source_b,
            method=output.method,
            draw=output.draw,
            width=image.shape[1],
            height=image.shape[0],
            copy=output.copy,
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return Made(job.identity, len(data), output.remarks, row)


class _Output(NamedTuple):
    """What is known of an output before it is encoded."""

    job: Job
    method: str
    copy: int
    labels: SoftLabels
    draw: str
    remarks: list[str]


def _extension(path: str) -> str:
    return os.path.splitext(path)[1].lower()


class UnreadableFailure(Exception):
    """One source can't be used: a row of errors.csv."""

    def __init__(self, path: str, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.failure = Failure(path, stage, reason)
