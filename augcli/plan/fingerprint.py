"""What a run is: everything that its outputs depend on, its hash, and how two of them differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from augcli.attention.model_file import local_scorer, scorer_sha256
from augcli.augmentations.base import Augmentation
from augcli.params import values
from augcli.recipes.option_kinds import NOT_OF_THE_RESULT
from augcli.rng import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.data.stores.sources import Sources
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions

STREAM = 1
"""Goes up when the streams of chance change."""


RECORDED_ONLY = frozenset({"labels"})
"""What an identity only records: each job has the labels of its sources in its own hash, so that a
table may grow and change as folders may."""


def identity(chain: Chain, place: str, options: RunOptions, sources: Sources) -> dict[str, Any]:
    """Return what the outputs depend on, apart from the content of the sources.

    Args:
        chain: What is done.
        place: INPUT, absolute.
        options: How.
        sources: What they say of their labels.
    """
    scored = any(augmentation.scores for augmentation in chain.augmentations)
    options_of_the_result = {
        name: value for name, value in values(options).items() if name not in NOT_OF_THE_RESULT
    }
    if options.to == "folder":
        # As before there were other sinks; and no size of a shard matters.
        del options_of_the_result["to"], options_of_the_result["shard_size"]
    if any(type(each).for_copy is not Augmentation.for_copy for each in chain.augmentations):
        # A schedule over the copies: more of them change those that are there.
        options_of_the_result["copies"] = chain.copies
    content = {
        "command": chain.name,
        "input": place,
        "steps": [step.to_json() for step in chain.steps],
        "survival": chain.survival,
        **options_of_the_result,
        "scorer": scorer_sha256(local_scorer(options.model)) if scored else None,
        "labels": sources.labels_sha256 or None,
        "multi_label": sources.are_many,
        "stream": STREAM,
    }
    # As it comes back from run.json, so that the two can be compared.
    return dict(json.loads(json.dumps(content)))


def command_hash(identity: Mapping[str, Any], chain: Chain) -> str:
    """Return the hash of what changes bytes: another one means another command.

    Args:
        identity: See :func:`identity`.
        chain: The same with the mean colour, where a step needs it.
    """
    # Where INPUT lies changes no output; with the mean colour all options are known.
    of_the_result = {
        name: value
        for name, value in identity.items()
        if name != "input" and name not in RECORDED_ONLY
    }
    fills = [getattr(augmentation, "fill", None) for augmentation in chain.augmentations]
    return digest(json.dumps(of_the_result, sort_keys=True), repr(fills)).hex()


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words how two identities differ; empty where they don't.

    Example:
        >>> difference({"seed": 0, "steps": []}, {"seed": 1, "steps": []})
        'seed was 0 and is 1'
        >>> difference({"steps": [{"top_n": 6}]}, {"steps": [{"top_n": 9}]})
        'top_n was 6 and is 9'
    """
    if before.get("command") != now.get("command"):
        # All else differs as well, and says nothing more.
        before, now = {"command": before.get("command")}, {"command": now.get("command")}
    before, now = (
        {name: value for name, value in each.items() if name not in RECORDED_ONLY}
        for each in (before, now)
    )
    return ", ".join(_differences("", before, now))


def _differences(name: str, before: Any, now: Any) -> list[str]:
    if before == now:
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        names = [*before, *(key for key in now if key not in before)]
        pairs = [(_title(key, now), before.get(key), now.get(key)) for key in names]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(name, *pair) for pair in zip(before, now, strict=True)]
    else:
        return [f"{name} was {_shown(before)} and is {_shown(now)}"]
    return [text for key, *pair in pairs for text in _differences(key, *pair)]


def _title(name: str, record: dict[str, Any]) -> str:
    """Return what a difference is called: a version belongs to something."""
    if name == "version":
        return f"version of {record.get('method')}'s draws"
    return "version of the streams of chance" if name == "stream" else name


def _shown(value: Any) -> str:
    if value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:12]}…"
