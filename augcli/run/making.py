"""Making a data set: from the plan over the workers to the manifest."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import augcli
from augcli.data.manifest import MANIFEST, Failure
from augcli.data.stopping import DiskFull, disk_full, writing
from augcli.errors import OutputError
from augcli.plan.fingerprint import difference
from augcli.plan.jobs import MapStorage, Settings
from augcli.plan.output import MAPS
from augcli.plan.planner import Planner
from augcli.plan.ring import shards_for
from augcli.rng import digest
from augcli.run.count import Count
from augcli.run.finish import finish, remove_left_over
from augcli.run.machine import machine, usable_cores
from augcli.run.mean_colour import mean_colour
from augcli.run.messages import Error, Notice, Started, Summary, ignore
from augcli.run.scoring import (
    largest_grid,
    score_first,
    scorer_on_gpu,
    scores_sources,
    told_of_scoring,
)
from augcli.work.pool import InThisProcess, Pool, Processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from augcli.attention.scorer import Scorer
    from augcli.data.stores.folder import Sources
    from augcli.plan.output import Output
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions
    from augcli.run.messages import Listener


TABLE_BYTES = 600
"""Of an output's row and its line in a part."""


@dataclass(slots=True)
class Run:
    """A run, checked and ready to be made.

    Attributes:
        sources: What is read.
        chain: What is done.
        options: How.
        output: Where to.
        identity: What the outputs depend on.
        heatmaps: A file of heat maps that the run can use, checked.
        gpu: Scores the sources; None where the workers do, on the processor.
    """

    sources: Sources
    chain: Chain
    options: RunOptions
    output: Output
    identity: dict[str, Any]
    heatmaps: Path | None = None
    gpu: Scorer | None = None

    @property
    def workers(self) -> int:
        """How many worker processes."""
        return usable_cores() if self.options.workers is None else self.options.workers

    @property
    def settings(self) -> Settings:
        """What the workers need to know."""
        return Settings(
            folder=self.sources.folder,
            out=self.output.path,
            chain=self.chain,
            frame=self.options.frame,
            format=self.options.format,
            quality=self.options.quality,
            subsampling=self.options.subsampling,
            png_level=self.options.png_level,
            originals=self.options.originals,
            max_pixels=self.options.max_pixels,
            model=self.options.model,
            fsync=self.options.fsync,
            grid=largest_grid(self.chain),
            keeping=MapStorage(self.heatmaps),
        )

    @property
    def keeping(self) -> MapStorage:
        """Where the workers keep heat maps: a table, where one may be wanted again."""
        again = self.options.copies > 1 and scores_sources(self.chain)
        table = os.path.join(self.output.path, MAPS, "maps") if again or self.gpu else ""
        kept = self.gpu.map_spec if self.gpu else None
        return MapStorage(self.heatmaps, table, len(self.sources), kept)

    def planner(self, shard_count: int, settings: Settings) -> Planner:
        """Return the plan."""
        # Where INPUT lies changes no output; with the mean colour all options are known.
        of_the_result = {name: one for name, one in self.identity.items() if name != "input"}
        fills = [getattr(one, "fill", None) for one in settings.chain.augmentations]
        return Planner(
            self.sources,
            settings,
            digest(repr(sorted(of_the_result.items())), repr(fills)).hex(),
            self.options.copies,
            self.options.pair,
            shard_count,
            self.output,
            retry_failed=self.options.retry_failed,
        )

    def make(self, listener: Listener = ignore) -> Summary:
        """Make what is not there yet.

        Raises:
            OutputError: OUT belongs to another command, or is in use.
            ScorerError: The scorer can't be used.
            Stopped: The disk is full, OUT is gone, …
        """
        begun = time.time()
        with writing(self.output.path):
            return self._make(begun, listener)

    def _make(self, begun: float, listener: Listener) -> Summary:
        before = self.output.record() if self.output.exists else {}
        record = self._own(before)
        self.gpu = scorer_on_gpu(self.options, self.chain)
        self._announce(listener)
        pool: Pool | None = None
        try:
            if not record:
                # Before anything is written or removed: a bad scorer changes nothing in OUT.
                pool = self._pool()
                record = self._new_record(pool)
                self._open()
                self._start_over(before)
            else:
                self._open()
            settings = self.settings
            if record["mean_colour"]:
                settings = _with_mean_colour(settings, record["mean_colour"])
            planner = self.planner(record["shards"], settings)
            planner.was_complete = record["state"] == "complete"
            try:
                return self._work(planner, settings, pool, record, begun, listener)
            except DiskFull:
                raise disk_full(self._space_needed(planner)) from None
            finally:
                for text in changes(planner, record):
                    listener(Notice(text))
        finally:
            if pool:
                pool.close()
            self.output.close()

    def _open(self) -> None:
        try:
            self.output.open()
        except DiskFull:
            raise disk_full(sum(self.sources.sizes) * self.options.copies) from None

    def _space_needed(self, planner: Planner) -> int:
        """Return about how many bytes are still to be written."""
        made = size = 0
        for shard in self.output.part_names():
            part = self.output.part(shard)
            made += len({one.job for one in part.made}) if part else 0
            size += sum(one.size for one in part.made) if part else 0
        # Where nothing is made yet: as large as the sources.
        each = size / made if made else sum(self.sources.sizes) / len(self.sources)
        return int(max(0, planner.jobs - made) * each) + TABLE_BYTES * planner.jobs

    def _announce(self, listener: Listener) -> None:
        listener(
            Started(
                self.chain.name,
                self.sources.folder,
                self.output.path,
                len(self.sources),
                len(self.sources.classes),
                len(self.sources) * self.options.copies,
                self.workers,
            )
        )
        for what, count in self.sources.passed_over.items():
            listener(Notice(f"passed over: {count} {what}"))
        for path, reason in self.sources.refused:
            listener(Error(path, "list", reason))
        for text in told_of_scoring(self.options, self.chain, self.heatmaps, self.gpu):
            listener(Notice(text))

    def _own(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record of OUT where this command made it, empty where it is to be new."""
        if not record:
            return {}
        told = difference(record.get("identity", {}), self.identity)
        if not told:
            return record
        if not self.options.overwrite:
            raise OutputError(
                f"OUT {self.output.folder} was made by another command: {told}; "
                "give another folder with --out, or --overwrite to start over"
            )
        return {}

    def _start_over(self, before: dict[str, Any]) -> None:
        """Clear what another command made; the lock is held by now."""
        if self.output.record() != before:
            raise OutputError(
                f"OUT {self.output.folder} was written by another run of augcli meanwhile; "
                "look at it and run again"
            )
        if before:
            self.output.clear()

    def _pool(self) -> Pool:
        settings = Settings(**{**vars(self.settings), "keeping": self.keeping})
        if self.workers == 0:
            return InThisProcess(settings)
        return Processes(settings, min(self.workers, len(self.sources)))

    def _new_record(self, pool: Pool) -> dict[str, Any]:
        """Return the first run.json: what is estimated from the sources stays as it is."""
        colour = None
        if self.chain.needs_mean_colour:
            colour = mean_colour(self.sources, self.options.seed, pool)
        return {
            "augcli": augcli.__version__,
            "state": "running",
            "identity": self.identity,
            "shards": shards_for(len(self.sources)),
            "mean_colour": colour,
        }

    def _work(
        self,
        planner: Planner,
        settings: Settings,
        pool: Pool | None,
        record: dict[str, Any],
        begun: float,
        listener: Listener,
    ) -> Summary:
        """Do every task that there is, then merge the parts."""
        record = {**record, "jobs": planner.jobs}
        tasks = planner.tasks()
        first = next(tasks, None)
        count = Count(planner, begun, listener, self.options.most_failures)
        if first is None and record["state"] == "complete":
            listener(Notice("nothing to do: everything is there already"))
        if first is not None:
            self.output.write_record({**record, "state": "running", **self._made_by()})
            pool = pool or self._pool()
            pool.use(settings.chain)
            if self.gpu:
                # So that no worker needs to score a source.
                with writing(self.output.path):
                    score_first(pool, self.sources.paths, self.gpu, self.keeping, listener)

            def rest() -> Any:
                yield first
                yield from tasks

            try:
                for event in pool.work(rest(), planner.widen):
                    count.take(event)
            finally:
                pool.close()
        if count.lacking:
            listener(
                Notice(
                    f"{len(count.lacking):,} images are not in {self.heatmaps}, or changed since "
                    "it was made: they were scored"
                )
            )
        shards = planner.seen
        planner.changes["vanished"] += remove_left_over(self.output, set(shards))
        # An empty folder would be a class without images to those who read OUT by folders.
        self.output.remove_empty(planner.vacated)
        refused = [Failure(path, "list", reason) for path, reason in self.sources.refused]
        command = f"augcli {self.chain.name}"
        totals = finish(self.output, shards, refused, self.sources.classes, command)
        if planner.repaired:
            listener(Notice(f"made again, missing or damaged: {planner.repaired} outputs"))
        seconds = time.time() - begun
        summary = Summary(
            self.chain.name,
            self.output.path,
            os.path.join(self.output.path, MANIFEST),
            totals.images,
            count.outputs,
            len(totals.failures),
            len(totals.classes),
            totals.mean_weight,
            round(seconds, 3),
            round(count.rate, 1),
            dict(sorted(totals.remarks.items())),
        )
        if first is not None or record["state"] != "complete":
            self.output.write_record(
                {
                    **record,
                    "state": "complete",
                    **self._made_by(),
                    "counts": {
                        "images": summary.images,
                        "failed": summary.failed,
                        "classes": summary.classes,
                        "mean_weight": summary.mean_weight,
                        "remarks": summary.remarks,
                    },
                    "timings": {
                        "seconds": summary.seconds,
                        "new_images": summary.new,
                        "images_per_second": summary.images_per_second,
                        "workers": self.workers,
                    },
                }
            )
        self.output.forget_maps()
        listener(summary)
        return summary

    def _made_by(self) -> dict[str, Any]:
        """Return versions, platform and what really scores, for run.json."""
        device = self.gpu.device if self.gpu else "cpu"
        return {**machine(), "device": device if largest_grid(self.chain) else None}


def changes(planner: Planner, record: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as the run before left it."""
    what = [f"{count:,} {word}" for word, count in sorted(planner.changes.items()) if count]
    if what:
        yield f"sources since the run before: {', '.join(what)}; what they change is made again"
    if planner.damaged:
        yield f"parts that were damaged and are made again: {planner.damaged:,}"
    before, now = record.get("versions"), machine()["versions"]
    if isinstance(before, dict) and planner.seen and planner.already_done < planner.jobs:
        others = [f"{one} was {before.get(one)} and is {now[one]}" for one in now]
        told = ", ".join(
            text for one, text in zip(now, others, strict=True) if before.get(one) != now[one]
        )
        if told:
            yield f"{told}: outputs made now may differ in their bytes from those made before"


def _with_mean_colour(settings: Settings, colour: list[int]) -> Settings:
    red, green, blue = colour
    chain = settings.chain.with_mean_colour((red, green, blue))
    return Settings(**{**vars(settings), "chain": chain})
