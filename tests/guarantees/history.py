"""A history: what a person does to a folder of sources and to its OUT, step by step.

Each step is recorded as a line that can be followed by hand. After every run that comes to its
end, OUT must equal the OUT of one undisturbed run on the same sources, and `augcli verify` must
agree. Steps can lead into states that augcli refuses to work with, with one of the documented exit
codes: then OUT must be as it was before.
"""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING, NoReturn

from augcli.data.manifest import CARD, CLASSES, ERRORS
from augcli.data.manifest_formats.formats import MANIFESTS
from augcli.data.output import FOLDED_PARTS, LOCK, PARTS, STATE, TEMPORARY
from augcli.data.run_record import RECORD
from tests.guarantees.changing_sources import ChangingSources
from tests.guarantees.commands import RECIPE
from tests.guarantees.comparing import difference, stamps
from tests.photos import rows

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from tests.command import Outcome
    from tests.guarantees.commands import Command
    from tests.guarantees.forks import Ending, Forks

TABLES = (*MANIFESTS, CLASSES, CARD, ERRORS)
ANOTHER_COMMAND = "was made by another command"


class Difference(AssertionError):
    """Something is not as promised; its text has the whole history."""


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
        sources: INPUT.
        out: OUT.
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
        self.lines: list[str] = []
        self._forks = forks
        self._figures = figures
        self._read: set[tuple[str, int]] = set()
        self._known: set[str] = set()
        self._ever_known: set[str] = set()
        self._is_taken_over = True
        self._may_stray = False
        self._lost: bytes | None = None
        self._last_clean: tuple[object, Outcome] | None = None
        self.sources = ChangingSources(folder, self._say)
        self.out, self._clean = folder / "out", folder / "clean"
        (folder / "recipe.toml").write_text(RECIPE)
        shutil.copyfile(scorer, folder / "scorer.onnx")

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
        if self.sources.hidden:
            for path in sorted(self.sources.hidden):
                self.sources.show(path)
            self._finish_once()
        # A run that estimates always writes what it estimated.
        if (self.out / RECORD).exists() and self.command.method != "mean":
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
        self._known = set(self.sources.labels)
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
        sources = self.sources
        return not any((path, sources.times[path]) in self._read for path in sources.unreadable())

    def _compare(self, outcome: Outcome) -> None:
        """Compare OUT with the OUT of a run that nothing disturbed."""
        clean = self._run_clean()
        self._figures["compared"] += 1
        found = difference(self.out, self._clean)
        if found:
            self._differ(found, outcome)
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
        key = (self.command, stamps(self.sources.folder), sorted(self.sources.hidden))
        if not self._last_clean or self._last_clean[0] != key:
            shutil.rmtree(self._clean, ignore_errors=True)
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
        return sorted(known - self.sources.folders())

    # What lies where.

    def _note_read(self) -> None:
        """Note what the run that just ended may have read."""
        sources = self.sources
        self._read |= {(path, sources.times[path]) for path in sources.visible}
        self._ever_known |= sources.folders()

    def _state(self) -> dict[str, tuple[int, ...]]:
        """Return what tells each file of OUT from a changed one."""
        passing = (LOCK, f"{TEMPORARY}/")
        return {
            name: found for name, found in stamps(self.out).items() if not name.startswith(passing)
        }

    def _around(self) -> dict[str, tuple[int, ...]]:
        """Return what tells each file around OUT from a changed one."""
        return {
            name: found
            for name, found in stamps(self.folder).items()
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
