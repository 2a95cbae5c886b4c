"""Train the scorer: `python -m models.train --help` at the top of the repository."""

import argparse
from pathlib import Path

import cv2
import torch

from . import cache
from .export import calibration_views, export
from .fit import Plan, Run
from .network import SMALL, Shape
from .teacher import Teacher


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="holds objects/, photos/, small/, cut-outs/"
    )
    parser.add_argument("--teacher", type=Path, required=True, help="attention-teacher.onnx")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint and attention.onnx")
    parser.add_argument("--cache", type=Path, help="views with the teacher's answers (OUT/views)")
    parser.add_argument("--shards", type=int, default=100, help="of 2,048 views each")
    parser.add_argument("--masked", type=float, default=1.0, help="share of their views to use")
    parser.add_argument("--small", action="store_true", help="the graph for small images")
    parser.add_argument("--hold-out", type=int, default=4, metavar="FOLD")
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--feature-weight", type=float, default=Plan.feature_weight)
    parser.add_argument("--last-feature-weight", type=float, default=Plan.last_feature_weight)
    parser.add_argument("--start", type=Path, help="checkpoint of an earlier leg to start from")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Make the views, start or resume the training, and export the network."""
    options = parse()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    views = options.cache or options.out / "views"
    if len(list(views.glob("views-???.npz"))) < options.shards:
        teacher = Teacher(options.teacher, options.threads)
        sources = cache.read_pictures(options.data)
        cache.build(sources, teacher, views, cache.VIEW_SIDE, options.shards)
    shard = cache.load(views, options.shards, options.hold_out, options.masked)
    plan = Plan(
        steps=options.steps,
        seed=options.seed,
        rate=options.rate,
        feature_weight=options.feature_weight,
        last_feature_weight=options.last_feature_weight,
    )
    shape = SMALL if options.small else Shape()
    student = Run(plan, shape, options.out / "checkpoint.pt", options.start).train(shard)
    recipe = (
        f"{len(shard.image)} views of masked photos (fold {options.hold_out} held out), "
        "unlabelled photos and small pictures, and pasted objects; masks and teacher's maps mixed, "
        f"teacher's features imitated; {plan.steps} steps of {plan.batch}, seed {plan.seed}"
        f"{', from an earlier leg' if options.start else ''}"
    )
    name = "attention-small.onnx" if options.small else "attention.onnx"
    export(student, calibration_views(shard, plan.seed, shape.side), options.out / name, recipe)


if __name__ == "__main__":
    main()
