"""Fuzzing with what people and programs write: scorers, label tables, recipes, options.

A program of its own: a crash of onnxruntime must not end the tests.

    python -m tests.guarantees.words FOLDER COUNT [SEED]
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import onnx

import augcli
from augcli.cli.app import main
from augcli.errors import EXIT_BUG, Stopped, UsageError
from augcli.recipes.recipe import shipped_recipes
from tests import models
from tests.guarantees.state import photos
from tests.photos import tree

PATIENCE = 120
ODD = (
    *("0", "-1", "1e999", "nan", "-inf", "99999999999999999999999", "0.5", "true", '""', '"x"'),
    *('"\\u0000"', '"../../x"', "[]", "[[]]", "{}", "{a=1}", "1979-05-27", '"é\\n"', "'''a\nb'''"),
    *('"' + "a" * 300 + '"', "[1, 2, 3]", "[0.1, [2]]", '"/dev/null"', '"16x9"', '"255,0,0"'),
)
KEYS = (
    *("patch", "count", "fill", "copies", "seed", "size", "format", "quality", "workers", "limit"),
    *("labels", "model", "out", "pair", "prob", "use", "name", "weight", "one_of", "config"),
    *("max_pixels", "fsync", "originals", "top_n", "grid", "json", "quiet", "dry_run"),
)
CONFIG = "copies = 1\nseed = 3\nfill = 'black'\nprint_recipe = false\n[cutout]\npatch = 5\n"


def mutated_bytes(data: bytes, random_: random.Random) -> bytes:
    """Cut, flip, double or replace bytes."""
    found = bytearray(data)
    for _ in range(random_.choice((1, 1, 2, 5))):
        at = random_.randrange(len(found) + 1)
        match random_.randrange(5):
            case 0:
                del found[at:]
            case 1 | 2:
                found[at : at + 1] = bytes([random_.randrange(256)])
            case 3:
                del found[at : at + random_.randrange(20)]
            case 4:
                found[at:at] = found[: random_.randrange(1, 40)]
    return bytes(found)


def mutated_toml(text: str, random_: random.Random) -> bytes:
    """Give keys other values, or other keys; or mutate the bytes."""
    if random_.random() < 0.3:
        return mutated_bytes(text.encode(), random_)
    lines = text.splitlines()
    for _ in range(random_.choice((1, 1, 2, 3))):
        at = random_.randrange(len(lines))
        key = lines[at].partition("=")[0].strip() if "=" in lines[at] else random_.choice(KEYS)
        match random_.randrange(4):
            case 0 | 1:
                lines[at] = f"{key} = {random_.choice(ODD)}"
            case 2:
                lines.insert(at, f"{random_.choice(KEYS)} = {random_.choice(ODD)}")
            case 3:
                lines.insert(at, lines[random_.randrange(len(lines))])
    return "\n".join(lines).encode()


def command_line(*arguments: object) -> int:
    """Run the command line here and return its exit code."""
    sys.argv = ["augcli", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    raise AssertionError("main returned")


class Fuzzer:
    """Holds the folders; each method tries one mutated file and returns an exit code."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.source = photos(folder / "in" / "photos", count=4)
        self.file = folder / "mutated"
        self.good = models.save_scorer(folder / "good.onnx", side=None).read_bytes()
        names = [path.relative_to(self.source).as_posix() for path in self.source.glob("*/*")]
        self.table = "file_name,label\n" + "".join(f'{one},"a, ""b"""\n' for one in sorted(names))
        self.recipes = sorted(shipped_recipes().values())

    def scorer(self) -> int:
        """Load a mutated ONNX graph, and use it if it can be loaded."""
        model = self.good
        if self.random.random() < 0.5:
            model = self._odd_graph()
        self.file.write_bytes(mutated_bytes(model, self.random))
        return self._api(model=self.file)

    def labels(self) -> int:
        """Read a mutated label table."""
        self.file.write_bytes(mutated_bytes(self.table.encode(), self.random))
        return self._api(labels=self.file)

    def recipe(self) -> int:
        """Read a mutated recipe, and check what it says of the sources."""
        text = self.random.choice(self.recipes)
        self.file.write_bytes(mutated_toml(text, self.random))
        if self.random.random() < 0.7:
            return command_line("recipe", "check", self.file)
        return command_line("run", self.file, self.source, "--dry-run", "--workers", 0)

    def config(self) -> int:
        """Read a mutated configuration file."""
        self.file.write_bytes(mutated_toml(CONFIG, self.random))
        rest = ("--dry-run", "--workers", 0, "--config", self.file)
        return command_line("cutout", self.source, *rest)

    def _odd_graph(self) -> bytes:
        """A graph that is one, with other metadata, sizes or numbers."""
        model = onnx.load_model_from_string(self.good)
        for key in ("size", "range", "mean", "std", "channels", "multiple", "nonsense"):
            if self.random.random() < 0.3:
                model.metadata_props.add(key=f"augcli.{key}", value=self.random.choice(ODD))
        return bytes(model.SerializeToString())

    def _api(self, **options: Any) -> int:
        out = self.folder / "in" / "out"
        shutil.rmtree(out, ignore_errors=True)
        method = augcli.AttentiveCutMix(top_n=4) if "model" in options else augcli.Cutout(patch=4)
        try:
            return augcli.augment(self.source, method, out=out, workers=0, **options).exit_code
        except (UsageError, Stopped) as error:
            return error.exit_code


def loop(folder: Path, count: int, seed: int = 0) -> dict[str, int]:
    """Try ``count`` files of all kinds in turn.

    Returns:
        How many there were of each kind, and how many exit codes of each kind.
    """
    fuzzer = Fuzzer(folder, seed)
    before = tree(fuzzer.source)
    kinds = (fuzzer.scorer, fuzzer.labels, fuzzer.recipe, fuzzer.config)
    figures = {kind.__name__: 0 for kind in kinds}
    for number in range(count):
        kind = kinds[number % len(kinds)]
        signal.alarm(PATIENCE)
        try:
            code = kind()
        except Exception:
            shutil.copy(fuzzer.file, folder.parent / f"crash-{kind.__name__}")
            raise
        signal.alarm(0)
        if code not in (0, 2):
            shutil.copy(fuzzer.file, folder.parent / f"exit-{code}-{kind.__name__}-{number}")
        assert code != EXIT_BUG, f"{kind.__name__} {number}: {fuzzer.file.read_bytes()!r}"
        figures[kind.__name__] += 1
        figures[f"exit {code}"] = figures.get(f"exit {code}", 0) + 1
    assert tree(fuzzer.source) == before
    return figures


if __name__ == "__main__":
    answer = os.fdopen(os.dup(1), "w")
    # What the command line and the libraries write is no answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    figures = loop(Path(sys.argv[1]), *map(int, sys.argv[2:]))
    print(json.dumps(figures), file=answer, flush=True)
