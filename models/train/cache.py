"""The cache: views with the teacher's answers, in shards on disk.

The teacher costs about as much time per view as a training step of the student, and every view
is used a dozen times: so it is asked once.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .pictures import coverage, masked_photos, squash, tar_pictures
from .teacher import SIDE as TEACHER_SIDE
from .teacher import Projection, Teacher, fit_projection
from .views import Pictures, draw_view

SHARD = 2048  # views
VIEW_SIDE = 112
COMPONENTS = 64
FOLDS = 5


@dataclass(frozen=True)
class Shard:
    """Views and what is known about them; `mask` holds -1 where there is no mask.

    Views are cut from the photos of all folds. Bit k of `folds` says that a photo of fold k shows
    in a view: a training that holds a fold back leaves all of these out.
    """

    image: NDArray[np.uint8]  # (N, side, side, 3)
    mask: NDArray[np.float16]  # (N, 7, 7)
    heat: NDArray[np.float16]  # (N, 7, 7)
    features: NDArray[np.float16]  # (N, components, 7, 7)
    folds: NDArray[np.uint8]  # (N,)

    def without(self, fold: int) -> "Shard":
        """Leave out every view in which a photo of a fold shows."""
        kept = np.flatnonzero((self.folds & (1 << fold)) == 0)
        return Shard(**{name: values[kept] for name, values in vars(self).items()})


def read_pictures(objects: Path, photos: Path, small: Path) -> Pictures:
    """Read all pictures that views are cut from."""
    return Pictures(
        masked_photos(objects, frozenset(range(FOLDS))),
        list(tar_pictures(photos)),
        list(tar_pictures(small)),
    )


def make_shard(
    pictures: Pictures, teacher: Teacher, projection: Projection | None, side: int, seed: list[int]
) -> tuple[Shard, Projection]:
    """Draw and label one shard of views; the first shard also fits the projection."""
    rng = np.random.default_rng(seed)
    images, masks, heats, features, folds = [], [], [], [], []
    for _ in range(SHARD // 16):
        views = [draw_view(pictures, rng) for _ in range(16)]
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


def build(pictures: Pictures, teacher: Teacher, folder: Path, side: int, shards: int) -> None:
    """Make the shards that are not there yet; each depends on its own number alone."""
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
        shard, projection = make_shard(pictures, teacher, projection, side, [number, side])
        if not fitted.exists():
            np.savez(fitted, mean=projection.mean, axes=projection.axes)
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, **vars(shard))
        partial.replace(file)
        print(f"views: shard {number + 1} of {shards}", flush=True)


def load(folder: Path, most: int | None = None) -> Shard:
    """Read all shards (or the first `most`) into memory."""
    files = sorted(f for f in folder.glob("views-*.npz") if "partial" not in f.name)[:most]
    if not files:
        raise FileNotFoundError(f"no views under {folder}")
    parts = []
    for file in files:
        with np.load(file) as stored:
            parts.append({key: stored[key] for key in stored.files})
    return Shard(**{key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
