"""Where a run's time goes, by stage: cProfile of a run in one process."""

from __future__ import annotations

import pstats
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from contenders import augcli
from watch import new_out

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("list", "hash", "decode", "score", "draw", "apply", "encode", "write", "commit", "other")


class Rule(NamedTuple):
    """Which function's time, with all that it calls, belongs to a stage.

    Attributes:
        stage: The stage.
        file: End of the path of the function's file.
        names: The function; any of these.
        caller: Only as called from this function; empty for any.
    """

    stage: str
    file: str
    names: tuple[str, ...]
    caller: str = ""


# What happens to images, and what before and after them; no function of one rule is called by
# one of another, so that nothing counts twice.
IMAGES = Rule("", "work/shard_maker.py", ("make_shard",))
AROUND = frozenset({"list", "of", "_jobs", "finish"})
RULES = (
    Rule("list", "data/stores/folder.py", ("list",)),
    Rule("hash", "plan/ring.py", ("of",)),
    Rule("hash", "plan/plan.py", ("_jobs",)),
    Rule("hash", "~", ("<built-in method _hashlib.openssl_sha256>",), "write"),
    Rule("hash", "data/names.py", ("output_name",)),
    Rule("decode", "work/reading.py", ("read", "decoded")),
    Rule("score", "work/loading.py", ("heat_map",)),
    Rule("draw", "augmentations/", ("draw",)),
    Rule("apply", "augmentations/", ("apply", "apply_over")),
    Rule("apply", "augmentations/weights.py", ("weigh",)),
    Rule("encode", "data/codecs/encoding.py", ("encode",)),
    Rule("write", "files/folder.py", ("publish",), "add"),
    Rule("commit", "data/sinks/folder.py", ("commit",)),
    Rule("commit", "run/making/finish.py", ("finish",)),
)


def profiled(command: str, folder: Path, work: Path, images: int, *more: str) -> dict[str, float]:
    """Return microseconds an image of each stage of a command in this process alone.

    The profiler slows Python down and libraries not at all: shares of Python are shown too large.
    """
    file = work / "profile"
    # "python -m augcli" becomes "python -m cProfile -o FILE -m augcli".
    line = augcli(command, folder, new_out(work), 0, *more)
    watching = [sys.executable, "-m", "cProfile", "-o", str(file)]
    subprocess.run([*watching, *line[1:]], check=True, stdout=subprocess.DEVNULL)
    found = by_stage(pstats.Stats(str(file)))
    return {stage: seconds / images * 1e6 for stage, seconds in found.items()}


def by_stage(stats: pstats.Stats) -> dict[str, float]:
    """Return the seconds of each stage from the making of outputs on."""
    functions = stats.stats  # type: ignore[attr-defined]
    seconds = dict.fromkeys(STAGES, 0.0)
    images = inside_images = 0.0
    for (file, _, name), (_, _, _, cumulative, callers) in functions.items():
        if _is_of(IMAGES, file, name):
            images = cumulative
        for rule in RULES:
            if not _is_of(rule, file, name):
                continue
            if rule.caller:
                spent = sum(one[3] for who, one in callers.items() if who[2] == rule.caller)
            else:
                # A method that calls its parent's of the same name counts once; the sample for
                # the mean colour is no stage.
                outer = [
                    one[3]
                    for who, one in callers.items()
                    if who[2] != "_colour" and not (who[2] == name and _is_of(rule, who[0], name))
                ]
                spent = sum(outer) if callers else cumulative
            seconds[rule.stage] += spent
            inside_images += 0.0 if name in AROUND else spent
    seconds["other"] = max(0.0, images - inside_images)
    return seconds


def _is_of(rule: Rule, file: str, name: str) -> bool:
    inside = rule.file in file if rule.file.endswith("/") else file.endswith(rule.file)
    return inside and name in rule.names
