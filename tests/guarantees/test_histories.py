"""After any history of sources and OUT, OUT is that of one run on the same sources."""

from __future__ import annotations

import shutil
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from augcli.data.output import FOLDED_PARTS
from tests.guarantees.commands import METHODS, WITHOUT_DONOR, Command
from tests.guarantees.forks import Ending, Forks
from tests.guarantees.histories import loop
from tests.guarantees.history import Difference, History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
HISTORIES = 10
STEPS = 12
CUTOUT, CUTMIX = Command("cutout"), Command("cutmix")
MIXERS = [Command(method, copies=2) for method in METHODS if method not in WITHOUT_DONOR]


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as forks:
        yield forks


@pytest.fixture
def hiding(forks: Forks) -> None:
    """Skip a test where nothing can be made unreadable."""
    if not forks.can_hide:
        pytest.skip("root reads all here")


@pytest.fixture
def start(tmp_path: Path, forks: Forks, scorer: Path) -> Callable[[Command], History]:
    """Begin a history with 4 cats and 4 dogs: 0000.png to 0003.png and 0004.jpg to 0007.jpg."""

    def begin(command: Command) -> History:
        history = History(tmp_path / "history", forks, scorer, Counter(), command)
        history.sources.add("cat", "png", 4)
        history.sources.add("dog", "jpg", 4)
        return history

    (tmp_path / "history").mkdir()
    return begin


def test_histories_by_chance(tmp_path: Path) -> None:
    figures = loop(tmp_path, HISTORIES, steps=STEPS, shorten=False)
    assert figures["histories"] >= HISTORIES
    assert figures["compared"] >= HISTORIES
    assert figures["kills"] + figures["interrupts"] > 0


def test_a_difference_is_reported_with_its_history(start: Callable[[Command], History]) -> None:
    history = start(CUTOUT)
    history.run()
    path = history.out / history.outputs[0]
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    history.sources.add("cat", "png")
    with pytest.raises(Difference, match=r"1 differ.*(?s:.*)3\. augcli cutout photos .*-> 0"):
        history.run()


@pytest.mark.usefixtures("hiding")
@pytest.mark.parametrize("command", [CUTOUT, Command("mean"), *MIXERS])
@pytest.mark.parametrize("extra", [[], ["--retry-failed"]])
def test_a_source_that_could_not_be_read_for_a_while(
    start: Callable[[Command], History], command: Command, extra: list[str]
) -> None:
    history = start(command)
    history.sources.hide("cat/0001.png")
    history.sources.hide("dog/0006.jpg")
    assert history.run().code == 1
    history.sources.show("cat/0001.png")
    assert history.run(None, *extra).code == 1
    history.sources.show("dog/0006.jpg")
    assert history.run(None, *extra).code == 0
    history.finish()


@pytest.mark.usefixtures("hiding")
def test_two_sources_one_of_which_could_not_be_read(start: Callable[[Command], History]) -> None:
    history = start(CUTMIX)
    for path in history.sources.there:
        if path not in ("cat/0000.png", "dog/0007.jpg"):
            history.sources.remove(path)
    history.sources.hide("dog/0007.jpg")
    assert history.run().code == 1
    history.sources.show("dog/0007.jpg")
    assert history.run().code == 0
    history.finish()


@pytest.mark.parametrize("command", MIXERS)
def test_sources_that_are_broken_and_stay_so_while_others_come_and_go(
    start: Callable[[Command], History], command: Command
) -> None:
    history = start(command)
    for path in ("cat/0000.png", "cat/0002.png", "dog/0005.jpg"):
        history.sources.break_(path, "garbage")
    assert history.run().code == 1
    history.sources.add("dog", "png", 3)
    assert history.run().code == 1
    history.sources.remove("cat/0001.png")
    history.sources.mend("cat/0002.png")
    assert history.run().code == 1
    history.sources.break_("dog/0004.jpg", "cut")
    history.sources.rename("cat/0003.png", "dog")
    assert history.run().code == 1
    history.finish()


@pytest.mark.parametrize(
    ("following", "number"),
    [
        (Command("cutout", format="jpg"), signal.SIGKILL),
        (Command("cutout", format="png", seed=1), signal.SIGINT),
        (Command("recipe"), signal.SIGKILL),
    ],
)
def test_another_command_after_one_that_was_ended_at_any_change(
    start: Callable[[Command], History], following: Command, number: int
) -> None:
    history = start(Command("cutout", format="png", originals="copy"))
    before = history.command
    history.run(before)
    history.sources.add("cat", "png")
    history.run(before, ending=Ending(number, 10))
    interrupted = shutil.copytree(history.out, history.out.with_name("interrupted"))
    moment, code = 1, -1
    while code not in (0, 1):
        # It replaces the other one, and is ended at a later change each time.
        code = history.run(following, "--overwrite", ending=Ending(number, moment)).code
        history.run(following, "--overwrite")
        shutil.rmtree(history.out)
        shutil.copytree(interrupted, history.out)
        moment += 4
    history.run(before)
    history.finish()


def test_a_source_goes_after_a_run_that_was_killed(start: Callable[[Command], History]) -> None:
    history = start(Command("cutout", copies=2, format="png"))
    for moment in (25, 35, 45):  # some outputs are there
        history.remove_out()
        history.sources.add("cat", "png", 2)
        killed = history.run(ending=Ending(signal.SIGKILL, moment))
        assert killed.code == -signal.SIGKILL
        made = history.outputs[-1]
        history.sources.remove(next(path for path in history.sources.there if path[:8] == made[:8]))
        history.sources.rename(history.sources.there[0], "dog")
        assert history.run().code == 0
    history.finish()


@pytest.mark.parametrize("command", [CUTOUT, CUTMIX])
@pytest.mark.parametrize("moment", [None, 30])
def test_a_set_that_grows_and_shrinks(
    start: Callable[[Command], History], command: Command, moment: int | None
) -> None:
    ending = Ending(signal.SIGKILL, moment) if moment else None
    history = start(command)
    history.run(ending=ending)
    history.sources.add("emu/far", "png", 70)
    history.run(ending=ending)
    history.run(workers=2)
    for path in history.sources.there[::3]:
        history.sources.remove(path)
    history.run(ending=ending)
    history.finish()


def test_counts_do_not_depend_on_how_large_a_set_once_was(
    start: Callable[[Command], History],
) -> None:
    history = start(Command("cutmix", copies=3, format="jpg"))
    history.sources.add("dog", "png", 150)
    history.run()
    for rest in (60, 38, 23):
        for path in history.sources.there[rest:]:
            history.sources.remove(path)
        history.run(None, "--accept-missing")
    history.finish()


def test_the_only_change_is_that_sources_are_gone(start: Callable[[Command], History]) -> None:
    history = start(CUTOUT)
    history.sources.add("cat", "png", 90)
    history.run()
    # Among others of all sources of a shard.
    for path in history.sources.there[7:]:
        history.sources.remove(path)
    history.sources.add("dog", "png")
    history.run()
    while len(history.sources.there) > 2:
        history.sources.remove(history.sources.there[0])
        history.run()
    history.finish()


@pytest.mark.usefixtures("hiding")
@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("command", [CUTOUT, CUTMIX])
def test_a_class_folder_that_is_not_there(
    start: Callable[[Command], History], command: Command, hides: bool
) -> None:
    history = start(command)
    lose, find = (
        (history.sources.hide, history.sources.show)
        if hides
        else (history.sources.take, history.sources.bring)
    )
    history.run()
    lose("dog")
    history.sources.add("cat", "jpg")
    assert history.run().code == 3
    assert history.run(workers=2).code == 3
    find("dog")
    assert history.run().code == 0
    lose("dog")
    assert history.run(None, "--accept-missing").code == (1 if hides else 0)
    find("dog")
    assert history.run().code == 0
    lose("cat")
    lose("dog")
    assert history.run().code in (2, 3)
    history.finish()


@pytest.mark.usefixtures("hiding")
@pytest.mark.parametrize("command", [CUTOUT, Command("mean"), CUTMIX])
def test_no_source_can_be_listed(start: Callable[[Command], History], command: Command) -> None:
    history = start(command)
    for label in history.sources.labels:
        history.sources.hide(label)
    assert history.run().code in (1, 2)
    assert history.run(workers=1).code in (1, 2)
    history.finish()


def test_the_sources_of_a_class_are_removed_one_by_one(
    start: Callable[[Command], History],
) -> None:
    history = start(CUTOUT)
    history.run()
    for path in history.sources.there[:4]:
        history.sources.remove(path)
    assert history.run().code == 3
    history.sources.add("cat", "png")
    assert history.run().code == 0
    history.sources.rename(history.sources.there[0], "dog")
    assert history.run().code == 3
    history.finish()


def test_run_json_is_lost(start: Callable[[Command], History]) -> None:
    history = start(CUTMIX)
    for ending in (None, Ending(signal.SIGKILL, 20)):
        history.remove_out()
        history.run(Command("cutmix", seed=0), ending=ending)
        history.lose_record()
        for other in (Command("cutmix", seed=1), Command("cutmix", seed=0), CUTOUT):
            history.run(other)
            history.run(other, "--overwrite")
        history.restore_record()
        history.run()
    history.finish()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("moment", [None, 20, 45])
def test_records_are_lost_or_cut(
    start: Callable[[Command], History], moment: int | None, share: float
) -> None:
    history = start(Command("cutmix", copies=3))
    history.run(ending=Ending(signal.SIGKILL, moment) if moment else None)
    for path in history.records:
        history.damage(path, share)
    assert history.run().code == 0
    history.finish()


def test_outputs_and_tables_are_lost_or_changed(start: Callable[[Command], History]) -> None:
    history = start(Command("cutmix", copies=2, originals="copy"))
    history.run()
    for name in ("metadata.csv", "classes.txt", "README.md", FOLDED_PARTS, "cat"):
        history.remove_output(name)
        assert history.run().code == 0
    history.change_output(history.outputs[0])
    history.remove_output(history.outputs[3])
    assert history.run().code == 0
    history.finish()
