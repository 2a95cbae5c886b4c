"""What a run is: everything that its outputs depend on, and how two of them differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from augcli.attention.model_file import file_sha256, scorer_sha256
from augcli.params import values
from augcli.recipes.options import NOT_OF_THE_RESULT

if TYPE_CHECKING:
    from augcli.data.stores.folder import Sources
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions

STREAM = 1
"""Goes up when the streams of chance change."""


def identity(chain: Chain, sources: Sources, options: RunOptions) -> dict[str, Any]:
    """Return what the outputs depend on, apart from the content of the sources."""
    steps = [
        {
            "step": step.name,
            "probability": step.probability,
            "choices": [
                {"weight": weight, "method": one.name, "version": one.version, **values(one)}
                for weight, one in step.choices
            ],
        }
        for step in chain.steps
    ]
    scored = any(one.scores for one in chain.augmentations)
    found = {
        "command": chain.name,
        "input": sources.folder,
        "steps": steps,
        "survival": chain.survival,
        **{name: value for name, value in values(options).items() if name not in NOT_OF_THE_RESULT},
        "scorer": scorer_sha256(options.model) if scored else None,
        "labels": file_sha256(options.labels) if options.labels else None,
        "stream": STREAM,
    }
    # As it comes back from run.json, so that the two can be compared.
    return dict(json.loads(json.dumps(found)))


def difference(before: dict[str, Any], now: dict[str, Any]) -> str:
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
    return ", ".join(_differences("", before, now))


def _differences(name: str, before: Any, now: Any) -> list[str]:
    if before == now:
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        names = [*before, *(one for one in now if one not in before)]
        pairs = [(_called(one, now), before.get(one), now.get(one)) for one in names]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(name, *pair) for pair in zip(before, now, strict=True)]
    else:
        return [f"{name} was {_shown(before)} and is {_shown(now)}"]
    return [told for one, *pair in pairs for told in _differences(one, *pair)]


def _called(name: str, record: dict[str, Any]) -> str:
    """Return what a difference is called: a version belongs to something."""
    if name == "version":
        return f"version of {record.get('method')}'s draws"
    return "version of the streams of chance" if name == "stream" else name


def _shown(value: Any) -> str:
    if value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:12]}…"
