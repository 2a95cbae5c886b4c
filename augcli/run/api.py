"""A run from sources to manifest: what the command line and Python both call."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import augcli
from augcli.augmentations.chain import Chain
from augcli.data.labels import apply_labels
from augcli.data.manifest import MANIFEST, Failure
from augcli.data.sources import list_sources
from augcli.errors import InputError, OutputError
from augcli.params import build
from augcli.rng import digest
from augcli.run.events import Error, Notice, Progress, Started, Summary, ignore
from augcli.run.finish import finish, remove_left_over
from augcli.run.identity import difference, identity
from augcli.run.job import Failed, Settings, ShardDone, Tally
from augcli.run.mean_colour import mean_colour
from augcli.run.options import RunOptions, usable_cores
from augcli.run.output import Output
from augcli.run.plan import shards_for
from augcli.run.pool import InThisProcess, Pool, Processes
from augcli.run.recipe import Recipe
from augcli.run.tasks import Planner

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation
    from augcli.data.sources import Sources
    from augcli.run.events import Listener

__all__ = ["Summary", "augment"]

PACKAGES = ["numpy", "pillow", "opencv-python-headless", "opencv-python", "onnxruntime"]
"""Their versions are written into run.json."""


def augment(
    folder: str | os.PathLike[str],
    augmentation: Augmentation[Any] | Recipe,
    *,
    listener: Listener = ignore,
    **options: Any,
) -> Summary:
    """Augment a folder of images: the run that the command line makes.

    Args:
        folder: INPUT: one folder for each class.
        augmentation: The method with its options, such as ``AttentiveCutMix(top_n=6)``, or a
            recipe.
        listener: Called with each message of the run.
        **options: The options that all commands share, such as ``out="mixed"``, ``seed=1`` or
            ``workers=4``; see :class:`augcli.run.options.RunOptions`.

    Returns:
        What was made. ``summary.failed`` counts the rows of errors.csv.

    Raises:
        UsageError: A wrong option or wrong input; nothing was written.
        Stopped: The disk is full, OUT is gone, …; the same call again goes on.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     summary = augcli.augment(
        ...         "sample_images", augcli.Cutout(patch=0.4), out=folder, workers=0
        ...     )
        >>> summary.images, summary.failed
        (16, 0)
    """
    if isinstance(augmentation, Recipe):
        recipe = augmentation
    else:
        recipe = Recipe.of(augmentation, options.get("prob", 1.0))
    chosen = build(RunOptions, {**recipe.run, **options}, "the options of a run")
    return prepare(Path(folder), recipe, chosen).make(listener)


@dataclass(slots=True)
class Run:
    """A run, checked and ready to be made.

    Attributes:
        sources: What is read.
        chain: What is done.
        options: How.
        output: Where to.
        identity: What the outputs depend on.
    """

    sources: Sources
    chain: Chain
    options: RunOptions
    output: Output
    identity: dict[str, Any]

    @property
    def workers(self) -> int:
        """How many worker processes."""
        return usable_cores() if self.options.workers is None else self.options.workers

    @property
    def settings(self) -> Settings:
        """What the workers need to know."""
        scoring = [one for one in self.chain.augmentations if one.scores]
        return Settings(
            folder=self.sources.folder,
            out=self.output.path,
            chain=self.chain,
            frame=self.options.frame,
            format=self.options.format,
            quality=self.options.quality,
            originals=self.options.originals,
            max_pixels=self.options.max_pixels,
            model=self.options.model,
            grid=max((one.map_grid for one in scoring), default=0),
        )

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
        )

    def make(self, listener: Listener = ignore) -> Summary:
        """Make what is not there yet.

        Raises:
            OutputError: OUT belongs to another command, or is in use.
            ScorerError: The scorer can't be used.
            Stopped: The disk is full, OUT is gone, …
        """
        begun = time.time()
        before = self.output.record() if self.output.exists else {}
        record = self._own(before)
        self._announce(listener)
        pool: Pool | None = None
        try:
            if not record:
                # Before anything is written or removed: a bad scorer changes nothing in OUT.
                pool = self._pool()
                record = self._new_record(pool)
                self.output.open()
                self._start_over(before)
            else:
                self.output.open()
            settings = self.settings
            if record["mean_colour"]:
                settings = _with_mean_colour(settings, record["mean_colour"])
            planner = self.planner(record["shards"], settings)
            return self._work(planner, settings, pool, record, begun, listener)
        finally:
            if pool:
                pool.close()
            self.output.close()

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
        if self.workers == 0:
            return InThisProcess(self.settings)
        return Processes(self.settings, min(self.workers, len(self.sources)))

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
        tasks = planner.tasks()
        first = next(tasks, None)
        count = _Count(planner, begun, listener)
        if first is None and record["state"] == "complete":
            listener(Notice("nothing to do: everything is there already"))
        if first is not None:
            self.output.write_record({**record, "state": "running", **self._machine()})
            pool = pool or self._pool()
            pool.use(settings.chain)

            def rest() -> Any:
                yield first
                yield from tasks

            try:
                for event in pool.work(rest(), planner.widen):
                    count.take(event)
            finally:
                pool.close()
        shards = list(planner.shards())
        remove_left_over(self.output, set(shards))
        # An empty folder would be a class without images to those who read OUT by folders.
        self.output.remove_empty(planner.vacated)
        refused = [Failure(path, "list", reason) for path, reason in self.sources.refused]
        command = f"augcli {self.chain.name}"
        totals = finish(self.output, shards, refused, self.sources.classes, command)
        if planner.repaired:
            listener(Notice(f"{planner.repaired} outputs were missing or damaged and made again"))
        seconds = time.time() - begun
        summary = Summary(
            self.chain.name,
            self.output.path,
            os.path.join(self.output.path, MANIFEST),
            totals.images,
            count.new,
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
                    **self._machine(),
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
        listener(summary)
        return summary

    def _machine(self) -> dict[str, Any]:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        versions = {"python": platform.python_version()}
        for package in PACKAGES:
            try:
                versions[package] = version(package)
            except PackageNotFoundError:
                continue
        return {"versions": versions, "platform": platform.platform()}


class _Count:
    """Counts events and tells of progress."""

    def __init__(self, planner: Planner, begun: float, listener: Listener) -> None:
        self.new = 0
        self._planner = planner
        self._begun = begun
        self._listener = listener
        self._open: dict[str, Tally] = {}
        self._failed = 0
        self._told: set[Failure] = set()
        self._first = self._last = 0.0

    @property
    def rate(self) -> float:
        """New outputs a second, between the first and the last."""
        spent = self._last - self._first
        return (self.new - 1) / spent if spent > 0 and self.new > 1 else 0.0

    def take(self, event: Any) -> None:
        """Take one event of a worker."""
        match event:
            case Tally():
                self._open[event.shard] = event
            case Failed(failure):
                if failure not in self._told:
                    self._told.add(failure)
                    self._listener(Error(*failure))
                return
            case ShardDone():
                self._open.pop(event.shard, None)
                self.new += event.made
                self._failed += event.failed
                if event.made:
                    self._first = min(self._first or event.first_made, event.first_made)
                    self._last = max(self._last, event.last_made)
        self._tell()

    def _tell(self) -> None:
        made = self.new + sum(tally.made for tally in self._open.values())
        failed = self._failed + sum(tally.failed for tally in self._open.values())
        done = self._planner.already_done
        self._listener(
            Progress(made + done, failed, self._planner.jobs, time.time() - self._begun, made)
        )


def _with_mean_colour(settings: Settings, colour: list[int]) -> Settings:
    red, green, blue = colour
    chain = settings.chain.with_mean_colour((red, green, blue))
    return Settings(**{**vars(settings), "chain": chain})


def prepare(folder: Path, recipe: Recipe, options: RunOptions) -> Run:
    """Check everything that can be checked without opening an image.

    Args:
        folder: INPUT.
        recipe: What to do; its ``run`` table is in ``options`` already.
        options: How.

    Raises:
        UsageError: A wrong option or wrong input.
    """
    chain = Chain(recipe.name, recipe.steps, options.seed, options.copies, recipe.survival)
    out = options.out or default_out(folder, chain.name)
    sources = list_sources(folder, out=out, follow_links=options.follow_links)
    if options.labels:
        apply_labels(sources, options.labels)
    if options.limit and options.limit < len(sources):
        sources = sources.select(_sample(sources.paths, options.seed, "limit", options.limit))
    _check_labels(chain, sources, options)
    if os.path.realpath(out) == sources.folder:
        raise OutputError(f"OUT {out} is INPUT itself; give another folder with --out")
    return Run(sources, chain, options, Output(out), identity(chain, sources, options))


def default_out(folder: Path, command: str) -> Path:
    """Return ``<INPUT>-<command>`` beside INPUT."""
    whole = Path(os.path.abspath(folder))
    return whole.with_name(f"{whole.name or 'augcli'}-{command}")


def _sample(paths: list[str], seed: int, purpose: str, count: int) -> list[int]:
    """Return the indices of ``count`` sources chosen by a hash, ascending."""
    ranked = sorted(range(len(paths)), key=lambda index: digest(seed, purpose, paths[index]))
    return sorted(ranked[:count])


def _check_labels(chain: Chain, sources: Sources, options: RunOptions) -> None:
    if chain.mixer_at is None:
        return
    for index, number in enumerate(sources.class_of):
        if number < 0:
            raise InputError(
                f"{chain.name} mixes labels, but {sources.paths[index]!r} has none: put the "
                "images of each class into a folder of its own, or give --labels table.csv "
                "with the columns file_name,label"
            )
    if len(sources) == 1:
        raise InputError(
            f"{chain.name} mixes two images, but INPUT holds only one: {sources.paths[0]!r}"
        )
    if options.pair == "different" and len(set(sources.class_of)) == 1:
        raise InputError(
            "--pair different needs images of two classes, but all are of "
            f"{sources.label(0)!r}; use --pair any"
        )
