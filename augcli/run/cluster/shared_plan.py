"""The plan that many machines share: two files in OUT, written once.

``plan.json`` is small, so that a task can read it again before each shard. The list of sources lies
beside it, with the shards in its first line.
"""

from __future__ import annotations

import hashlib
import json
import os
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.output import LISTS, PLAN
from augcli.data.stores.path_list import STANDARD_INPUT
from augcli.data.stores.source_list import (
    content_hash,
    read_source_list,
    read_what_belongs,
    write_source_list,
)
from augcli.errors import OutputError
from augcli.files import JSON_LIMIT, parse_json, real_place
from augcli.params import build, values
from augcli.plan.part import ShardName
from augcli.recipes.option_kinds import ONE_RUN_ONLY
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from augcli.data.output import OutputFolder
    from augcli.data.stores.sources import Sources
    from augcli.files import Place
    from augcli.plan.plan import Plan
    from augcli.recipes.chain import Chain
    from augcli.run.checking.checked_run import Run
    from augcli.run.making.prepare import Prepared

CONTENT_ONLY = frozenset({"model"})
"""Options that name a file whose content counts, and not its name."""


class PlannedShard(NamedTuple):
    """A shard of the plan.

    Attributes:
        name: Its name.
        file: Name of the file that holds its outputs; empty where each is a file.
        jobs: How many jobs it holds.
    """

    name: str
    file: str
    jobs: int


@dataclass(frozen=True)
class Facts:
    """What is known of all sources, so that no task need find it out again.

    Attributes:
        shards: All shards of the plan, in order.
        long_named: Sources whose outputs get a longer hash in their names.
        content: The same as JSON has it.
    """

    shards: list[PlannedShard]
    long_named: frozenset[str]
    content: Any

    @classmethod
    def from_json(cls, content: Any) -> Facts:
        """Return the facts that a JSON value holds.

        Raises:
            ValueError: It is not what augcli wrote.
            KeyError: The same.
            TypeError: The same.
        """
        shards = [PlannedShard(*each) for each in content["shards"]]
        if not all(ShardName.parse(shard.name) and type(shard.jobs) is int for shard in shards):
            raise ValueError("it is not what augcli wrote")
        return cls(shards, frozenset(content["long_named"]), content)

    @property
    def files(self) -> dict[str, str]:
        """The names of the shards, each with that of the file that holds its outputs."""
        return shard_files(self.shards)

    @property
    def ranges(self) -> int:
        """Into how many ranges each copy is cut, where each output is a file."""
        name = ShardName.parse(self.shards[0].name) if self.shards else None
        return name.ranges if name else 1

    def plan(self, run: Run, chain: Chain) -> Plan:
        """Return all jobs of a run.

        Args:
            run: The run, with its white level.
            chain: What is done, with the mean colour.
        """
        plan = run.plan(chain, self.ranges)
        plan.long_named = self.long_named
        return plan


@dataclass(frozen=True)
class SharedPlan:
    """What is to be made, for tasks on any machine.

    Attributes:
        augcli: Version that made it.
        input: INPUT, absolute; ``-`` for paths from standard input.
        name: Name of the command or recipe.
        recipe: What is done to the images, as TOML; empty where they stay as they are.
        options: The options that change the outputs or their number, by name.
        record: Hash of what run.json says of the outputs.
        sources: Hash of the list of sources and of the shards.
    """

    augcli: str
    input: str
    name: str
    recipe: str
    options: Mapping[str, Any]
    record: str
    sources: str

    @classmethod
    def of(cls, prepared: Prepared, place: str, recipe: Recipe) -> SharedPlan:
        """Return the plan of a run that is prepared.

        Args:
            prepared: The run.
            place: INPUT as :func:`absolute` gives it.
            recipe: What is done to the images.
        """
        run, record = prepared.run, prepared.record
        fixed = [dict(record.identity), record.mean_colour, record.white_level]
        return cls(
            VERSION,
            place,
            recipe.name,
            recipe.to_toml() if recipe.steps else "",
            shared_options(run.options),
            _sha256(fixed),
            content_hash(run.sources, facts_of(prepared)),
        )

    @classmethod
    def from_json(cls, content: Any) -> SharedPlan:
        """Return the plan that a JSON value holds.

        Raises:
            ValueError: It is not what augcli wrote.
            TypeError: The same.
        """
        plan = cls(**content)
        texts = [plan.augcli, plan.input, plan.name, plan.recipe, plan.record, plan.sources]
        if set(map(type, texts)) != {str} or not isinstance(plan.options, dict):
            raise ValueError("it is not what augcli wrote")
        if not set(plan.sources) <= set(string.hexdigits):
            raise ValueError("it names a file that augcli does not write")
        return plan

    @property
    def sha256(self) -> str:
        """The hash of the plan, which every task and every part of a shard carries."""
        return _sha256(vars(self))

    @property
    def list_name(self) -> str:
        """Where the list of sources lies in OUT."""
        return f"{LISTS}/{self.sources[:32]}"

    def recipe_and_options(self, options: RunOptions | None = None) -> tuple[Recipe, RunOptions]:
        """Return the recipe and the options of a run.

        Args:
            options: Those that belong to one run only; the defaults where None.
        """
        recipe = Recipe.parse(self.recipe) if self.recipe else Recipe.without_steps(self.name)
        own = {name: getattr(options, name) for name in ONE_RUN_ONLY} if options else {}
        return recipe, build(RunOptions, {**self.options, **own})

    def difference(self, place: str, recipe: Recipe, options: RunOptions) -> str:
        """Return in words how another command line differs; empty where it does not."""
        theirs = {
            "version of augcli": VERSION,
            "INPUT": place,
            "command": recipe.name,
            "recipe": recipe.to_toml() if recipe.steps else "",
            **shared_options(options),
        }
        ours = {
            "version of augcli": self.augcli,
            "INPUT": self.input,
            "command": self.name,
            "recipe": self.recipe,
            **self.options,
        }
        names = [name for name in theirs if theirs[name] != ours.get(name)]
        return ", ".join(
            "the options of the method are others"
            if name == "recipe"
            else f"{name} was {ours.get(name)} and is {theirs[name]}"
            for name in names
            if name not in CONTENT_ONLY
        )


def absolute(folder: Place) -> str:
    """Return INPUT by its whole path, as plans name it."""
    given = os.fspath(folder)
    return given if given == STANDARD_INPUT else real_place(given)


def shared_options(options: RunOptions) -> dict[str, Any]:
    """Return the options that change the outputs or their number, by name."""
    return {name: value for name, value in values(options).items() if name not in ONE_RUN_ONLY}


def facts_of(prepared: Prepared) -> dict[str, Any]:
    """Return what each task would find out again about all sources, as JSON can hold it."""
    plan = prepared.backlog.plan
    return {
        "shards": [[shard.name, shard.file, shard.jobs] for shard in plan.shards()],
        "long_named": sorted(plan.long_named),
    }


def publish_plan(plan: SharedPlan, prepared: Prepared) -> SharedPlan:
    """Write a plan into OUT, unless another machine has written one at the same moment.

    Returns:
        The plan that is there then.
    """
    output = prepared.run.output
    sources, facts = prepared.run.sources, facts_of(prepared)
    output.files.publish(plan.list_name, lambda file: write_source_list(sources, facts, file))
    output.files.create(PLAN, json.dumps(vars(plan)).encode("utf-8") + b"\n")
    there = read_plan(output)
    if there is None:
        output.check_is_there()
        raise _damaged(output, "it is gone")
    if there != plan:
        output.files.remove(plan.list_name)
    return there


def read_plan(output: OutputFolder) -> SharedPlan | None:
    """Return the plan in OUT, None where there is none.

    Raises:
        OutputError: It is not what augcli wrote.
    """
    try:
        return SharedPlan.from_json(parse_json(output.files.read(PLAN, JSON_LIMIT)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(output, error) from None


def read_facts(output: OutputFolder, plan: SharedPlan) -> Facts:
    """Return what is known of all sources of a plan.

    Raises:
        OutputError: The list is missing or damaged.
    """
    try:
        with output.files.open(plan.list_name) as file:
            return Facts.from_json(read_what_belongs(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(output, error) from None


def read_sources(output: OutputFolder, plan: SharedPlan) -> Sources:
    """Return the sources of a plan.

    Raises:
        OutputError: The list is missing or damaged.
    """
    try:
        with output.files.open(plan.list_name) as file:
            return read_source_list(file, plan.sources)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _damaged(output, error) from None


def shard_files(shards: Sequence[PlannedShard]) -> dict[str, str]:
    """Return the names of shards, each with that of the file that holds its outputs."""
    return {shard.name: shard.file for shard in shards}


def _damaged(output: OutputFolder, error: object) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else error
    return OutputError(
        f"the plan in OUT {output.folder} can't be used ({reason}); prepare it again"
    )


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=list)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
