"""What a page lists of much: classes and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from augcli.params import declared
from augcli.recipes.options import RunOptions
from augcli.report.figures.figures import ClassFigures
from augcli.report.view import flattened
from augcli.report.words import shown
from augcli.run.showing.lines import most_and_least

if TYPE_CHECKING:
    from augcli.report.figures.figures import Figures
    from augcli.report.view import View

CLASSES_LISTED: Final = 60
"""Classes that a page lists; JSON has all of them."""
OTHERS: Final = "(all others)"
"""Stands for the classes that are not listed."""


class OptionShown(NamedTuple):
    """An option of the run, for people.

    Attributes:
        group: What it belongs to: a step, or ``input``, ``output``, …
        name: Its name in Python.
        value: Its value.
        is_default: Whether it is what it is where nobody chose.
    """

    group: str
    name: str
    value: str
    is_default: bool


class ClassesListed(NamedTuple):
    """The classes that a page lists.

    Attributes:
        rows: The heaviest, the lightest, and before these all others together.
        largest: The largest number of sources or weight of a class.
        others: The name of the row of all others.
    """

    rows: list[ClassFigures]
    largest: float
    others: str = OTHERS


def listed_classes(figures: Figures) -> ClassesListed:
    """Return the classes in the order of their weights, without the middle of very many."""
    order = sorted(figures.classes, key=lambda one: -one.weight)
    first, last = most_and_least(order, CLASSES_LISTED)
    rows = [*first, *last]
    if last:
        middle = order[len(first) : -len(last)]
        spread = {split: sum(one.by_split[split] for one in middle) for split in order[0].by_split}
        sources = [one.sources for one in middle if one.sources is not None]
        others = ClassFigures(
            OTHERS,
            sum(sources) if sources else None,
            sum(one.outputs for one in middle),
            sum(one.weight for one in middle),
            spread,
        )
        rows.insert(len(first), others)
    largest = max((max(one.sources or 0, one.weight) for one in order), default=0)
    return ClassesListed(rows, largest or 1)


def options_shown(view: View) -> list[OptionShown]:
    """Return the options of the run: those of its steps first."""
    recorded = {**view.record.identity, **view.record.amounts}
    if not view.options:
        return [
            OptionShown("run", name, _value(value), False)
            for name, value in flattened(recorded).items()
        ]
    found = []
    for step in view.chain.steps if view.chain else ():
        for augmentation in step.augmentations:
            name = augmentation.name
            group = name if step.name in ("", name) else f"{step.name}: {name}"
            for field in declared(type(augmentation)):
                value = getattr(augmentation, field.name)
                is_default = str(value) == str(field.default)
                found.append(OptionShown(group, field.name, _value(value), is_default))
    for field in declared(RunOptions):
        if field.name in recorded:
            value = recorded[field.name]
            is_default = str(value) == str(field.default)
            found.append(OptionShown(field.param.group, field.name, _value(value), is_default))
    return found


def _value(value: Any) -> str:
    """Return the value of an option for people."""
    if value is None or value == "":
        return "not given"
    if isinstance(value, bool):
        return "on" if value else "off"
    return shown(value if isinstance(value, str) else str(value))
