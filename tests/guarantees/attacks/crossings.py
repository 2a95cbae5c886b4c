"""Two commands at once on the same OUT, INPUT or file."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

from tests import models
from tests.guarantees.attacks.registry import each

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.guarantees.attacks.arena import Arena

COPIES = ("--copies", 150)


def _begun(arena: Arena, *more: object) -> subprocess.Popen[str]:
    """Start a run that takes a second or two, and wait for its first output."""
    process = arena.start(*arena.cutout, *COPIES, *more)
    arena.wait(lambda: any(arena.out.glob("cat/*")), "the first output is made")
    return process


def _whole(arena: Arena) -> None:
    """The same command ends with the bytes of a clean run."""
    arena.run(*arena.cutout, *COPIES, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


@each(
    same=(),
    seed=("--seed", 1),
    overwrite=("--overwrite",),
    overwrite_seed=("--overwrite", "--seed", 1),
    fewer=("--copies", 1),
    format=("--format", "png", "--overwrite"),
    workers=("--workers", 2),
    dry=("--dry-run",),
    recipe=("--print-recipe",),
)
def a_run_during_a_run(arena: Arena, more: tuple[object, ...]) -> None:
    first = _begun(arena)
    arena.run(*arena.cutout, *COPIES, *more, code={0, 2, 3})
    arena.end(first, code=0)
    if "--overwrite" not in more:
        arena.is_clean(*arena.cutout[:-2], *COPIES)
    _whole_or_overwritten(arena, more)


def _whole_or_overwritten(arena: Arena, more: tuple[object, ...]) -> None:
    arena.run(*arena.cutout, *COPIES, *(("--overwrite",) if "--overwrite" in more else ()), code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


@each(verify="verify", status="status", against="against", json="json")
def a_look_during_a_run(arena: Arena, kind: str) -> None:
    first = _begun(arena)
    words: tuple[object, ...] = ("status" if kind == "status" else "verify", arena.out)
    if kind == "against":
        words += ("--against", arena.photos)
    if kind == "json":
        words += ("--json",)
    while first.poll() is None:
        arena.run(*words, code={0, 1, 2, 3})
    arena.end(first, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)
    arena.run(*words, code=0)


def outputs_as_input_during_a_run(arena: Arena) -> None:
    first = _begun(arena)
    other = arena.folder / "other"
    arena.run("cutout", arena.out, "--out", other, code={0, 1, 2, 3}, changes=(other,))
    arena.end(first, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


def six_runs_at_once(arena: Arena) -> None:
    runs = [arena.start(*arena.cutout, *COPIES) for _ in range(6)]
    ends = [arena.end(process, code={0, 2, 3}) for process in runs]
    arena.check("one does the work", any(end.code == 0 for end in ends))
    _whole(arena)


def six_runs_with_six_seeds(arena: Arena) -> None:
    runs = [arena.start(*arena.cutout, *COPIES, "--seed", seed) for seed in range(6)]
    ends = [arena.end(process, code={0, 2, 3}) for process in runs]
    arena.check("one does the work", sum(end.code == 0 for end in ends) == 1)
    seed = next((seed for seed, end in enumerate(ends) if end.code == 0), 0)
    arena.is_clean(*arena.cutout[:-2], *COPIES, "--seed", seed)


def six_runs_that_overwrite(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    runs = [
        arena.start(*arena.cutout, *COPIES, "--seed", seed, "--overwrite") for seed in range(1, 7)
    ]
    ends = [arena.end(process, code={0, 2, 3}) for process in runs]
    arena.check("one does the work", any(end.code == 0 for end in ends))
    arena.run("verify", arena.out, "--against", arena.photos, code=0)


def two_outputs_of_one_input(arena: Arena) -> None:
    other = arena.folder / "other"
    first = _begun(arena)
    second = (*arena.cutout[:-1], other, *COPIES)
    arena.run(*second, code=0, changes=(other,))
    arena.end(first, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)
    arena.is_clean(*arena.cutout[:-2], *COPIES, out=other)


def _many(arena: Arena) -> None:
    for number in range(30):
        shutil.copy(arena.photos / "cat/000.jpg", arena.photos / f"dog/more{number}.jpg")
        with (arena.photos / f"dog/more{number}.jpg").open("ab") as file:
            file.write(bytes([number]))


def _heat_maps(arena: Arena) -> tuple[Path, tuple[object, ...]]:
    model = models.save_scorer(arena.folder / "scorer.onnx")
    maps = arena.folder / "maps.npz"
    return maps, ("--model", model, "--workers", 0)


@each(same="same", overwrite="overwrite", grid="grid")
def heat_maps_twice_at_once(arena: Arena, kind: str) -> None:
    _many(arena)
    maps, words = _heat_maps(arena)
    command = ("heatmaps", arena.photos, *words, "--out", maps)
    more = {"overwrite": ("--overwrite",), "grid": ("--grid", 3)}.get(kind, ())
    first, second = arena.start(*command), arena.start(*command, *more)
    ends = [arena.end(process, code={0, 2, 3}) for process in (first, second)]
    arena.check("one does the work", any(end.code == 0 for end in ends))
    end = arena.run("cutmix", arena.photos, *words, "--heatmaps", maps, "--out", arena.out)
    arena.check("the file is whole", end.code == 0 or kind == "grid", end.err)


def heat_maps_replaced_during_a_run(arena: Arena) -> None:
    _many(arena)
    maps, words = _heat_maps(arena)
    command = ("heatmaps", arena.photos, *words, "--out", maps)
    arena.run(*command, code=0, changes=(maps,))
    mix = ("cutmix", arena.photos, *words, "--copies", 20)
    process = arena.start(*mix, "--heatmaps", maps, "--out", arena.out)
    while process.poll() is None:
        arena.run(*command, "--overwrite", code=0, changes=(maps,))
    arena.end(process, code={0, 3})
    arena.run(*mix, "--heatmaps", maps, "--out", arena.out, code=0)
    arena.is_clean(*mix)


def scorer_replaced_during_a_run(arena: Arena) -> None:
    _many(arena)
    _, words = _heat_maps(arena)
    model = arena.folder / "scorer.onnx"
    mix = ("cutmix", arena.photos, *words, "--copies", 20, "--workers", 2)
    process = arena.start(*mix, "--out", arena.out)
    time.sleep(0.4)
    models.save_scorer(arena.folder / "new.onnx", factor=-1.0)
    kept = model.read_bytes()
    (arena.folder / "new.onnx").replace(model)
    arena.end(process, code={0, 2, 3})
    model.write_bytes(kept)
    end = arena.run(*mix, "--out", arena.out, code={0, 2})
    if end.code == 0:
        arena.is_clean(*mix)


def label_table_replaced_during_a_run(arena: Arena) -> None:
    from tests.guarantees.attacks.given import TABLE

    table = arena.folder / "labels.csv"
    table.write_text(TABLE)
    words = (*arena.cutout, *COPIES, "--labels", table)
    process = arena.start(*words)
    arena.wait(lambda: any(arena.out.glob("cat/*")), "the first output is made")
    table.write_text(TABLE.replace(",cat", ",horse"))
    arena.end(process, code=0)
    table.write_text(TABLE)
    arena.run(*words, code=0)
    arena.check("labels are of one table", "horse" not in (arena.out / "metadata.csv").read_text())


@each(parts="parts", temporary="tmp", state="", record="run.json", klass="cat")
def a_folder_of_out_goes_during_a_run(arena: Arena, kind: str) -> None:
    first = _begun(arena)
    if kind == "run.json":
        (arena.out / "run.json").unlink(missing_ok=True)
    elif kind == "cat":
        shutil.rmtree(arena.out / "cat", ignore_errors=True)
    else:
        shutil.rmtree(arena.out / ".augcli" / kind, ignore_errors=True)
    end = arena.end(first, code={0, 3})
    arena.check("a message if it stops", end.code == 0 or bool(end.err))
    second = arena.run(*arena.cutout, *COPIES, code={0, 2, 3})
    if second.code == 0:
        arena.is_clean(*arena.cutout[:-2], *COPIES)


def out_becomes_a_link_during_a_run(arena: Arena) -> None:
    first = _begun(arena)
    before = arena.surroundings()
    arena.out.rename(arena.folder / "away")
    arena.out.symlink_to(arena.precious)
    arena.end(first, code={0, 3})
    after = arena.surroundings(arena.folder / "away")
    arena.check("nothing is written through the link", before == after)


def class_folder_becomes_a_link_during_a_run(arena: Arena) -> None:
    first = _begun(arena)
    before = arena.surroundings()
    (arena.out / "cat").rename(arena.out / "away")
    (arena.out / "cat").symlink_to(arena.precious)
    arena.end(first, code={0, 2, 3})
    arena.check("nothing is written through the link", before == arena.surroundings())


def a_run_after_a_run_that_is_stopped(arena: Arena) -> None:
    """The first is asleep when the second asks for OUT."""
    first = _begun(arena)
    os.killpg(first.pid, signal.SIGSTOP)
    arena.run(*arena.cutout, *COPIES, code={2, 3})
    os.killpg(first.pid, signal.SIGCONT)
    arena.end(first, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


def a_run_that_inherits_the_lock(arena: Arena) -> None:
    """A second run as soon as the first was killed, while its workers may still live."""
    for _ in range(4):
        process = arena.start(*arena.cutout, *COPIES, "--workers", 2)
        time.sleep(0.6)
        process.kill()
        process.communicate()
    _whole(arena)
