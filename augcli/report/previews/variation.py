"""Variations: one option with several values, a column of a preview for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from augcli.errors import ParameterError, near_miss
from augcli.params import declared
from augcli.recipes.options import RunOptions

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation
    from augcli.params import Declared
    from augcli.recipes.recipe import Recipe

OF_A_RUN: Final = ("pair", "model", "seed", "prob", "size", "quality", "subsampling", "background")
"""Options of a run that change pictures or pairs, and neither which sources there are nor how
many outputs."""
MOST: Final = 12
"""Values of one option; more columns can't be compared by eye."""
_COUNTED = re.compile(r"(\d{1,9})\.\.(\d{1,9})")


@dataclass(frozen=True)
class Variation:
    """One option with several values.

    Attributes:
        name: Of the option.
        values: As a person wrote them, or as Python has them.
    """

    name: str
    values: tuple[Any, ...]

    @classmethod
    def of(cls, given: str | Mapping[str, Sequence[Any]]) -> Variation:
        """Return a variation as it is given.

        Args:
            given: ``top_n=3,6,9,12`` or ``seed=0..3``, or ``{"top_n": [3, 6, 9, 12]}``.

        Raises:
            ParameterError: It is not of that form, or has too many values.

        Example:
            >>> Variation.of("top-n=3,6"), Variation.of({"seed": range(2)})
            (Variation(name='top_n', values=('3', '6')), Variation(name='seed', values=(0, 1)))
        """
        if isinstance(given, Mapping) and len(given) == 1:
            ((name, listed),) = given.items()
            is_list = isinstance(listed, Sequence) and not isinstance(listed, str)
            found = cls(str(name), tuple(listed) if is_list else ())
        elif isinstance(given, str):
            word, _, text = given.partition("=")
            name = word.strip().lstrip("-").replace("-", "_")
            found = cls(name, tuple(part.strip() for part in text.split(",") if part.strip()))
        else:
            found = cls("", ())
        if not found.name or not found.values:
            raise ParameterError(
                "vary", f"is {given!r}, but must be an option and its values, as in top_n=3,6,9"
            )
        return found

    def applied(self, recipe: Recipe, options: RunOptions) -> list[tuple[str, Recipe, RunOptions]]:
        """Return the recipe and the options with each value, and words for it.

        Raises:
            ParameterError: There is no such option, or it can't have a value.
        """
        methods = [
            augmentation
            for step in recipe.steps
            for augmentation in step.augmentations
            if self.name in _names(augmentation)
        ]
        if len(methods) > 1:
            raise ParameterError(
                "vary", f"names {self.name!r}, which more than one step of the recipe has"
            )
        field = _field(self.name, methods[0] if methods else None)
        if field is None:
            known = [*OF_A_RUN, *(name for step in recipe.steps for name in _all_names(step))]
            raise ParameterError(
                "vary",
                f"names {self.name!r}, which is no option of {recipe.name} that can be varied"
                f"{near_miss(self.name, known)}",
            )
        values = self._checked(field)
        varied = []
        for value in values:
            if methods:
                changed = _with(recipe, methods[0], {self.name: value})
                varied.append((f"{self.name}={value}", changed, options))
            else:
                changed = recipe
                if self.name == "prob":
                    steps = tuple(replace(step, probability=value) for step in recipe.steps)
                    changed = replace(recipe, steps=steps)
                chosen = replace(options, **{self.name: value})
                varied.append((f"{self.name}={value}", changed, chosen))
        return varied

    def _checked(self, field: Declared) -> list[Any]:
        """Return the values, checked; ``0..3`` of a whole number counts."""
        written: list[Any] = []
        for value in self.values:
            ends = _COUNTED.fullmatch(value) if isinstance(value, str) else None
            if ends and field.kind is int and field.param.parse is None:
                first, last = int(ends[1]), int(ends[2])
                written += map(str, range(first, min(last, first + MOST) + 1))
            else:
                written.append(value)
        if len(written) > MOST:
            raise ParameterError("vary", f"has more than {MOST} values of {self.name}")
        return [
            field.value_of_text(value) if isinstance(value, str) else field.value(value)
            for value in written
        ]


def _names(augmentation: Augmentation[Any]) -> list[str]:
    return [field.name for field in declared(type(augmentation))]


def _all_names(step: Any) -> list[str]:
    return [name for augmentation in step.augmentations for name in _names(augmentation)]


def _field(name: str, method: Augmentation[Any] | None) -> Declared | None:
    """Return the declaration of an option of a method, or of a run where there is no method."""
    if method is not None:
        return next(field for field in declared(type(method)) if field.name == name)
    return next((one for one in declared(RunOptions) if one.name == name in OF_A_RUN), None)


def _with(recipe: Recipe, method: Augmentation[Any], change: dict[str, Any]) -> Recipe:
    """Return a recipe with another option of one of its methods."""
    changed = replace(method, **change)  # type: ignore[type-var]  # each method is a dataclass
    steps = tuple(
        replace(
            step,
            choices=tuple(
                (weight, changed if augmentation is method else augmentation)
                for weight, augmentation in step.choices
            ),
        )
        for step in recipe.steps
    )
    return replace(recipe, steps=steps)
