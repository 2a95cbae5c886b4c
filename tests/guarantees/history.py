"""A history: what a person does to a folder of sources and to its OUT, step by step.

Each step is recorded as a line that can be followed by hand. After every run that comes to its
end, OUT must equal the OUT of one undisturbed run on the same sources, and `augcli verify` must
agree. Steps can lead into states that augcli refuses to work with, with one of the documented exit
codes: then OUT must be as it was before.
"""

from __future__ import annotations

import functools
import io
import json
import os
import random
import shutil
import signal
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from PIL import Image as Pillow

from augcli.data.manifest import CARD, CLASSES, ERRORS, MANIFEST
from augcli.data.output import FOLDED_PARTS, LOCK, PARTS, STATE, TEMPORARY
from augcli.data.run_record import RECORD
from tests.photos import LONG_AGO, picture, rows, tree

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from tests.command import Outcome
    from tests.guarantees.forks import Ending, Forks

RECIPE = """
[[step]]
use = "flip"
prob = 0.5

[[step]]
use = "cutmix"
region = "box"
"""
METHODS = {
    "cutout": ("cutout", "photos", "--patch", "5", "--fill", "black"),
    "cutmix": ("cutmix", "photos", "--region", "cells", "--top-n", "9"),
    "attentive": ("cutmix", "photos", "--model", "scorer.onnx", "--top-n", "9"),
    "recipe": ("run", "recipe.toml", "photos"),
}
"""Not with the mean colour, which the first run fixes."""
TABLES = (MANIFEST, CLASSES, CARD, ERRORS)
ALIKE = ("augcli", "state", "identity", "mean_colour", "white_level", "jobs", "refused", "counts")
"""What run.json says independently of the history."""
SHAPES = 3
ANOTHER_COMMAND = "was made by another command"

Breakage = Literal["cut", "garbage", "empty"]
Change = Literal["same", "other", "time"]
CHANGES: dict[Change, str] = {
    "same": "another picture, a PNG of the same size",
    "other": "another picture",
    "time": "touched",
}


class Difference(AssertionError):
    """Something is not as promised; its text has the whole history."""


class Command(NamedTuple):
    """A command without its options of one run.

    Attributes:
        method: A key of :data:`METHODS`.
        copies: Outputs for each source.
        seed: Seed of all chance.
        format: Format of the outputs.
        originals: Whether originals come along.
        pair: Which donors are allowed; without a meaning for cutout.
    """

    method: str
    copies: int = 1
    seed: int = 0
    format: str = "same"
    originals: str = "none"
    pair: str = "any"

    def words(self) -> list[str]:
        """Return the command as words, with names that are relative to the folder."""
        words = [*METHODS[self.method], "--copies", str(self.copies), "--seed", str(self.seed)]
        words += ["--format", self.format, "--originals", self.originals]
        return words if self.method == "cutout" else [*words, "--pair", self.pair]


@functools.cache
def content(seed: int, extension: str) -> bytes:
    """Return a picture; PNG files of seeds that differ by a multiple of SHAPES have one size."""
    data = io.BytesIO()
    side = 9 + 2 * (seed % SHAPES)
    image = Pillow.fromarray(picture(seed, side, 10))
    if extension == "png":
        image.save(data, "PNG", compress_level=0)
    else:
        image.save(data, "JPEG", quality=90)
    return data.getvalue()


class History:
    """Sources, an OUT, and all that was done to them.

    Args:
        folder: An empty folder.
        forks: Runs commands.
        scorer: A scorer for attentive commands.
        figures: Counts what is done.
        command: The first command.

    Attributes:
        command: What OUT is to hold.
        files: Seed of the content of each source, by path; those put aside too.
        hidden: Sources and class folders that can't be read.
        aside: Class folders that lie elsewhere for now.
        lines: What was done.
    """

    def __init__(
        self,
        folder: Path,
        forks: Forks,
        scorer: Path,
        figures: Counter[str],
        command: Command,
    ) -> None:
        self.folder = folder
        self.command = command
        self.files: dict[str, int] = {}
        self.hidden: set[str] = set()
        self.aside: set[str] = set()
        self.lines: list[str] = []
        self._forks = forks
        self._figures = figures
        self._number = 0
        self._times: dict[str, int] = {}
        self._damaged: set[str] = set()
        self._read: set[tuple[str, int]] = set()
        self._known: set[str] = set()
        self._ever_known: set[str] = set()
        self._is_taken_over = True
        self._may_stray = False
        self._lost: bytes | None = None
        self._last_clean: tuple[object, Outcome] | None = None
        self.photos, self.out, self.clean = folder / "photos", folder / "out", folder / "clean"
        for name in ("photos", "aside"):
            (folder / name).mkdir()
        (folder / "recipe.toml").write_text(RECIPE)
        shutil.copyfile(scorer, folder / "scorer.onnx")

    # Sources.

    @property
    def there(self) -> list[str]:
        """The sources that lie in INPUT in folders that can be listed."""
        return [path for path in sorted(self.files) if not self._is_away(_top(path))]

    @property
    def visible(self) -> list[str]:
        """Those of them that can be read."""
        return [path for path in self.there if path not in self.hidden]

    @property
    def broken(self) -> list[str]:
        """Those of them that are damaged."""
        return [path for path in self.visible if path in self._damaged]

    @property
    def labels(self) -> list[str]:
        """The class folders with sources that can be listed."""
        return sorted({_top(path) for path in self.there})

    def add(self, folder: str, extension: str, count: int = 1) -> None:
        """Add new pictures to a folder whose class is not away."""
        if self._is_away(_top(folder)):
            return
        first = self._number
        for _ in range(count):
            path = f"{folder}/{self._number:04d}.{extension}"
            self._write(path, content(self._number, extension))
            self.files[path] = self._number
        last = f" to {self._number - 1:04d}" if count > 1 else ""
        self._say(f"new pictures photos/{folder}/{first:04d}{last} ({extension})")

    def remove(self, path: str) -> None:
        """Remove a source."""
        (self.photos / path).unlink()
        del self.files[path]
        self.hidden.discard(path)
        self._damaged.discard(path)
        self._say(f"rm photos/{path}")

    def change(self, path: str, how: Change) -> None:
        """Give a source another content or another time."""
        if how == "time":
            seed = self.files[path]
        else:
            seed = self.files[path] + (1000 * SHAPES if how == "same" else 1001)
        self.files[path] = seed
        self._write(path, content(seed, path.rpartition(".")[2]))
        self._say(f"{CHANGES[how]}: photos/{path}")

    def rename(self, path: str, folder: str) -> None:
        """Give a source another name, maybe in another folder."""
        if self._is_away(_top(folder)):
            return
        new = f"{folder}/r{self._number:04d}.{path.rpartition('.')[2]}"
        self._number += 1
        (self.photos / folder).mkdir(parents=True, exist_ok=True)
        (self.photos / path).rename(self.photos / new)
        self.files[new], self._times[new] = self.files.pop(path), self._times[path]
        for those in (self.hidden, self._damaged):
            if path in those:
                those.remove(path)
                those.add(new)
        self._say(f"mv photos/{path} photos/{new}")

    def break_(self, path: str, how: Breakage) -> None:
        """Damage a source."""
        whole = content(self.files[path], path.rpartition(".")[2])
        if how == "cut":
            data = whole[: len(whole) // 2]
        elif how == "garbage":
            data = random.Random(self.files[path]).randbytes(len(whole))
        else:
            data = b""
        self._write(path, data)
        self._damaged.add(path)
        self._say(f"broken ({how}): photos/{path}")

    def mend(self, path: str) -> None:
        """Write a source as it was before it was damaged."""
        self._write(path, content(self.files[path], path.rpartition(".")[2]))
        self._say(f"written again: photos/{path}")

    def hide(self, path: str) -> None:
        """Make a source or a class folder unreadable."""
        (self.photos / path).chmod(0)
        self.hidden.add(path)
        self._say(f"chmod 0 photos/{path}")

    def show(self, path: str) -> None:
        """Make it readable again."""
        target = self._place(path)
        self.hidden.discard(path)
        target.chmod(0o755 if target.is_dir() else 0o644)
        self._say(f"chmod u+rwX photos/{path}")

    def take(self, label: str) -> None:
        """Put a class folder aside, as if its disk were not mounted."""
        (self.photos / label).rename(self.folder / "aside" / label)
        self.aside.add(label)
        self._say(f"mv photos/{label} aside/")

    def bring(self, label: str) -> None:
        """Put it back."""
        (self.folder / "aside" / label).rename(self.photos / label)
        self.aside.discard(label)
        self._say(f"mv aside/{label} photos/")

    # OUT.

    @property
    def outputs(self) -> list[str]:
        """The pictures in OUT."""
        return [
            path.relative_to(self.out).as_posix()
            for path in sorted(self.out.glob("*/**/*"))
            if path.is_file() and STATE not in path.parts
        ]

    @property
    def records(self) -> list[Path]:
        """The files that hold parts."""
        found = sorted((self.out / PARTS).glob("*")) if (self.out / PARTS).is_dir() else []
        folded = self.out / FOLDED_PARTS
        return [*found, *([folded] if folded.exists() else [])]

    @property
    def is_lost(self) -> bool:
        """Whether run.json was removed."""
        return self._lost is not None

    def remove_out(self) -> None:
        """Start from nothing."""
        shutil.rmtree(self.out, ignore_errors=True)
        self._read.clear()
        self._known.clear()
        self._ever_known.clear()
        self._lost, self._may_stray = None, False
        self._say("rm -r out")

    def lose_record(self) -> None:
        """Remove run.json."""
        path = self.out / RECORD
        if path.exists():
            self._lost = path.read_bytes()
            path.unlink()
            self._known.clear()
            self._say(f"mv out/{RECORD} elsewhere")

    def restore_record(self) -> None:
        """Put run.json back."""
        path = self.out / RECORD
        if self._lost is not None and self.out.exists() and not path.exists():
            path.write_bytes(self._lost)
            self._say(f"out/{RECORD} put back")
        self._lost = None

    def damage(self, path: Path, share: float) -> None:
        """Cut a file of parts; nothing of it stays with a share of 0."""
        name = path.relative_to(self.folder)
        if share:
            os.truncate(path, int(path.stat().st_size * share))
            self._say(f"{name} cut to {share:.0%}")
        else:
            path.unlink()
            self._say(f"rm {name}")
        # Documented: nobody knows its outputs any more.
        self._may_stray = True
        self._known.clear()

    def remove_output(self, name: str) -> None:
        """Remove an output or a table, or all outputs of a class."""
        path = self.out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        self._say(f"rm -r out/{name}")

    def change_output(self, name: str) -> None:
        """Give an output another size."""
        with (self.out / name).open("ab") as file:
            file.write(b"x")
        self._say(f"echo -n x >> out/{name}")

    # Commands.

    def run(
        self,
        command: Command | None = None,
        *extra: str,
        workers: int = 0,
        ending: Ending | None = None,
    ) -> Outcome:
        """Run a command, by default the current one, and check how it ends.

        Args:
            command: What to run.
            *extra: Options of this run, such as ``--overwrite``.
            workers: Worker processes.
            ending: How it is ended from outside.
        """
        command = command or self.command
        words = [*command.words(), *extra, "--workers", str(workers), "--out", "out"]
        must = [] if "--accept-missing" in extra else self._missing(self._known)
        must = must if command == self.command else []
        before, around = self._state(), self._around()
        self._say(f"augcli {' '.join(words)}" + (f"   # {ending}" if ending else ""))
        outcome = self._forks.run(words, str(self.folder), str(self.out), ending)
        self._count(outcome, ending)
        self.lines[-1] += f"   -> {outcome.code}"
        if around != self._around():
            self._differ("something outside of OUT changed", outcome)
        allowed = {0, 1, 2, 3, *([130, -signal.SIGKILL] if ending else [])}
        if outcome.code not in allowed:
            self._differ(f"exit code {outcome.code}", outcome)
        if outcome.code == 2:
            self._check_refused(command, extra, outcome)
        if outcome.code == 3 and not must and not self._may_stop(extra):
            self._differ("stopped without a reason", outcome)
        if outcome.code == 2 or (outcome.code == 3 and "--fail-fast" not in extra):
            if before != self._state():
                self._differ("refused, but OUT changed", outcome)
            return outcome
        if must and outcome.code in (0, 1):
            self._differ(f"no source of class {must[0]!r} is there, but the run went on", outcome)
        self._note_read()
        is_other = command != self.command
        self.command = command
        if is_other:
            self._known.clear()
            self._is_taken_over = False
        if outcome.code in (0, 1):
            self._complete(outcome)
        return outcome

    def finish(self) -> None:
        """Run the current command to its end, whatever happened before, and compare."""
        self.restore_record()
        self._finish_once()
        if self.hidden:
            for path in sorted(self.hidden):
                self.show(path)
            self._finish_once()
        if (self.out / RECORD).exists():
            before = self._state()
            outcome = self.run()
            if outcome.code in (0, 1) and before != self._state():
                self._differ("nothing changed, but a run wrote", outcome)

    def _finish_once(self) -> None:
        extra = [] if self._is_taken_over else ["--overwrite"]
        outcome = self.run(None, *extra)
        if outcome.code == 3:
            outcome = self.run(None, *extra, "--accept-missing")
            if outcome.code == 3:
                self._differ("stopped although what is missing was accepted", outcome)

    def _complete(self, outcome: Outcome) -> None:
        self._is_taken_over, self._lost = True, None
        self._known = {_top(path) for path in self.there}
        if self._may_stray:
            self._remove_strays()
        if self._is_comparable:
            self._compare(outcome)
        self._verify()

    def _remove_strays(self) -> None:
        """Remove what a damaged part recorded and no row names: nobody else can."""
        known = {row["file_name"] for row in rows(self.out)}
        for name in self.outputs:
            if name not in known:
                (self.out / name).unlink()
                self._say(f"rm out/{name}   # of a damaged part")
        for folder in sorted(self.out.glob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        self._may_stray = False

    @property
    def _is_comparable(self) -> bool:
        """Whether no source was read before that can't be read now: its outputs stay."""
        unreadable = [
            path
            for path in self.files
            if (path in self.hidden or _top(path) in self.hidden) and _top(path) not in self.aside
        ]
        return not any((path, self._times[path]) in self._read for path in unreadable)

    def _compare(self, outcome: Outcome) -> None:
        """Compare OUT with the OUT of a run that nothing disturbed."""
        clean = self._run_clean()
        self._figures["compared"] += 1
        expected, found = tree(self.clean, hidden=False), tree(self.out, hidden=False)
        extra = sorted(found.keys() - expected.keys())
        missing = sorted(expected.keys() - found.keys())
        other = sorted(name for name in found if name in expected and found[name] != expected[name])
        if extra or missing or other:
            self._differ(
                f"OUT differs from a clean run: {len(extra)} more {extra[:3]}, "
                f"{len(missing)} missing {missing[:3]}, {len(other)} differ {other[:3]}"
                + _rows_that_differ(found, expected),
                outcome,
            )
        if (self.out / STATE).exists():
            self._differ(f"complete, but {STATE} is left", outcome)
        for key in ALIKE:
            records = [json.loads((out / RECORD).read_bytes()) for out in (self.out, self.clean)]
            if records[0].get(key) != records[1].get(key):
                self._differ(
                    f"{key} of run.json is {records[0].get(key)}, of a clean run "
                    f"{records[1].get(key)}",
                    outcome,
                )
        if clean.code != outcome.code:
            self._differ(f"exit code {outcome.code}, of a clean run {clean.code}", outcome)

    def _verify(self) -> None:
        against = ["--against", "photos"] if self._is_comparable else []
        outcome = self._forks.run(["verify", "out", *against], str(self.folder))
        self._figures["verified"] += 1
        if outcome.code:
            self._say(f"augcli verify out {' '.join(against)}   -> {outcome.code}")
            self._differ("verify finds problems", outcome)

    def _run_clean(self) -> Outcome:
        """Run the command as the first one, unless the last clean run was on the same sources."""
        key = (self.command, _stamps(self.photos))
        if not self._last_clean or self._last_clean[0] != key:
            shutil.rmtree(self.clean, ignore_errors=True)
            words = [*self.command.words(), "--workers", "0", "--out", "clean"]
            self._last_clean = key, self._forks.run(words, str(self.folder))
        return self._last_clean[1]

    def _check_refused(self, command: Command, extra: tuple[str, ...], outcome: Outcome) -> None:
        """Check that a command was refused with a reason."""
        if self._lost is not None:
            return
        if ANOTHER_COMMAND in outcome.err:
            is_other = command != self.command or not self._is_taken_over
            if is_other and "--overwrite" not in extra:
                return
        else:
            current, self.command = self.command, command
            clean = self._run_clean()
            self.command = current
            if clean.code == 2:
                return
        self._differ("refused without a reason", outcome)

    def _may_stop(self, extra: tuple[str, ...]) -> bool:
        """Return whether a run may stop: a known folder has no source, or an image failed."""
        accepted = "--accept-missing" in extra
        return "--fail-fast" in extra or (not accepted and bool(self._missing(self._ever_known)))

    def _missing(self, known: set[str]) -> list[str]:
        """Return the known folders in which no source lies that can be listed."""
        there = {folder for path in self.there for folder in _folders(path)}
        return sorted(known - there)

    # What lies where.

    def _is_away(self, label: str) -> bool:
        return label in self.aside or label in self.hidden

    def _place(self, path: str) -> Path:
        return (self.folder / "aside" if _top(path) in self.aside else self.photos) / path

    def _note_read(self) -> None:
        """Note what the run that just ended may have read."""
        for path in self.visible:
            self._read.add((path, self._times[path]))
        self._ever_known |= {folder for path in self.there for folder in _folders(path)}

    def _write(self, path: str, data: bytes) -> None:
        target = self.photos / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path in self.hidden:
            self.show(path)
        target.write_bytes(data)
        self._damaged.discard(path)
        self._number += 1
        # One for each write: a changed source has another time.
        time = LONG_AGO + self._number * 10**9
        os.utime(target, ns=(time, time))
        self._times[path] = time

    def _state(self) -> dict[str, tuple[int, ...]]:
        """Return what tells each file of OUT from a changed one."""
        passing = (LOCK, f"{TEMPORARY}/")
        return {
            name: found for name, found in _stamps(self.out).items() if not name.startswith(passing)
        }

    def _around(self) -> dict[str, tuple[int, ...]]:
        """Return what tells each file around OUT from a changed one."""
        return {
            name: found
            for name, found in _stamps(self.folder).items()
            if not name.startswith(("out/", "clean/"))
        }

    def _count(self, outcome: Outcome, ending: Ending | None) -> None:
        self._figures["runs"] += 1
        if outcome.code == -signal.SIGKILL:
            self._figures["kills"] += 1
        elif ending and outcome.code == 130:
            self._figures["interrupts"] += 1
        elif outcome.code in (2, 3):
            self._figures["refusals"] += 1

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self._figures["steps"] += 1

    def _differ(self, what: str, outcome: Outcome) -> NoReturn:
        steps = "\n".join(f"  {number:2}. {line}" for number, line in enumerate(self.lines, 1))
        raise Difference(f"{what}\n{outcome.err.rstrip()}\n\nThe history:\n{steps}")


def _top(path: str) -> str:
    """Return the class folder of a source."""
    return path.partition("/")[0]


def _folders(path: str) -> list[str]:
    """Return all folders that a source lies in.

    Example:
        >>> _folders("emu/far/1.png")
        ['emu', 'emu/far']
    """
    names = path.split("/")[:-1]
    return ["/".join(names[: count + 1]) for count in range(len(names))]


def _stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what tells each file below a folder from a changed one, by its path."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            state = os.lstat(path)
            found[os.path.relpath(path, folder)] = (
                state.st_ino,
                state.st_mode,
                state.st_size,
                state.st_mtime_ns,
                state.st_ctime_ns,
            )
    return found


def _rows_that_differ(found: dict[str, bytes], expected: dict[str, bytes]) -> str:
    """Return the first rows of the tables that only one of them has."""
    text = ""
    for table in (MANIFEST, ERRORS):
        lines = [set(one.get(table, b"").decode().splitlines()) for one in (found, expected)]
        for sign, these, others in (("+", *lines), ("-", *reversed(lines))):
            text += "".join(f"\n{sign} {table}: {row}" for row in sorted(these - others)[:3])
    return text
