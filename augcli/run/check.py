"""A run whose options and input are checked, without opening an image."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.attention.device import AUTO, CPU
from augcli.attention.model_file import local_scorer
from augcli.data.codecs.choices import background_colour, given_white_level
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.manifest_formats.columns import MOST_CLASSES, Columns
from augcli.data.manifest_formats.formats import FORMATS
from augcli.data.manifest_formats.parquet_manifest import check_pyarrow
from augcli.data.output import MAPS, OutputFolder
from augcli.data.sinks.opening import container_ending, is_whole, open_sink
from augcli.data.sinks.sink import DataSet
from augcli.data.stopping import carry_on
from augcli.data.stores.opening import is_table
from augcli.data.stores.path_list import STANDARD_INPUT
from augcli.data.stores.tars.shards import without_pattern
from augcli.errors import InputError, UsageError
from augcli.files import Url, is_bucket, real_place
from augcli.plan.backlog import Backlog
from augcli.plan.containers import containers_for
from augcli.plan.fingerprint import command_hash, identity
from augcli.plan.parts import Parts
from augcli.plan.plan import ORIGINALS, Plan, Wanted
from augcli.plan.ring import sample
from augcli.recipes.chain import Chain
from augcli.recipes.options import seconds_of
from augcli.rng import digest
from augcli.run.amounts import as_they_are, wanted_of
from augcli.run.encoding import check_arrays, encoding_of
from augcli.run.inputs import input_store, list_input, order_classes, read_ahead_for
from augcli.run.machine import usable_cores
from augcli.run.places import check_places
from augcli.run.scoring import largest_grid, scores_sources, usable_maps
from augcli.run.splitting.split_record import refuse_unfinished
from augcli.work.pool import InThisProcess
from augcli.work.processes import Processes
from augcli.work.settings import MakeSettings, MapStorage, ReadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from augcli.attention.scorer import Scorer
    from augcli.data.manifest_formats.columns import SoftLabel
    from augcli.data.manifest_formats.formats import ManifestFormat
    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources, Store
    from augcli.files import Place
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.work.pool import Pool


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose options and input are checked.

    Attributes:
        store: Where sources come from.
        sources: What is read.
        chain: What is done; without the mean colour.
        options: How.
        output: Where to.
        identity: What the outputs depend on.
        heatmaps: A file of heat maps that the run can use, checked.
        wanted: What is to be made of each source.
        folders: Those of INPUT that hold sources, `limit` or not.
        white_level: Level of 16-bit images that becomes 255; None until it is estimated.
        container_of: Gives the container of a source, where neighbours are to lie in one.
        checkpoint: Called between two images; what it raises ends the run.
    """

    store: Store
    sources: Sources
    chain: Chain
    options: RunOptions
    output: OutputFolder
    identity: dict[str, Any]
    wanted: Wanted
    folders: frozenset[str] = frozenset()
    heatmaps: Path | None = None
    white_level: int | None = None
    container_of: Callable[[str], str] | None = None
    checkpoint: Checkpoint = carry_on

    @property
    def workers(self) -> int:
        """How many worker processes; 0 for none."""
        wanted = usable_cores() if self.options.workers is None else self.options.workers
        return min(wanted, len(self.sources))

    @property
    def columns(self) -> Columns:
        """The columns of a row as sinks have them."""
        sources = self.sources
        return Columns(
            "json" if sources.are_soft else "pair",
            bool(sources.splits),
            any(sources.groups),
            self.in_containers,
        )

    @property
    def manifest(self) -> ManifestFormat:
        """The format of the manifest."""
        return FORMATS[self.options.manifest]

    @property
    def soft_label(self) -> SoftLabel:
        """How labels stand in the manifest: two classes hold no soft label of a source."""
        wanted = self.options.soft_label
        return "json" if wanted == "pair" and self.sources.are_soft else wanted

    def manifest_columns(self, classes: Sequence[str]) -> Columns:
        """Return the columns of the manifest.

        Args:
            classes: Those of classes.txt.
        """
        return self.columns._replace(soft_label=self.soft_label, classes=tuple(classes))

    @property
    def in_containers(self) -> bool:
        """Whether the outputs of a shard lie in one file."""
        return container_ending(self.options.to) != ""

    @property
    def index_name(self) -> str:
        """The file that says what all containers hold; empty where there is none."""
        return open_sink(self.options.to, self.output.files).index_name

    @property
    def given_classes(self) -> list[str]:
        """The classes in the order that a person gave; empty without any."""
        return self.sources.classes if self.options.classes else []

    @property
    def refused(self) -> str:
        """Hash of the files that were refused when they were listed; empty without any."""
        refused = [part for pair in sorted(self.sources.refused) for part in pair]
        return digest(*refused).hex() if refused else ""

    def storage(self, gpu: Scorer | None = None) -> MapStorage:
        """Return where heat maps are stored: a table, where a map may be wanted again."""
        # Nodes have no table in common that would be quicker than to score again.
        is_near = self.options.engine == "processes"
        again = is_near and self.wanted.most_copies > 1 and scores_sources(self.chain)
        table = os.path.join(self.output.files.local(MAPS), "maps") if again or gpu else ""
        spec = gpu.map_spec if gpu else None
        return MapStorage(self.heatmaps, table, len(self.sources), spec)

    def read_settings(self, storage: MapStorage) -> ReadSettings:
        """Return how workers read and score sources."""
        return ReadSettings(
            store=self.store,
            max_pixels=self.options.max_pixels,
            max_bytes=self.options.max_bytes,
            frame=self.options.frame,
            white_level=self.white_level or FULL_WHITE,
            background=background_colour(self.options.background),
            model=local_scorer(self.options.model),
            grid=largest_grid(self.chain),
            storage=storage,
            timeout=seconds_of(self.options.timeout),
            read_ahead=read_ahead_for(self.sources),
        )

    def make_settings(self, chain: Chain, out_identity: tuple[int, int]) -> MakeSettings:
        """Return what workers make; the chain has the mean colour.

        Args:
            chain: What is done.
            out_identity: Device and inode of OUT.
        """
        options = self.options
        return MakeSettings(
            out=self.output.path,
            out_identity=out_identity,
            fsync=options.fsync,
            chain=chain,
            encoding=encoding_of(options),
            copies_bytes=bool((self.wanted.originals == ORIGINALS.index("copy")).any()),
            to=options.to,
            data_set=DataSet(tuple(self.sources.classes), self.sources.are_many, self.columns),
        )

    def pool(self, storage: MapStorage) -> Pool:
        """Start what answers questions about sources and makes shards."""
        settings = self.read_settings(storage)
        options = self.options
        if options.engine == "ray":
            from augcli.work.ray_pool import RayOptions, RayPool  # noqa: PLC0415 - an extra

            nodes = RayOptions(
                options.address,
                options.task_cpus,
                options.gpus_of_task,
                options.device,
                options.workers,
            )
            return RayPool(settings, nodes, self.checkpoint)
        if not self.workers:
            return InThisProcess(settings, self.checkpoint)
        return Processes(settings, self.workers, self.checkpoint)

    def plan(self, chain: Chain, shard_count: int) -> Plan:
        """Return all jobs; the chain has the mean colour, the run the white level.

        Args:
            chain: What is done.
            shard_count: Into how many shards each copy is cut, where each output is a file.
        """
        containers = None
        if ending := container_ending(self.options.to):
            size = self.options.shard_bytes
            whole = is_whole(self.options.to)
            containers = containers_for(self.sources, self.wanted, ending, size, is_whole=whole)
        return Plan(
            self.sources,
            chain.seed,
            self.wanted,
            self.options.pair,
            chain.mixer_at is not None,
            shard_count,
            command_hash({**self.identity, "white_level": self.white_level}, chain),
            self.container_of,
            containers,
        )

    def parts(self) -> Parts:
        """Return the records of what is done."""
        return Parts(self.output.files, in_containers=self.in_containers)

    def backlog(self, plan: Plan, *, was_complete: bool) -> Backlog:
        """Return what of a plan is still to be made."""
        sink = open_sink(self.options.to, self.output.files)
        return Backlog(plan, self.parts(), sink, was_complete, self.options.retry_failed)


class Listed(NamedTuple):
    """Sources that another process listed and checked.

    Attributes:
        sources: What is read.
        folders: Those of INPUT that hold sources, `limit` or not.
        identity: What the outputs depend on, where none of the sources is to be read any more;
            else None.
    """

    sources: Sources
    folders: frozenset[str]
    identity: dict[str, Any] | None = None


def check(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint = carry_on,
    listed: Listed | None = None,
) -> Run:
    """Check everything that can be checked without opening an image.

    Args:
        folder: INPUT.
        recipe: What to do; its ``run`` table is in ``options`` already.
        options: How.
        checkpoint: Called between two images of the run; what it raises ends it.
        listed: The sources; None lists INPUT.

    Raises:
        UsageError: A wrong option or wrong input.
    """
    check_surroundings(folder, options.out)
    _check_options(options)
    out = options.out or default_out(folder, recipe.name)
    if listed:
        store = input_store(os.fspath(folder), options, os.fspath(out))
        if listed.identity is None:
            store.adopt(listed.sources)
        return _run(store, listed, folder, recipe, options, checkpoint)
    store, sources = list_sources(folder, out, options)
    return check_listed(store, sources, folder, recipe, options, checkpoint)


def check_listed(
    store: Store,
    sources: Sources,
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint = carry_on,
) -> Run:
    """Check a run whose INPUT is listed: several runs may share a list.

    Args:
        store: Where sources come from.
        sources: All of INPUT.
        folder: INPUT.
        recipe: What to do.
        options: How.
        checkpoint: See :func:`check`.

    Raises:
        UsageError: A wrong option.
    """
    _check_options(options)
    _check_reach(sources, options)
    folders = sources.folders()
    if options.limit and options.limit < len(sources):
        sources = sources.select(
            sorted(sample(sources.paths, options.seed, "limit", options.limit))
        )
    run = _run(store, Listed(sources, folders), folder, recipe, options, checkpoint)
    _check_labels(run.chain, sources, run.wanted, options)
    return run


def _run(
    store: Store,
    listed: Listed,
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint,
) -> Run:
    sources = listed.sources
    wanted = wanted_of(sources, options) if recipe.steps else as_they_are(sources, options)
    check_arrays(options, wanted.outputs, len(sources.classes))
    copies = max(1, wanted.most_copies)
    chain = Chain(recipe.name, recipe.steps, options.seed, copies, recipe.survival)
    _check_manifest(sources, options)
    container_of = _containers(sources, options)
    place = real_place(folder) if is_table(os.fspath(folder)) else sources.root
    made = listed.identity or identity(chain, place, options, sources)
    # The default depends on the kind of store: what it was is recorded.
    made["locality"] = "container" if container_of else "none"
    output = OutputFolder(options.out or default_out(folder, recipe.name), options.fsync)
    open_sink(options.to, output.files)  # raises where a package is missing
    return Run(
        store,
        sources,
        chain,
        options,
        output,
        made,
        wanted,
        listed.folders,
        heatmaps=usable_maps(options, chain, made["scorer"]),
        white_level=given_white_level(options.white_level),
        container_of=container_of,
        checkpoint=checkpoint,
    )


def _containers(sources: Sources, options: RunOptions) -> Callable[[str], str] | None:
    """Return what gives the container of a source, where neighbours are to lie in one.

    Raises:
        UsageError: They are to, but each source is a file of its own.
    """
    if options.locality == "container" and sources.container_of is None:
        raise UsageError(
            "`locality` is container, but each image of INPUT is a file of its own; leave it out"
        )
    is_default = options.locality == "auto" and sources.keeps_containers
    return sources.container_of if is_default or options.locality == "container" else None


def list_sources(folder: Place, out: Place | None, options: RunOptions) -> tuple[Store, Sources]:
    """List INPUT as the options say: what every verb that reads sources begins with.

    Args:
        folder: INPUT.
        out: OUT, which is never read; None where there is none.
        options: Those of the group ``input`` count.

    Returns:
        Where sources come from, and all of them with their labels.

    Raises:
        UsageError: INPUT, the table or the place of OUT is wrong.
    """
    store, sources = list_input(folder, options, out)
    refuse_unfinished(sources.root, folder)
    if out is not None:
        check_places(sources.root, folder, out, has_labels=bool(sources.labels_sha256))
    if options.classes:
        order_classes(sources, options.classes)
    return store, sources


def check_surroundings(*paths: Place | None) -> None:
    """Refuse what would make every path mean something else; the first thing that a verb does.

    Raises:
        UsageError: The current folder is gone, or file names are not read as UTF-8.
    """
    try:
        os.getcwd()
    except FileNotFoundError:
        if not all(path is None or path.is_absolute() for path in paths):
            raise UsageError(
                "the current folder was removed; go to another one, or give whole paths"
            ) from None
    encoding = sys.getfilesystemencoding()
    if encoding.lower().replace("-", "") != "utf8":
        raise UsageError(
            f"Python reads file names as {encoding} here, so the manifest would hold other names; "
            "set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
        )


def default_out(folder: Place, command: str) -> Place:
    """Return ``<INPUT>-<command>`` beside INPUT; for a list of paths, in the current folder.

    Raises:
        UsageError: Nothing can be written beside INPUT.
    """
    if isinstance(folder, Url):
        url = without_pattern(os.fspath(folder))
        if not is_bucket(url) or "/" not in url.partition("://")[2]:
            raise UsageError(
                f"INPUT {folder} is a whole bucket or lies on a web server, so nothing can be "
                "written beside it; give a folder with `out`"
            )
        return Url(f"{url}-{command}")
    if os.fspath(folder) == STANDARD_INPUT:
        return Path(f"augcli-{command}")
    whole = Path(os.path.abspath(without_pattern(os.fspath(folder))))
    if is_table(os.fspath(folder)):
        whole = whole.with_suffix("")
    return whole.with_name(f"{whole.name or 'augcli'}-{command}")


def _check_engine(options: RunOptions) -> None:
    """Refuse what the nodes of a cluster can't do.

    Raises:
        UsageError: Something of this machine alone is asked for.
    """
    if options.engine == "processes":
        return
    if options.shard is not None:
        raise UsageError(
            f"`shard` {options.shard} is not for `engine` {options.engine}; leave out one of them"
        )
    if options.device == AUTO:
        raise UsageError(
            "`device` auto is not for `engine` ray: nodes would score on different ones; give cpu, "
            "or a GPU such as cuda"
        )
    if options.task_gpus is not None and options.device == CPU:
        raise UsageError(
            "`task_gpus` is of no use where images are scored on processors; give `device` cuda "
            "or another GPU too"
        )
    if options.gpus_of_task > 1 and options.gpus_of_task % 1:
        raise UsageError(
            f"`task_gpus` is {options.gpus_of_task:g}; Ray gives a part of one GPU, or whole GPUs"
        )
    if options.workers == 0:
        raise UsageError("`workers` 0 is this process alone; leave it out with `engine` ray")
    from augcli.work.ray_pool import check_installed  # noqa: PLC0415 - an extra

    check_installed()


def _check_reach(sources: Sources, options: RunOptions) -> None:
    """Refuse sources that the nodes of a cluster can't read.

    Raises:
        InputError: They were unpacked on this machine.
    """
    if sources.are_unpacked and options.engine == "ray" and options.address != "local":
        raise InputError(
            f"INPUT {sources.root} is compressed and was unpacked on this machine, where other "
            "nodes can't read it; unpack it on the disk that they share, or leave out `engine`"
        )


def _check_options(options: RunOptions) -> None:
    _check_size(options)
    _check_engine(options)


def _check_size(options: RunOptions) -> None:
    """Refuse outputs that no memory holds.

    Raises:
        UsageError: Each output would have more pixels than a source may have.
    """
    frame = options.frame
    pixels = frame.height * frame.width if frame else 0
    if pixels > options.max_pixels:
        raise UsageError(
            f"`size` {options.size} is {pixels:,} pixels; at most {options.max_pixels:,} are "
            "allowed (`max_pixels`)"
        )


def _check_manifest(sources: Sources, options: RunOptions) -> None:
    """Refuse a manifest that can't be written, or that nobody could use.

    Raises:
        UsageError: A package is missing, or there are too many classes for a weight of each.
    """
    if options.manifest == "parquet":
        check_pyarrow("`manifest` parquet")
    most, there = MOST_CLASSES.get(options.soft_label), len(sources.classes)
    if most is not None and there > most:
        raise UsageError(
            f"`soft_label` {options.soft_label} has a weight for each class in every row, but "
            f"INPUT has {there:,} classes and at most {most:,} are allowed; use `soft_label` json"
        )


def _check_labels(chain: Chain, sources: Sources, wanted: Wanted, options: RunOptions) -> None:
    if chain.mixer_at is None:
        return
    if sources.are_many and options.pair != "any":
        raise InputError(
            f"`pair` {options.pair} needs images of one class each, but these may have several; "
            "use `pair` any"
        )
    # A donor comes from the split of the base.
    giving = np.full(len(sources), wanted.copies.any())
    if sources.splits:
        split_of = np.asarray(sources.split_of)
        giving = np.isin(split_of, np.unique(split_of[wanted.copies > 0]))
    label_of = np.asarray(sources.label_of)
    # Where there may be several classes, there may also be none.
    if not sources.are_many:
        lacking = np.array([not label.weights for label in sources.labels], np.bool_)
        without = giving & lacking[label_of]
        if without.any():
            raise InputError(
                f"{chain.name} mixes labels, but {sources.paths[int(without.argmax())]!r} has "
                "none: put the images of each class into a folder of its own, or give `labels` "
                "table.csv with the columns file_name,label"
            )
    if np.count_nonzero(giving) == 1:
        path = sources.paths[int(giving.argmax())]
        raise InputError(f"{chain.name} mixes two images, but INPUT holds only one: {path!r}")
    if options.pair == "different":
        heaviest = {sources.labels[number].heaviest for number in np.unique(label_of[giving])}
        if len(heaviest) == 1:
            raise InputError(
                "`pair` different needs images of two classes, but all are of "
                f"{heaviest.pop()!r}; use `pair` any"
            )
