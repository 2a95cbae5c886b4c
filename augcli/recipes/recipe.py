"""Recipes: chains of steps in TOML, read from the same declarations as the command line.

A recipe has one table ``[[step]]`` for each step, in order::

    name = "gentle"            # the manifest's method; by default the name of the file

    [run]                      # options that all commands share
    copies = 2

    [stochastic_depth]
    survival = 0.8

    [[step]]
    use = "flip"               # the augmentation; all other keys are its options
    prob = 0.5                 # share of images that the step is applied to
    name = "mirror"            # what the manifest calls the step

    [[step]]
    one_of = [{ use = "cutout", weight = 2, patch = 0.25 }, { use = "gridmask" }]
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.augmentations import METHODS
from augcli.errors import ParameterError, RecipeError, near_miss
from augcli.files import TOML_LIMIT, decode_text, parse_toml, read_file, read_given
from augcli.params import build, declared, values
from augcli.recipes.option_kinds import NOT_IN_RECIPE
from augcli.recipes.options import RunOptions
from augcli.recipes.step import Step

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from augcli.augmentations.base import Augmentation

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
TOP_KEYS = ("name", "run", "stochastic_depth", "step")
STEP_KEYS = ("use", "prob", "name", "one_of")
CHOICE_KEYS = ("use", "weight")
RUN_OPTIONS = tuple(field for field in declared(RunOptions) if field.name not in NOT_IN_RECIPE)
"""What ``[run]`` may have."""
HEADER = re.compile(r"\s*\[+\s*([\w.]+)\s*\]+")


@dataclass(frozen=True)
class Recipe:
    r"""A chain of steps with a name.

    Attributes:
        name: The manifest's ``method``: lower-case letters, digits and hyphens.
        steps: At most one of them a mixer; none where images stay as they are.
        survival: Probability that the last step is kept, see
            :class:`augcli.recipes.chain.Chain`; None keeps all.
        run: Options that all commands share, by name.

    Example:
        >>> recipe = Recipe.parse('name = "erase"\n[[step]]\nuse = "cutout"\npatch = 8')
        >>> recipe.steps[0].augmentations[0].patch
        8
    """

    name: str
    steps: tuple[Step, ...]
    survival: float | None = None
    run: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, augmentation: Augmentation[Any], probability: float = 1.0) -> Recipe:
        """Return the recipe that a command line is: one step, named after its method."""
        return cls(augmentation.name, (Step.of(augmentation, probability),))

    @classmethod
    def without_steps(cls, name: str) -> Recipe:
        """Return the recipe of a command that leaves images as they are."""
        return cls(name, ())

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Read a recipe from a file.

        Raises:
            RecipeError: It can't be read, is not UTF-8 or not TOML, or has an unknown key or
                wrong value; the message names the line and the key.
        """
        try:
            text = decode_text(read_given(path, TOML_LIMIT))
        except OSError as error:
            raise RecipeError(f"recipe {path}: can't be read ({error.strerror})") from None
        except ValueError as error:
            raise RecipeError(f"recipe {path}: {error}") from None
        default = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40]
        return cls.parse(text, default or "recipe", f"recipe {path}")

    @classmethod
    def parse(cls, text: str, default_name: str = "recipe", where: str = "recipe") -> Recipe:
        """Read a recipe from text.

        Raises:
            RecipeError: As for :meth:`load`.
        """
        text = text.removeprefix("\ufeff")
        try:
            content = parse_toml(text)
        except ValueError as error:
            raise RecipeError(f"{where}: {error}") from None
        return _Reader(text, where).recipe(content, default_name)

    def to_toml(self) -> str:
        """Return the recipe as TOML, with every option of every step."""
        lines = [f"name = {json.dumps(self.name)}", ""]
        if self.run:
            lines += ["[run]", *_pairs(self.run), ""]
        if self.survival is not None:
            lines += ["[stochastic_depth]", f"survival = {self.survival!r}", ""]
        for step in self.steps:
            lines += ["[[step]]"]
            common: dict[str, Any] = {"prob": step.probability} if step.probability < 1 else {}
            if len(step.choices) == 1:
                (augmentation,) = step.augmentations
                if step.name != augmentation.name:
                    common["name"] = step.name
                lines += [*_pairs({"use": augmentation.name, **common, **_given(augmentation)}), ""]
                continue
            lines += [*_pairs({"name": step.name, **common}), ""]
            for weight, augmentation in step.choices:
                use = {"use": augmentation.name, "weight": weight}
                lines += ["[[step.one_of]]", *_pairs({**use, **_given(augmentation)}), ""]
        return "\n".join(lines)


def with_options(recipe: Recipe, options: RunOptions) -> Recipe:
    """Return a recipe whose ``run`` table says which options differ from the defaults."""
    chosen = values(options)
    run = {
        field.name: chosen[field.name]
        for field in RUN_OPTIONS
        if chosen[field.name] != field.default
    }
    return replace(recipe, run=run)


def shipped_recipes() -> dict[str, str]:
    """Return the text of each recipe that comes with augcli, by name."""
    folder = Path(__file__).with_name("shipped")
    return {
        path.stem: read_file(path).data.decode("utf-8") for path in sorted(folder.glob("*.toml"))
    }


def _given(augmentation: Augmentation[Any]) -> dict[str, Any]:
    return {name: value for name, value in values(augmentation).items() if value is not None}


def _pairs(table: Mapping[str, Any]) -> list[str]:
    # JSON's text, numbers, truth values and flat lists are TOML's too, but for one character.
    written = {name: json.dumps(value).replace("\x7f", "\\u007f") for name, value in table.items()}
    return [f"{name} = {value}" for name, value in written.items()]


@dataclass(frozen=True)
class _Reader:
    """Turns parsed TOML into a recipe and says in which line something is wrong."""

    text: str
    where: str

    def recipe(self, content: dict[str, Any], default_name: str) -> Recipe:
        self._known(content, TOP_KEYS, None)
        name = content.get("name", default_name)
        if not isinstance(name, str) or not NAME.fullmatch(name) or name == "original":
            raise self._wrong(
                f"name is {name!r}, but must be up to 40 lower-case letters, digits and hyphens",
                None,
                "name",
            )
        tables = content.get("step", [])
        if not isinstance(tables, list) or not tables:
            raise self._wrong("has no [[step]]; give at least one with a key 'use'", None, "step")
        steps = tuple(self._step(table, number) for number, table in enumerate(tables))
        mixers = [number for number, step in enumerate(steps) if step.mixes]
        if len(mixers) > 1:
            raise self._wrong("is the second step that mixes; a chain may have one", mixers[1], "")
        return Recipe(name, steps, self._survival(content), self._run(content))

    def _run(self, content: dict[str, Any]) -> dict[str, Any]:
        table = content.get("run", {})
        if not isinstance(table, dict):
            raise self._wrong("run must be a table", None, "run")
        self._known(table, [field.name for field in RUN_OPTIONS], None)
        try:
            build(RunOptions, table)
        except ParameterError as error:
            raise self._wrong(f"{error.name} {error.message}", None, error.name) from None
        return table

    def _survival(self, content: dict[str, Any]) -> float | None:
        table = content.get("stochastic_depth")
        if table is None:
            return None
        if not isinstance(table, dict):
            raise self._wrong("must be a table with the key survival", None, "stochastic_depth")
        self._known(table, ("survival",), None)
        return self._number(table.get("survival", 0.5), "survival", None, 0.0, 1.0)

    def _step(self, table: Any, number: int) -> Step:
        if not isinstance(table, dict):
            raise self._wrong("step must be a table: write [[step]]", None, "step")
        prob = self._number(table.get("prob", 1.0), "prob", number, 0.0, 1.0)
        name = table.get("name")
        if name is not None and not isinstance(name, str):
            raise self._wrong(f"name is {name!r}, but must be text", number, "name")
        if "one_of" not in table:
            augmentation = self._augmentation(table, number, STEP_KEYS)
            return Step(((1.0, augmentation),), prob, name or augmentation.name)
        self._known(table, STEP_KEYS, number)
        choices = table["one_of"]
        fits = isinstance(choices, list) and choices and all(isinstance(c, dict) for c in choices)
        if not fits or "use" in table:
            expected = "one_of must be a list of tables, without a use beside it"
            raise self._wrong(expected, number, "one_of")
        weighted = tuple(
            (
                self._number(choice.get("weight", 1.0), "weight", number, 1e-9, 1e9),
                self._augmentation(choice, number, CHOICE_KEYS),
            )
            for choice in choices
        )
        if len({augmentation.sources for _, augmentation in weighted}) > 1:
            raise self._wrong("one_of takes mixers or others, but not both", number, "one_of")
        return Step(weighted, prob, name or "one_of")

    def _augmentation(
        self, table: dict[str, Any], number: int, reserved: Collection[str]
    ) -> Augmentation[Any]:
        use = table.get("use")
        if not isinstance(use, str) or use not in METHODS:
            hint = near_miss(str(use), METHODS)
            raise self._wrong(
                f"use is {use!r}, but must be one of {', '.join(METHODS)}{hint}", number, "use"
            )
        options = {
            key.replace("-", "_"): value for key, value in table.items() if key not in reserved
        }
        try:
            return build(METHODS[use], options, f"the options of {use}")
        except ParameterError as error:
            raise self._wrong(f"{error.name} {error.message}", number, error.name) from None

    def _number(self, value: Any, key: str, step: int | None, low: float, high: float) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise self._wrong(
                f"{key} is {value!r}, but must be a number from {low:g} to {high:g}", step, key
            )
        return float(value)

    def _known(self, table: dict[str, Any], known: Collection[str], step: int | None) -> None:
        for key in table:
            if key not in known:
                raise self._wrong(f"{key} is not known{near_miss(key, known)}", step, key)

    def _wrong(self, what: str, step: int | None, key: str) -> RecipeError:
        return RecipeError(f"{self.where}, line {self._line(step, key)}: {what}")

    def _line(self, step: int | None, key: str) -> int:
        """Return the number of the line that holds a key, or where its step begins.

        The standard library's TOML parser keeps no positions; a search is enough for a message.
        """
        steps_seen = -1
        begins = 1
        written = re.compile(rf"(^|[\s{{,])[\"']?{re.escape(key).replace('_', '[_-]')}[\"']?\s*=")
        for number, line in enumerate(self.text.splitlines(), 1):
            header = HEADER.match(line)
            if header and header[1] == "step":
                steps_seen += 1
                begins = number if steps_seen == step else begins
            if step is not None and steps_seen != step:
                continue
            named = header and header[1].rpartition(".")[2] == key
            if key and (named or written.search(line)):
                return number
        return begins
