"""Histories by chance: a state machine that does to sources and OUT what people and bad luck do.

    python -m tests.guarantees.histories FOLDER HISTORIES

ends with an error that has the shortest history at whose end OUT is not as promised, or prints
figures.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.guarantees.changing_sources import Breakage, Change
from tests.guarantees.commands import METHODS, Command
from tests.guarantees.forks import Ending, Forks
from tests.guarantees.history import TABLES, History
from tests.models import save_scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")
STEPS = 20
FEW = 60
"""Sources that a folder may have before it grows by many."""

commands = st.builds(
    Command,
    st.sampled_from(list(METHODS)),
    copies=st.integers(1, 3),
    seed=st.integers(0, 1),
    format=st.sampled_from(["same", "png", "jpg"]),
    originals=st.sampled_from(["none", "encode", "copy"]),
    pair=st.sampled_from(["any", "different", "same"]),
)
folders = st.sampled_from(["cat", "dog", "emu/far"])
extensions = st.sampled_from(["png", "jpg"])
which = st.integers(0, 99)
"""Which of those that are there."""
workers = st.sampled_from([0, 0, 0, 0, 0, 1, 2])
"""Processes take long to start."""
moments = st.integers(1, 40) | st.integers(1, 200)
endings = st.builds(Ending, st.sampled_from([signal.SIGKILL, signal.SIGINT]), moments)
shares = st.sampled_from([0.0, 0.3, 0.9])


class Histories(RuleBasedStateMachine):
    """Rules for one history.

    Args:
        forks: Runs commands.
        folder: Each history gets a folder of its own in it.
        scorer: A scorer for attentive commands.
        figures: Counts what is done.
    """

    def __init__(self, forks: Forks, folder: Path, scorer: Path, figures: Counter[str]) -> None:
        super().__init__()
        self.forks, self._scorer, self._figures = forks, scorer, figures
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._ended = False

    @initialize(command=commands, count=st.integers(1, 5), others=st.integers(1, 4))
    def begin(self, command: Command, count: int, others: int) -> None:
        figures = self._figures
        figures["histories"] += 1
        self.history = History(self._folder, self.forks, self._scorer, figures, command)
        self.history.sources.add("cat", "png", count)
        self.history.sources.add("dog", "jpg", others)

    def teardown(self) -> None:
        try:
            # Not after a step that failed: its error is the one to see.
            if hasattr(self, "history") and not sys.exc_info()[0]:
                self.history.finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    # Sources.

    @rule(folder=folders, extension=extensions, count=st.integers(1, 4))
    def add(self, folder: str, extension: str, count: int) -> None:
        self.history.sources.add(folder, extension, count)

    @precondition(lambda self: len(self.history.sources.files) < FEW)
    @rule(folder=folders, extension=extensions, count=st.integers(30, 150))
    def grow(self, folder: str, extension: str, count: int) -> None:
        self.history.sources.add(folder, extension, count)

    @precondition(lambda self: len(self.history.sources.there) > 1)
    @rule(which=which)
    def remove(self, which: int) -> None:
        self.history.sources.remove(_chosen(self.history.sources.there, which))

    @precondition(lambda self: len(self.history.sources.there) > 16)
    @rule(share=st.integers(2, 8))
    def shrink(self, share: int) -> None:
        for path in self.history.sources.there[::share]:
            self.history.sources.remove(path)

    @precondition(lambda self: self.history.sources.visible)
    @rule(which=which, how=st.sampled_from(get_args(Change)))
    def change(self, which: int, how: Change) -> None:
        self.history.sources.change(_chosen(self.history.sources.visible, which), how)

    @precondition(lambda self: self.history.sources.there)
    @rule(which=which, folder=folders)
    def rename(self, which: int, folder: str) -> None:
        self.history.sources.rename(_chosen(self.history.sources.there, which), folder)

    @precondition(lambda self: self.history.sources.visible)
    @rule(which=which, how=st.sampled_from(get_args(Breakage)))
    def break_(self, which: int, how: Breakage) -> None:
        self.history.sources.break_(_chosen(self.history.sources.visible, which), how)

    @precondition(lambda self: self.history.sources.broken)
    @rule(which=which)
    def mend(self, which: int) -> None:
        self.history.sources.mend(_chosen(self.history.sources.broken, which))

    @precondition(lambda self: self.forks.can_hide and self.history.sources.visible)
    @rule(which=which)
    def hide(self, which: int) -> None:
        self.history.sources.hide(_chosen(self.history.sources.visible, which))

    @precondition(lambda self: self.history.sources.hidden)
    @rule(which=which)
    def show(self, which: int) -> None:
        self.history.sources.show(_chosen(sorted(self.history.sources.hidden), which))

    @precondition(lambda self: self.history.sources.labels)
    @rule(which=which, hides=st.booleans())
    def lose_class(self, which: int, hides: bool) -> None:
        label = _chosen(self.history.sources.labels, which)
        if hides and self.forks.can_hide:
            self.history.sources.hide(label)
        else:
            self.history.sources.take(label)

    @precondition(lambda self: self.history.sources.hidden or self.history.sources.aside)
    @rule()
    def find_all(self) -> None:
        for path in sorted(self.history.sources.hidden):
            self.history.sources.show(path)
        for label in sorted(self.history.sources.aside):
            self.history.sources.bring(label)

    # OUT.

    @precondition(lambda self: self.history.outputs)
    @rule(which=which, what=st.sampled_from(["output", "class", "size", *TABLES]))
    def lose_output(self, which: int, what: str) -> None:
        name = _chosen(self.history.outputs, which)
        if what == "size":
            self.history.change_output(name)
        else:
            top = name.partition("/")[0]
            self.history.remove_output({"output": name, "class": top}.get(what, what))

    @precondition(lambda self: self.history.records)
    @rule(which=which, share=shares)
    def damage(self, which: int, share: float) -> None:
        self.history.damage(_chosen(self.history.records, which), share)

    @precondition(lambda self: self.history.out.exists())
    @rule()
    def lose_or_restore_record(self) -> None:
        if self.history.is_lost:
            self.history.restore_record()
        else:
            self.history.lose_record()

    @precondition(lambda self: self.history.out.exists())
    @rule()
    def remove_out(self) -> None:
        self.history.remove_out()

    # Commands.

    @rule(workers=workers)
    def run(self, workers: int) -> None:
        self.history.run(workers=workers)

    @rule(ending=endings, workers=workers)
    def run_and_end(self, ending: Ending, workers: int) -> None:
        self.history.run(workers=workers, ending=ending)

    @rule(folder=folders, extension=extensions, count=st.integers(1, 30), ending=endings)
    def add_and_end(self, folder: str, extension: str, count: int, ending: Ending) -> None:
        self.history.sources.add(folder, extension, count)
        self.history.run(ending=ending)

    @precondition(lambda self: self.history.sources.visible)
    @rule(which=which, how=st.sampled_from(get_args(Change)), ending=endings)
    def change_and_end(self, which: int, how: Change, ending: Ending) -> None:
        self.history.sources.change(_chosen(self.history.sources.visible, which), how)
        self.history.run(ending=ending)

    @rule(
        option=st.sampled_from(["--retry-failed", "--fail-fast", "--overwrite", "--accept-missing"])
    )
    def run_with(self, option: str) -> None:
        self.history.run(None, option)

    @rule(command=commands, ending=st.none() | endings, workers=workers)
    def overwrite(self, command: Command, ending: Ending | None, workers: int) -> None:
        self.history.run(command, "--overwrite", workers=workers, ending=ending)

    @rule(command=commands)
    def run_another(self, command: Command) -> None:
        self.history.run(command)


def _chosen(those: Sequence[Item], number: int) -> Item:
    return those[number % len(those)]


def loop(
    folder: Path, histories: int, *, steps: int = STEPS, shorten: bool = True, fixed: bool = True
) -> Counter[str]:
    """Live through histories by chance; return what happened in them.

    Args:
        folder: An empty folder.
        histories: How many.
        steps: Rules in each, at most.
        shorten: Whether the shortest history is looked for that ends in a difference.
        fixed: Whether the histories are the same each time.

    Raises:
        Difference: Something is not as promised.
    """
    figures = Counter[str]()
    scorer = save_scorer(folder / "scorer.onnx")
    phases = [Phase.generate, Phase.shrink] if shorten else [Phase.generate]
    chosen = settings(
        max_examples=histories,
        stateful_step_count=steps,
        derandomize=fixed,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    with Forks() as forks:

        class Bound(Histories):
            def __init__(self) -> None:
                super().__init__(forks, folder, scorer, figures)

        run_state_machine_as_test(Bound, settings=chosen)
    return figures


if __name__ == "__main__":
    print(json.dumps(loop(Path(sys.argv[1]), int(sys.argv[2]))))
