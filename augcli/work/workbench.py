"""The workbench: where a worker makes outputs, one shard at a time."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from augcli.data.codecs.formats import output_ending
from augcli.data.manifest import Failure
from augcli.data.stopping import stopped
from augcli.errors import UnreadableImage
from augcli.files import Publisher
from augcli.plan.jobs import Settings
from augcli.plan.parts import UNFINISHED, Part, commit_part
from augcli.recipes.chain import Maps, Subject
from augcli.work.events import Failed, NeedsDonors, ShardDone
from augcli.work.reading import Reader, UnreadableFailure
from augcli.work.shard_tally import ShardTally
from augcli.work.soft_labels import soft_labels
from augcli.work.source_maps import SourceMaps
from augcli.work.writing import Output, Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.augmentations.base import Mixer
    from augcli.pixels.frame import Colour, Frame, HeatMap, Image
    from augcli.plan.jobs import Job, Task
    from augcli.plan.parts import Made
    from augcli.recipes.chain import Chain, Result
    from augcli.work.events import Event, Scored
    from augcli.work.reading import Prepared

_JSON = json.JSONEncoder().encode
UNMIXED = "left unmixed: no other image of its class"
"""Remark where ``--pair same`` has no donor."""


class OutOfDonors(Exception):
    """All donors of a job's list are unreadable, but the ring has more."""


class StopAsked(Exception):
    """The run is being stopped; the shard is left uncommitted."""


class Workbench:
    """Makes outputs, one shard at a time.

    Args:
        settings: What to do.
        publisher: Where outputs go; by default into OUT.

    Raises:
        ScorerError: A heat map is needed and the scorer can't give one.
    """

    def __init__(self, settings: Settings, publisher: Publisher | None = None) -> None:
        self._originals = settings.originals
        self._out = settings.out
        self._maps = SourceMaps(settings.model, settings.grid, settings.frame, settings.keeping)
        temporary = os.path.join(settings.out, ".augcli/tmp")
        self._publisher = publisher or Publisher(settings.out, temporary, settings.fsync)
        self._reader = Reader(settings, self._maps)
        self._writer = Writer(settings, self._publisher)

    def close(self) -> None:
        """Close what was opened."""
        self._maps.close()

    @property
    def _chain(self) -> Chain:
        return self._reader.settings.chain

    def use(self, chain: Chain) -> None:
        """Go on with another chain: the mean colour is known by now."""
        self._reader.settings = Settings(**{**vars(self._reader.settings), "chain": chain})

    def mean_colours(self, paths: list[str]) -> list[Colour | str]:
        """Return the mean colour of each source, or why it can't be read."""
        from augcli.pixels.fills import mean_colour  # noqa: PLC0415

        colours: list[Colour | str] = []
        for path in paths:
            try:
                data = self._reader.read(path)
                colours.append(mean_colour(self._reader.decoded(data, path).image))
            except UnreadableFailure as error:
                colours.append(error.failure.reason)
        return colours

    def scored(self, paths: list[str]) -> list[Scored | Failure]:
        """Return what can be found out here about the heat map of each source."""
        return [self._scored(path) for path in paths]

    def _scored(self, path: str) -> Scored | Failure:
        def picture(enough: Frame) -> Image:
            # Outputs of a fixed size are resized from the whole picture.
            whole = self._reader.settings.frame is not None
            decoded = self._reader.decoded(data, path, None if whole else enough)
            return self._reader.sized(decoded.image)

        try:
            data = self._reader.read(path)
            return self._maps.scored(data, picture)
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
        clock = ShardTally(task.shard, announce)
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
            raise stopped(error, self._out) from error
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
        clock: ShardTally | None = None,
    ) -> Part:
        """Make what a shard lacks and return its part, not yet committed."""
        self._reader.announce = announce if task.careful else None
        self._reader.avoid = task.avoid
        clock = clock or ShardTally(task.shard, announce)
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
        chain = self._chain
        base = self._reader.prepared(job.base, copy)
        result, donor = base.result, None
        if chain.mixer_at is not None:
            result, donor = self._mixed(base, job, copy, part)
        labels = soft_labels(job.base, donor.source if donor else None, result.donated)
        remarks = [*base.notes, *result.remarks]
        output = Output(job, chain.name, copy, labels, _JSON(chain.draw_of(result)), remarks)
        part.made.append(self._writer.encoded(output, result.image, base.subsampling))
        if copy == 0 and self._originals != "none":
            part.made.append(self._original(job, base))

    def _mixed(
        self, base: Prepared, job: Job, copy: int, part: Part
    ) -> tuple[Result, Prepared | None]:
        """Return what the chain makes from mixing on, and the donor if one gave."""
        subject = Subject(job.base.path, copy)
        mixer = self._chain.mixer_for(subject)
        donor = self._donor(job, copy, part, mixer) if mixer else None

        def map_of(one: Prepared | None) -> HeatMap:
            assert one
            assert mixer
            return one.heat_map(mixer.map_grid)

        maps = Maps(lambda: map_of(base), lambda: map_of(donor))
        given = donor.result if donor else None
        try:
            result = self._chain.from_mixing(base.result, given, subject, base.score, maps)
        except UnreadableImage as error:
            raise UnreadableFailure(job.base.path, "augment", error.reason) from None
        if mixer and not donor:
            result.remarks.append(UNMIXED)
        return result, donor

    def _donor(self, job: Job, copy: int, part: Part, mixer: Mixer[Any]) -> Prepared | None:
        """Return the first donor that can be read; None where nobody may give."""
        for source in job.donors:
            if source is not job.donors[0]:
                # The first is part of the job's identity; what else mattered is noted.
                part.stood_in[source.path] = source.identity
            try:
                prepared = self._reader.prepared(source, copy)
                if mixer.scores:
                    prepared.heat_map(mixer.map_grid)
            except UnreadableFailure:
                continue
            return prepared
        if job.more:
            raise OutOfDonors
        if job.donors:
            raise UnreadableFailure(job.base.path, "donor", "no donor can be read")
        return None

    def _original(self, job: Job, base: Prepared) -> Made:
        output = Output(job, "original", 0, soft_labels(job.base), "{}", [])
        if self._originals == "encode":
            return self._writer.encoded(output, base.original, base.subsampling)
        extension = output_ending(job.base.path, "same", copied=True)
        return self._writer.written(output, base.original, extension, base.data)
