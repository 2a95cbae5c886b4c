"""One place of a chain: an augmentation, or several of which one is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from augcli.augmentations import METHODS
from augcli.params import build, declared, values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.augmentations.base import Augmentation


@dataclass(frozen=True)
class Step:
    """One place of a chain.

    Attributes:
        choices: Weight and augmentation; one of them is applied, drawn by weight.
        probability: Share of images that it is applied to.
        name: What the manifest calls it.
    """

    choices: tuple[tuple[float, Augmentation[Any]], ...]
    probability: float = 1.0
    name: str = ""

    @classmethod
    def of(cls, augmentation: Augmentation[Any], probability: float = 1.0) -> Step:
        """Return a step of one augmentation, named after it."""
        return cls(((1.0, augmentation),), probability, augmentation.name)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Step:
        """Return the step that :meth:`to_json` gave.

        Raises:
            KeyError: A method is not registered, or a key is missing.
            ParameterError: An option has a value that it can't have.
            TypeError: The record is something else.
        """
        return cls(
            tuple((choice["weight"], _augmentation(choice)) for choice in record["choices"]),
            record["probability"],
            record["step"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the step with all options, as JSON can hold it."""
        return {
            "step": self.name,
            "probability": self.probability,
            "choices": [
                {
                    "weight": weight,
                    "method": augmentation.name,
                    "version": augmentation.version,
                    **values(augmentation),
                }
                for weight, augmentation in self.choices
            ],
        }

    @cached_property
    def augmentations(self) -> tuple[Augmentation[Any], ...]:
        """All that the step may apply."""
        return tuple(augmentation for _, augmentation in self.choices)

    @cached_property
    def mixes(self) -> bool:
        """Whether it takes a donor."""
        return any(augmentation.sources == 2 for augmentation in self.augmentations)

    def choice_numbers(self, method: str) -> list[int]:
        """Return the numbers of the choices of a method, counted from 0."""
        return [
            number
            for number, augmentation in enumerate(self.augmentations)
            if augmentation.name == method
        ]


def _augmentation(record: Mapping[str, Any]) -> Augmentation[Any]:
    method = METHODS[record["method"]]
    names = {field.name for field in declared(method)}
    return build(method, {name: value for name, value in record.items() if name in names})
