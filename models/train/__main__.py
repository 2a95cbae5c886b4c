"""Train the scorer: `python -m models.train --help` at the top of the repository."""

import argparse
import time
from pathlib import Path

import cv2
import torch

from . import pool as pools
from .consensus import Consensus
from .export import export
from .fit import FRESH, Plan, Run, train
from .frozen import Frozen
from .network import SHAPES
from .pictures import read
from .teacher import Teacher

PLANS = [
    *("large:1:0.35", "large:2:0.35", "large:3:0.35", "large:1:0", "large:1:0.7"),
    *("small:1:0.35", "small:2:0.35", "small:3:0.35"),
]
LAST = ["large:1:0.7"]
LAST_STEPS = 2600


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument(
        "plans",
        nargs="*",
        default=PLANS,
        metavar="SHAPE:SEED:EVIDENCE",
        help=f"students to train side by side; {' or '.join(SHAPES)}, a seed, the share of the "
        f"classifiers' evidence in the target (%(default)s)",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="objects/, masked/, cut-outs/, photos/, small/"
    )
    parser.add_argument("--teacher", type=Path, required=True, help="attention-teacher.onnx")
    parser.add_argument(
        "--classifiers", type=Path, nargs="+", required=True, help="that tell the class"
    )
    parser.add_argument("--out", type=Path, required=True, help="for the trained networks")
    parser.add_argument("--hold-back", type=int, nargs="*", default=[3, 4], metavar="FOLD")
    parser.add_argument("--steps", type=int, default=8000, help="of each student")
    parser.add_argument("--seconds", type=float, help="steps that fit into this time instead")
    parser.add_argument(
        "--last",
        nargs="*",
        default=LAST,
        metavar="SHAPE:SEED:EVIDENCE",
        help="students that then learn from the mean of all of their shape (%(default)s)",
    )
    parser.add_argument("--last-steps", type=int, default=LAST_STEPS, help="of the last stage")
    parser.add_argument("--pool", type=int, default=120_000, help="views that are kept")
    parser.add_argument("--fresh", type=float, default=64, help="new views for each step")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def main() -> None:
    """Label the pictures, fill the pool, train and export the networks."""
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {words}", flush=True)

    options = parse()
    device = torch.device(options.device)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = read(options.data, options.hold_back)
    say(
        f"{len(pictures.masked.images)} masked photos, {len(pictures.cut_outs.images)} cut-outs, "
        f"{len(pictures.photos)} photos, {len(pictures.small)} small pictures"
    )
    teacher = Teacher(options.teacher, device)
    classifiers = [Frozen(file, ("scores",), device) for file in options.classifiers]
    chance = torch.Generator(device).manual_seed(0)
    sources = pools.prepare(pictures, teacher, classifiers, options.out / "evidence.pt", chance)
    sure = [int((s.evidence[:, 0, 0] >= 0).sum()) for s in (sources.masked, sources.photos)]
    say(f"classifiers are sure of {sure[0]} masked photos and {sure[1]} photos")
    pool = pools.Pool(options.pool, sources, teacher, chance)
    for drawn in pool.fill(FRESH):
        if drawn % (64 * FRESH) < FRESH:
            say(f"{drawn} views")
    runs = [Run(Plan.of(words), device) for words in options.plans]
    steps = options.steps
    if options.seconds:
        steps = measure(runs, pool, options.seconds - (time.monotonic() - began), options.fresh)
        say(f"{steps} steps")
        runs = [Run(run.plan, device) for run in runs]

    def save() -> None:
        stored = {
            name: {key: value.half() for key, value in run.average.state_dict().items()}
            for name, run in named.items()
        }
        partial = options.out / "averages.partial"
        torch.save(stored, partial)
        partial.replace(options.out / "averages.pt")

    named = {run.plan.name: run for run in runs}
    train(runs, pool, steps, options.fresh, save)
    say("trained")
    last = [go_on(run, runs) for run in runs if run.plan in map(Plan.of, options.last)]
    named |= {f"{run.plan.name}-last": run for run in last}
    train(last, pool, options.last_steps if last else 0, options.fresh, save)
    say("the last stage is done")
    recipe = (
        f"{len(pictures.masked.images)} masked photos (folds {options.hold_back} held back), "
        f"{len(pictures.photos)} photos and {len(pictures.small)} small pictures without labels, "
        f"{len(pictures.cut_outs.images)} cut-outs; {pool.drawn} views; masks, teacher's maps and "
        f"classifiers' evidence mixed, teacher's features imitated; {steps} steps of {Plan.batch}, "
    )
    for name, run in named.items():
        words = f"evidence {run.plan.evidence_share:g}, seed {run.plan.seed}"
        if run.consensus:
            count = len(run.consensus.students)
            words += f"; {run.steps} of {run.plan.batch} with the mean of {count} students"
        export(run.average.eval(), pool.images[:1024], options.out / f"{name}.onnx", recipe + words)
    say("exported")


def go_on(run: Run, runs: list[Run]) -> Run:
    """Let a student learn on, from the mean of all students of its shape."""
    peers = (other.average for other in runs if other.plan.shape == run.plan.shape)
    return Run(run.plan.last(), run.device, run.average, Consensus(peers))


def measure(runs: list[Run], pool: pools.Pool, seconds: float, fresh: float) -> int:
    """Measure the speed of some steps; gives how many fit into the time that is left."""
    for count in (5, 24):
        if pool.images.is_cuda:
            torch.cuda.synchronize()
        began = time.monotonic()
        train(runs, pool, count, fresh, lambda: None)
        if pool.images.is_cuda:
            torch.cuda.synchronize()
        spent = time.monotonic() - began
    return max(1, int((seconds - 10) / (spent / 24)))


if __name__ == "__main__":
    main()
