"""``augcli scorer``: make scorers of classifiers, and describe scorers."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augcli.classifiers.options import ClassifierOptions
from augcli.cli.generated import (
    SCORER,
    add_command,
    declare_command,
    names_by_command,
    prepare_options,
)
from augcli.cli.given import given_options
from augcli.cli.help import Group
from augcli.cli.options import CommandOptions
from augcli.cli.streams import write_json, write_line, write_path, write_stderr
from augcli.files import unfinished_name

if TYPE_CHECKING:
    from augcli.classifiers.describe import ScorerFacts
    from augcli.classifiers.prepare import PreparedScorer
    from augcli.cli.signals import Signals

CLASSIFIER = typer.Argument(metavar="CLASSIFIER", help="ONNX file that gives class scores.")
FILE = typer.Argument(
    None,
    metavar="FILE",
    help="The scorer; the one that augcli ships if left out.",
    show_default=False,
)
SMALL = 64
"""Pixels of the longer side up to which the shipped scorer uses its second file."""
JSON = typer.Option(
    False, "--json", envvar="AUGCLI_JSON", help="One JSON object on standard output."
)


def scorer_commands(signals: Signals) -> typer.Typer:
    """Return the group of commands.

    Args:
        signals: End a command.
    """
    group = typer.Typer(
        cls=Group,
        help="Make a scorer of any classifier, or describe a scorer.",
        rich_markup_mode=None,
    )
    classifier = inspect.Parameter(
        "classifier", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, CLASSIFIER]
    )

    def prepare(**arguments: Any) -> None:
        _prepare(signals, arguments)

    make = declare_command(prepare, "prepare", [classifier], prepare_options())
    summary = "Make a scorer of a classifier: its last feature map becomes the heat map."
    add_command(group, "prepare", summary, make, SCORER)
    summary = "Show what a scorer takes and gives, and what it costs."
    add_command(group, "show", summary, _show, SCORER)
    return group


def _prepare(signals: Signals, arguments: dict[str, Any]) -> None:
    given = given_options(SCORER, prepare_options(), arguments, names_by_command)
    with given.spelling():
        options = given.build(ClassifierOptions)
        command = given.build(CommandOptions)
        from augcli.classifiers.prepare import make_scorer  # noqa: PLC0415

        with signals.removing(unfinished_name(options.out)):
            made = make_scorer(arguments["classifier"], options)
    if command.json:
        write_json({"message_type": "prepared", **asdict(made)})
        return
    if not command.quiet:
        for line in prepared_lines(made):
            write_stderr(line)
    write_path(made.file)


def _show(file: str | None = FILE, as_json: bool = JSON) -> None:
    from augcli.classifiers.describe import describe_scorer  # noqa: PLC0415

    facts = describe_scorer(file)
    if as_json:
        write_json({"message_type": "scorer", **asdict(facts)})
        return
    for line in facts_lines(facts):
        write_line(line)


def prepared_lines(made: PreparedScorer) -> list[str]:
    """Return how a scorer was made and what to do next, for a person."""
    lines = [f"heat map: {made.recipe}"]
    if made.enlarged:
        lines.append(
            f"note: the feature map has only {made.height} x {made.width} cells and was enlarged "
            f"to {made.grid} x {made.grid}; a larger --size gives more, if the classifier takes it"
        )
    if made.batch:
        lines.append(
            "note: takes one image at a time, as the classifier does, which is slow on a GPU"
        )
    expects = made.expects
    lines.append(
        f"takes {_size(expects['input_size'])}, {expects['channel_order']}, {_scaling(expects)}; "
        f"to look at its heat maps: augcli heatmaps --model {made.file} --overlay FOLDER"
    )
    return lines


def facts_lines(facts: ScorerFacts) -> list[str]:
    """Return the facts about a scorer, each as a line with a name and a value."""
    source = facts.source
    made_from = f"{source.get('file')}, sha256 {source.get('sha256')}" if source else ""
    multiply_adds = _count(facts.multiply_adds, known=facts.parameters is not None)
    rows = {
        "file": facts.file,
        "and": f"{facts.small}, for images of at most {SMALL} pixels" if facts.small else "",
        "takes": f"{facts.input}, {facts.channel_order}",
        "images": f"squashed to {_size(facts.input_size)}, {_scaling(facts.scaling)}",
        "gives": f"a heat map of {_size(facts.map)}",
        "recipe": facts.recipe or "not known",
        "made from": made_from,
        "size": f"{facts.bytes:,} bytes",
        "parameters": _count(facts.parameters),
        "multiply-adds": f"{multiply_adds} for one image",
        "time": f"{facts.milliseconds:.2f} ms for one image on this machine, with one thread",
        "sha256": facts.sha256,
    }
    return [f"{name:14} {value}" for name, value in rows.items() if value]


def _size(sides: list[int]) -> str:
    return f"{sides[0]} x {sides[1]}"


def _scaling(scaling: dict[str, Any]) -> str:
    """Return in words how pixels are scaled.

    Example:
        >>> _scaling({"range": [0, 1], "mean": [0, 0, 0], "std": [0.5, 0.5, 0.5]})
        'pixels 0..1, minus 0, 0, 0, divided by 0.5, 0.5, 0.5'
        >>> _scaling({})
        'pixels unscaled'
    """
    if "range" not in scaling:
        return "pixels unscaled"
    low, high = scaling["range"]
    text = f"pixels {low:g}..{high:g}"
    mean, std = scaling["mean"], scaling["std"]
    if any(mean) or any(number != 1 for number in std):
        text += f", minus {_numbers(mean)}, divided by {_numbers(std)}"
    return text


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _count(count: int | None, *, known: bool = False) -> str:
    """Return a count in words, or why there is none.

    ``known`` says whether another count is known: then it is not onnx that is missing.

    Example:
        >>> _count(57134), _count(None), _count(None, known=True)
        ('57,134', 'not known without onnx', 'not known')
    """
    if count is None:
        return "not known" if known else "not known without onnx"
    return f"{count:,}"
