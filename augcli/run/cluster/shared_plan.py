"""The plan that many machines share: a file in OUT, written once.

``plan.json`` is small, so that a task can read it again before each shard. The list of sources and
the shards lie beside it, see :mod:`augcli.run.cluster.shared_list`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augcli.data.output import PLAN
from augcli.data.stores.path_list import STANDARD_INPUT
from augcli.files import JSON_LIMIT, parse_json, real_place
from augcli.params import build, values
from augcli.plan.fingerprint import difference
from augcli.recipes.option_kinds import ONE_RUN_ONLY
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.cluster.shared_list import (
    damaged_plan,
    forget_list,
    open_list,
    read_index,
    whole_plan,
    write_list,
)
from augcli.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from augcli.data.output import OutputFolder
    from augcli.files import Place
    from augcli.run.cluster.shared_list import Facts, SharedList
    from augcli.run.making.prepare import Prepared

CONTENT_ONLY = frozenset({"model"})
"""Options that name a file whose content counts, and not its name."""


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
        sources: Hash of the list of sources, of the shards and of their order.
    """

    augcli: str
    input: str
    name: str
    recipe: str
    options: Mapping[str, Any]
    record: str
    sources: str

    @classmethod
    def of(cls, prepared: Prepared, place: str, recipe: Recipe, sources: str) -> SharedPlan:
        """Return the plan of a run that is prepared.

        Args:
            prepared: The run.
            place: INPUT as :func:`absolute` gives it.
            recipe: What is done to the images.
            sources: Hash of the list of sources.
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
            sources,
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
        theirs = {"version of augcli": VERSION, "INPUT": place, **shared_options(options)}
        ours = {"version of augcli": self.augcli, "INPUT": self.input, **self.options}
        names = [name for name in theirs if theirs[name] != ours.get(name)]
        found = [difference(_steps(self.recipe_and_options()[0]), _steps(recipe))]
        found += [
            f"{name} was {ours.get(name)} and is {theirs[name]}"
            for name in names
            if name not in CONTENT_ONLY
        ]
        return ", ".join(filter(None, found))


def _steps(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe does, to be compared."""
    steps = [step.to_json() for step in recipe.steps]
    return {"command": recipe.name, "steps": steps, "survival": recipe.survival}


def absolute(folder: Place) -> str:
    """Return INPUT by its whole path, as plans name it."""
    given = os.fspath(folder)
    return given if given == STANDARD_INPUT else real_place(given)


def shared_options(options: RunOptions) -> dict[str, Any]:
    """Return the options that change the outputs or their number, by name."""
    return {name: value for name, value in values(options).items() if name not in ONE_RUN_ONLY}


def publish_plan(prepared: Prepared, place: str, recipe: Recipe) -> SharedPlan:
    """Write a plan into OUT, unless another machine has written one at the same moment.

    Args:
        prepared: The run.
        place: INPUT as :func:`absolute` gives it.
        recipe: What is done to the images.

    Returns:
        The plan that is there then.
    """
    output = prepared.run.output
    sources = write_list(output, prepared.run.sources, prepared.backlog.plan)
    plan = SharedPlan.of(prepared, place, recipe, sources)
    output.files.create(PLAN, json.dumps(vars(plan)).encode("utf-8") + b"\n")
    there = read_plan(output)
    if there is None:
        output.check_is_there()
        raise damaged_plan(output, "it is gone")
    if there.sources != plan.sources:
        forget_list(output, plan.sources)
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
        raise damaged_plan(output, error) from None


def read_facts(output: OutputFolder, plan: SharedPlan) -> Facts:
    """Return what is known of all sources of a plan.

    Raises:
        OutputError: The index of the list is missing or damaged.
    """
    with whole_plan(output):
        return read_index(output, plan.sources)


@contextlib.contextmanager
def opened_list(output: OutputFolder, plan: SharedPlan, facts: Facts) -> Iterator[SharedList]:
    """Open the list of a plan for as long as its sources are used.

    Raises:
        OutputError: It is missing or damaged.
    """
    with contextlib.ExitStack() as until_closed:
        with whole_plan(output):
            shared = until_closed.enter_context(open_list(output, plan.sources, facts))
        yield shared


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=list)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
