"""A run whose options and input are checked: what of it the verbs ask for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.attention.model_file import local_scorer
from augcli.data.codecs.choices import background_colour
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.manifest_formats.columns import Columns
from augcli.data.manifest_formats.formats import FORMATS
from augcli.data.output import MAPS, OutputFolder
from augcli.data.sinks.opening import container_ending, is_whole, open_sink
from augcli.data.sinks.sink import DataSet
from augcli.data.stopping import carry_on
from augcli.plan.backlog import Backlog
from augcli.plan.containers import containers_for
from augcli.plan.fingerprint import command_hash
from augcli.plan.parts import Parts
from augcli.plan.plan import ORIGINALS, Plan, Wanted
from augcli.recipes.chain import Chain
from augcli.recipes.option_values import seconds_of
from augcli.rng import digest
from augcli.run.checking.encoding import encoding_of
from augcli.run.checking.inputs import read_ahead_for
from augcli.run.machine import usable_cores
from augcli.run.scoring import largest_grid, scores_sources
from augcli.work.processes import local_pool
from augcli.work.settings import MakeSettings, MapStorage, ReadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from augcli.attention.scorer import Scorer
    from augcli.data.manifest_formats.columns import SoftLabel
    from augcli.data.manifest_formats.formats import ManifestFormat
    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources, Store
    from augcli.recipes.options import RunOptions
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
        return local_pool(settings, self.workers, self.checkpoint)

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
