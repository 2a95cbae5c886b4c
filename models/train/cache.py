"""The cache: views with the teacher's answers, in shards on disk.

The teacher needs about as much time for a view as a training step of the student, and every view
is used a dozen times: so the teacher labels each view once.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pictures import coverage, cut_outs, masked_photos, pictures, squash
from .teacher import SIDE as TEACHER_SIDE
from .teacher import Projection, Teacher, fit_projection
from .views import Pictures, draw_view

SHARD = 2048  # views
VIEW_SIDE = 112
COMPONENTS = 64


@dataclass(frozen=True)
class Shard:
    """Views and their labels; `mask` holds -1 where there is no mask.

    Views are cut from the photos of all folds. Bit k of `folds` says that a view shows a photo of
    fold k: a training that holds this fold out does not use the view.
    """

    image: NDArray[np.uint8]  # (N, side, side, 3)
    mask: NDArray[np.float16]  # (N, 7, 7)
    heat: NDArray[np.float16]  # (N, 7, 7)
    features: NDArray[np.float16]  # (N, components, 7, 7)
    folds: NDArray[np.uint8]  # (N,)


def read_pictures(data: Path) -> Pictures:
    """Read all pictures that views are cut from."""
    return Pictures(
        masked_photos(data / "objects"),
        cut_outs(data / "cut-outs"),
        list(pictures(data / "photos")),
        list(pictures(data / "small")),
    )


def make_shard(
    sources: Pictures, teacher: Teacher, projection: Projection | None, side: int, seed: list[int]
) -> tuple[Shard, Projection]:
    """Draw and label one shard of views; the first shard also fits the projection."""
    rng = np.random.default_rng(seed)
    images, masks, heats, features, folds = [], [], [], [], []
    for _ in range(SHARD // 16):
        views = [draw_view(sources, rng) for _ in range(16)]
        answer = teacher([squash(view.image, TEACHER_SIDE) for view in views])
        heats.append(answer.heat)
        features.append(answer.features if projection is None else projection(answer.features))
        for view in views:
            images.append(squash(view.image, side))
            folds.append(sum(1 << fold for fold in view.folds))
            masks.append(np.full((7, 7), -1) if view.mask is None else coverage(view.mask, 7))
    if projection is None:
        whole = np.concatenate(features).astype(np.float32)
        projection = fit_projection(whole, COMPONENTS)
        features = [projection(whole)]
    shard = Shard(
        np.stack(images),
        np.stack(masks).astype(np.float16),
        np.concatenate(heats).astype(np.float16),
        np.concatenate(features).astype(np.float16),
        np.array(folds, np.uint8),
    )
    return shard, projection


def build(sources: Pictures, teacher: Teacher, folder: Path, side: int, shards: int) -> None:
    """Make the missing shards; each depends only on its own number."""
    folder.mkdir(parents=True, exist_ok=True)
    fitted = folder / "projection.npz"
    projection = None
    if fitted.exists():
        with np.load(fitted) as stored:
            projection = Projection(stored["mean"], stored["axes"])
    for number in range(shards):
        file = folder / f"views-{number:03d}.npz"
        if file.exists():
            continue
        shard, projection = make_shard(sources, teacher, projection, side, [number, side])
        if not fitted.exists():
            np.savez(fitted, mean=projection.mean, axes=projection.axes)
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, **vars(shard))
        partial.replace(file)
        print(f"views: shard {number + 1} of {shards}", flush=True)


def load(
    folder: Path, most: int | None = None, hold_out: int | None = None, masked: float = 1.0
) -> Shard:
    """Read all shards (or the first `most`), without the views that show the fold `hold_out`.

    `masked` is the share, drawn at random, of the views with a masked photo that are used.
    """
    files = sorted(f for f in folder.glob("views-*.npz") if "partial" not in f.name)[:most]
    if not files:
        raise FileNotFoundError(f"no views under {folder}")
    rng = np.random.default_rng(0)
    chosen = []
    for file in files:
        with np.load(file) as stored:
            folds = stored["folds"]
        allowed = folds & (0 if hold_out is None else 1 << hold_out) == 0
        chosen.append(np.flatnonzero(allowed & ((folds == 0) | (rng.random(len(folds)) < masked))))
    return Shard(**{field.name: _join(files, chosen, field.name) for field in fields(Shard)})


def _join(files: list[Path], chosen: list[NDArray[np.intp]], name: str) -> NDArray[Any]:
    """Join one array of all shards, without a second copy of it in memory."""
    joined: NDArray[Any] | None = None
    end = 0
    for file, index in zip(files, chosen, strict=True):
        with np.load(file) as stored:
            values = stored[name]
        if joined is None:
            joined = np.empty((sum(map(len, chosen)), *values.shape[1:]), values.dtype)
        joined[end : end + len(index)] = values[index]
        end += len(index)
    assert joined is not None
    return joined
