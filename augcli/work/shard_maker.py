"""Making a shard: its outputs in order, then the part that commits them.

A job goes through stages: its base is read, its donor is read and scored, they are mixed, the
result is encoded and written. Small pictures take each stage together, as many as
:data:`BATCH_BYTES` hold: the code of one stage then stays in the processor's caches, which takes a
third less time than one picture after the other. The bytes are the same; a job depends on no other.
"""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.codecs.encoding import copied
from augcli.data.codecs.formats import output_ending
from augcli.data.names import output_name
from augcli.data.stopping import stopped
from augcli.errors import Stopped, UnreadableImage
from augcli.plan.part import UNFINISHED, Part, Tried
from augcli.recipes.decisions import MixMaps, Subject
from augcli.work.commits import Commits
from augcli.work.events import Failed, NeedsDonors, ShardDone
from augcli.work.loading import Loader
from augcli.work.reading import SourceFailed, stage_of, without_memory
from augcli.work.shard_tally import ShardTally
from augcli.work.writing import Pending, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from augcli.augmentations.base import Mixer
    from augcli.data.sinks.sink import ShardWriter, Sink
    from augcli.data.stores.sources import Source
    from augcli.plan.jobs import Job, Task
    from augcli.plan.part import Made
    from augcli.recipes.chain import Result
    from augcli.recipes.decisions import Chance
    from augcli.work.events import Event
    from augcli.work.loading import LoadedSource
    from augcli.work.reading import AtWork, Reader
    from augcli.work.settings import MakeSettings

_JSON = json.JSONEncoder().encode
BATCH_BYTES = 256 << 10
"""Bytes of decoded pictures that take a stage together; a larger picture goes alone."""
BATCH_JOBS = 64
"""The most jobs that take a stage together."""
UNMIXED = "left unmixed: no other image of its class"
"""Remark where ``pair`` is ``same`` and there is no donor."""


def _sources_of(task: Task) -> Iterator[Source]:
    """Yield the sources that a shard reads, in order, as far as no donor fails."""
    for job in task.jobs:
        for source in (job.base, *(job.donors[:1] if job.is_augmented else ())):
            if source.path not in task.avoid:
                yield source


class OutOfDonors(Exception):
    """No donor of a job's list can be read, but the ring has more."""


class StopAsked(Exception):
    """The run is being stopped; the shard is left uncommitted."""


class _Begun(NamedTuple):
    """A job that went through its first stage.

    Attributes:
        job: Which one.
        stages: Takes it through one more stage each time.
        at: What its reader is at while it works on it.
    """

    job: Job
    stages: Iterator[int]
    at: AtWork


class ShardMaker:
    """Makes outputs, one shard at a time.

    Args:
        reader: Reads and scores sources.
        settings: What to make.
        sink: Where outputs go.
        commits: Commits the shards; by default each when it is made.

    Attributes:
        commits: The same.
    """

    def __init__(
        self,
        reader: Reader,
        settings: MakeSettings,
        sink: Sink,
        commits: Commits | None = None,
    ) -> None:
        self.commits = commits or Commits()
        self._settings = settings
        self._chain = settings.chain
        self._reader = reader
        self._writer = Writer(settings.encoding)
        self._loader = Loader(
            reader,
            self._chain,
            with_data=settings.copies_bytes,
            check_sides=self._writer.check_sides,
        )
        self._sink = sink
        self._planned: dict[str, list[str]] = {}

    def make_shard(
        self,
        task: Task,
        announce: Callable[[Event], None],
        stop_asked: Callable[[], bool] = lambda: False,
        coming: Callable[[], Task | None] = lambda: None,
    ) -> None:
        """Make what a shard still needs and commit its part, at once or while others are made.

        Args:
            task: The shard.
            announce: Takes events as they happen, the last of them :class:`ShardDone`.
            stop_asked: Asked before each image.
            coming: Gives the shard after this one, and then those after it, where they are known.

        Raises:
            StopAsked: ``stop_asked`` said so; nothing was committed.
            Stopped: Nothing can be written any more.
        """
        tally = ShardTally(task.shard, announce)

        def following() -> Iterator[Source]:
            task = coming()
            return _sources_of(task) if task else iter(())

        self._reader.expect(_sources_of(task), following)
        shard = self._sink.open(task.shard, task.file)
        try:
            with self._writing():
                if task.jobs or task.obsolete or task.file:
                    # Before outputs are replaced or removed their part forgets them: so a part
                    # never names a file that is not the one it recorded. And it names all that
                    # will be published: so however a run ends, the next one knows its files.
                    shard.begin(self._intent(task, shard).to_bytes())
                part = self.make_part(task, shard, announce, stop_asked, tally)
                part.data = shard.close()
        except OutOfDonors:
            shard.abandon()
            announce(NeedsDonors(task))
            return
        except BaseException:
            shard.abandon()
            raise
        done = ShardDone(
            task.shard,
            tally.made,
            tally.failed,
            len(part.made) - len(task.made),
            tally.first,
            tally.last,
            self._reader.maps.take_missing(),
        )
        self.commits.add(partial(self._commit, shard, part, task.plan, partial(announce, done)))

    def _commit(
        self, shard: ShardWriter, part: Part, plan: str, announce: Callable[[], None]
    ) -> None:
        """Commit a shard whose outputs are made."""
        try:
            with self._writing():
                shard.commit(part.to_bytes(plan))
                self._sink.remove(*part.obsolete)
        finally:
            shard.abandon()
        announce()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in one sentence why nothing can be written any more."""
        try:
            yield
        except OSError as error:
            raise stopped(error, self._settings.out) from error
        except MemoryError:
            raise Stopped(
                "memory ran out between two images; give fewer `workers`, then run the same "
                "command again to continue"
            ) from None

    def _intent(self, task: Task, shard: ShardWriter) -> Part:
        """Return what a shard's part says while its outputs are being made."""
        self._planned = {job.fingerprint: self._names(job, task.copy) for job in task.jobs}
        planned = shard.files(list(itertools.chain.from_iterable(self._planned.values())))
        return Part(
            task.shard,
            task.command,
            UNFINISHED,
            task.made,
            task.failed,
            task.tried,
            list(dict.fromkeys((*task.obsolete, *planned))),
            task.sources_before,
        )

    def _names_of(self, job: Job, copy: int) -> list[str]:
        """Return the names of a job's outputs, which are known where its shard was begun."""
        return self._planned.get(job.fingerprint) or self._names(job, copy)

    def _names(self, job: Job, copy: int) -> list[str]:
        """Return the names that the outputs of a job get, the original's last."""
        base, wanted = job.base, self._settings.encoding.format
        path, place = base.path, base.place
        names = []
        if job.is_augmented:
            ending: str = output_ending(place or path, wanted)
            name = output_name(path, self._chain.name, copy, ending, job.hash_bytes, place)
            names.append(name)
        if job.original != "none":
            ending = output_ending(place or path, wanted, copied=job.original == "copy")
            names.append(output_name(path, "original", copy, ending, job.hash_bytes, place))
        return names

    def make_part(
        self,
        task: Task,
        shard: ShardWriter,
        announce: Callable[[Event], None],
        stop_asked: Callable[[], bool] = lambda: False,
        tally: ShardTally | None = None,
    ) -> Part:
        """Make what a shard still needs and return its part, not yet committed."""
        self._reader.announce = announce if task.careful else None
        self._reader.avoid = task.avoid
        tally = tally or ShardTally(task.shard, announce)
        part = Part(
            task.shard,
            task.command,
            task.fingerprint,
            list(task.made),
            list(task.failed),
            dict(task.tried),
            sources=task.sources,
        )
        last_use = _last_uses(task.jobs)
        batch: list[_Begun] = []
        held = 0

        def go_on(begun: _Begun) -> int:
            """Take a job through one more stage; return the bytes of its picture, 0 at its end."""
            if stop_asked():
                raise StopAsked
            job = begun.job
            self._reader.at = begun.at
            try:
                return next(begun.stages)
            except StopIteration:
                tally.tick(made=1)
            except Exception as error:
                if stop_asked():
                    raise StopAsked from None
                # Sources that are read or scored name themselves; what is left is the base's.
                error = without_memory(job.base.path, error)
                if not isinstance(error, SourceFailed):
                    raise error from None
                failure = error.failure
                part.failed.append((job.fingerprint, failure))
                announce(Failed(failure))
                tally.tick(failed=1)
            return 0

        for index, job in enumerate(task.jobs):
            self._reader.turn_to(job.base.path)
            is_last = last_use[job.base.path] == index
            stages = self._make(job, task.copy, part, shard, is_last=is_last)
            begun = _Begun(job, stages, self._reader.at)
            size = go_on(begun)
            if size:
                batch.append(begun)
                held += size
            is_full = held >= BATCH_BYTES or len(batch) == BATCH_JOBS or task.careful
            if is_full or index + 1 == len(task.jobs):
                while batch:
                    batch = [begun for begun in batch if go_on(begun)]
                    self._loader.score_expected()
                held = 0
        self._reader.turn_to("")
        # However often the run was interrupted, its records are the same bytes.
        part.made.sort(key=lambda made: made.row.file_name)
        part.failed.sort()
        part.tried = dict(sorted(part.tried.items()))
        names = {made.row.file_name for made in part.made}
        part.obsolete = [name for name in task.obsolete if name not in names]
        return part

    def _make(
        self, job: Job, copy: int, part: Part, shard: ShardWriter, *, is_last: bool
    ) -> Iterator[int]:
        """Make the outputs of one job and add them to the part, stage by stage.

        Yields the bytes of the decoded picture after each stage.

        Args:
            job: Which one.
            copy: Copy number.
            part: Gets the records.
            shard: Takes the outputs.
            is_last: Whether no later job needs its base.
        """
        if not job.is_augmented:
            base = self._loader.load_plain(job.base, is_encoded=job.original == "encode")
            yield base.original.nbytes
            part.made.append(self._original(job, base, shard))
            return
        chain = self._chain
        is_last = is_last and job.original != "encode"
        base = self._loader.load(job.base, copy, is_base=True, is_last=is_last)
        size = base.original.nbytes
        yield size
        result, donor = base.result, None
        if chain.mixer_at is not None:
            chance = chain.chance(Subject(job.base.path, copy), base.score)
            mixer = chain.mixer(chance)
            if not self._reader.maps.are_stored:
                if mixer and mixer.scores and job.donors:
                    self._loader.expect_map(job.donors[0], copy, mixer.map_grid)
                # All jobs are at one stage at a time: a picture is changed after it has given.
                yield size
            if mixer:
                donor = self._donor(job, copy, part, mixer)
                self._reader.turn_to(job.base.path)
            yield size
            if is_last:
                self._loader.release(base, copy)
            result = self._mixed(base, donor, mixer, chance)
            yield size
        label, donor_path = job.base.label, ""
        if donor and result.donated:
            label = label.mixed(donor.source.label, *result.donated)
            donor_path = donor.source.path
        draw = _JSON(chain.record(result))
        remarks = [*base.notes, *result.remarks]
        name = shard.place(self._names_of(job, copy)[0])
        pending = Pending(job, name, chain.name, copy, label, donor_path, draw, remarks)
        grey = base.grey and (donor is None or donor.grey)
        encoded = self._writer.encode(job.base, result.image, base.subsampling, grey)
        yield size
        part.made.append(self._writer.write(shard, pending, result.image, encoded))
        if job.original != "none":
            part.made.append(self._original(job, base, shard))

    def _mixed(
        self,
        base: LoadedSource,
        donor: LoadedSource | None,
        mixer: Mixer[Any] | None,
        chance: Chance,
    ) -> Result:
        """Return what the chain makes from mixing on."""
        if mixer and donor:
            grid = mixer.map_grid
            chance.maps = MixMaps(partial(base.heat_map, grid), partial(donor.heat_map, grid))
        try:
            result = self._chain.run(base.result, donor.result if donor else None, chance)
        except UnreadableImage as error:
            raise SourceFailed(base.source.path, stage_of(error), error.reason) from None
        if mixer and not donor:
            result.remarks.append(UNMIXED)
        return result

    def _donor(self, job: Job, copy: int, part: Part, mixer: Mixer[Any]) -> LoadedSource | None:
        """Return the first donor that can be read; None where nobody may give."""
        for source in job.donors:
            try:
                loaded = self._loader.load(source, copy)
                if mixer.scores:
                    loaded.heat_map(mixer.map_grid)
            except SourceFailed as error:
                part.tried[source.path] = Tried(source.stamp, error.failure.stage)
                continue
            if source is not job.donors[0]:
                # The first is part of the job's fingerprint; what else mattered is noted.
                part.tried[source.path] = Tried(source.stamp, "")
                loaded.steps_in = True
            return loaded
        if job.more:
            raise OutOfDonors
        if job.donors:
            raise SourceFailed(job.base.path, "donor", "no donor can be read")
        return None

    def _original(self, job: Job, base: LoadedSource, shard: ShardWriter) -> Made:
        name = shard.place(self._names_of(job, 0)[-1])
        pending = Pending(job, name, "original", 0, job.base.label, "", "{}", [])
        if job.original == "encode":
            encoded = self._writer.encode(job.base, base.original, base.subsampling, base.grey)
        else:
            encoded = copied(job.base.place or job.base.path, base.data)
        return self._writer.write(shard, pending, base.original, encoded)


def _last_uses(jobs: Sequence[Job]) -> dict[str, int]:
    """Return the index of the last job that needs a source, by its path.

    Donors that step in for others are not among them, see :class:`LoadedSource`.
    """
    last = {}
    for index, job in enumerate(jobs):
        last[job.base.path] = index
        if job.donors:
            last[job.donors[0].path] = index
    return last
