"""Do the six best cells tell the class? The second table of models/README.md.

    python benchmarks/tells.py --objects DIR --models DIR [--fold K] [--also NAME=FILE ...]

`--objects` is as for attention.py; `--photos DIR` takes photos without masks in their place.
`--models` holds the classifiers that judge, in ONNX. For each judge, over the photos of whose
class it is sure (a probability over 0.3):

- delete: its probability of the class after the six best cells are greyed (low is good);
- insert: the same after only they are pasted onto five other photos (high is good);
- in first five: the share of those mixes in which the class is among the judge's first five.

With `--probe`, the judge's own evidence too: the cells that lower its probability most, from its
answers to 64 versions of the photo (models/train/evidence.py, which needs PyTorch). No scorer can
know them; they show how low the deletion can get.

Standard errors are over photos. The last column is the difference of the deletion from that of
`--scorer`, photo by photo, with its standard error.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from attention import (
    GRID,
    TOP,
    Floats,
    Network,
    Sample,
    Scores,
    fixed,
    gaussian,
    heat_maps,
    prepared,
    read_samples,
)
from numpy.typing import NDArray

SIDE, BASES, SURE = 448, 5, 0.3
PROBED = "the judge's own evidence"
SHIPPED = "**augcli's scorer**"
GREY = np.uint8([124, 116, 104])
Pictures = NDArray[np.uint8]


class Judge:
    """A classifier that is asked for the classes of pictures."""

    def __init__(self, file: Path) -> None:
        self.name, self.network = file.stem, Network(file)
        self.network.output = self.network.session.get_outputs()[0].name

    def __call__(self, pictures: list[Pictures]) -> Floats:
        """Give the probabilities of all classes."""
        samples = [Sample(picture, np.empty(0), np.empty(0)) for picture in pictures]
        scores = self.network(samples).reshape(len(pictures), -1)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def chosen(maps: Floats) -> list[NDArray[np.bool_]]:
    """Give masks (SIDE, SIDE, 1) of the best cells; ties go by cell number."""
    order = np.argsort(-maps.reshape(len(maps), -1), axis=1, kind="stable")[:, :TOP]
    cells = np.zeros((len(maps), GRID * GRID), bool)
    np.put_along_axis(cells, order, True, axis=1)
    tile = np.ones((SIDE // GRID, SIDE // GRID), bool)
    return [np.kron(each.reshape(GRID, GRID), tile)[..., None] for each in cells]


def methods(options: argparse.Namespace) -> Iterator[tuple[str, Scores]]:
    """Give each way to choose cells with its name."""
    rng = np.random.default_rng(0)
    yield "random", lambda samples: rng.random((len(samples), GRID, GRID), np.float32)
    yield "centre prior, Gaussian of 2 cells", fixed(gaussian())
    if options.objects:
        yield "the mask itself", lambda samples: np.stack([sample.cells for sample in samples])
    if options.prepared:
        for name, scores, _ in prepared(options.prepared):
            yield name, scores
    for name, file in [each.split("=", 1) for each in options.also]:
        yield name, heat_maps(Network(Path(file)))
    yield SHIPPED, heat_maps(Network(options.scorer))


def probed(file: Path, photos: list[Pictures]) -> Floats:
    """Give the cells that add most to a judge's answer, by covering random sets of cells."""
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    # By name: only this option needs PyTorch, and types are checked where that is missing.
    torch: Any = import_module("torch")
    evidence = import_module("models.train.evidence").evidence
    judge = [import_module("models.train.frozen").Frozen(file, ("scores",), torch.device("cpu"))]
    chance = torch.Generator().manual_seed(0)
    maps = []
    for start in range(0, len(photos), 64):
        planes = np.stack(photos[start : start + 64]).transpose(0, 3, 1, 2)
        maps.append(evidence(judge, torch.from_numpy(planes), chance).numpy())
    return np.concatenate(maps)


def read_photos(folder: Path) -> list[Sample]:
    """Read photos without masks."""
    images = [cv2.imread(str(file), cv2.IMREAD_COLOR_RGB) for file in sorted(folder.glob("*.jpg"))]
    none = np.empty(0, np.float32)
    return [Sample(np.asarray(image, np.uint8), none, none) for image in images]


def parse() -> argparse.Namespace:
    """Read the command line."""
    here = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--objects", type=Path)
    source.add_argument("--photos", type=Path, help="a folder of photos without masks")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--judges", nargs="+", default=["mobilenet-v1-050-160"])
    parser.add_argument("--scorer", type=Path, default=here / "models" / "attention.onnx")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--prepared", type=Path, help="a classifier to prepare scorers of")
    parser.add_argument("--probe", action="store_true", help="the judges' own evidence too")
    parser.add_argument("--fold", type=int, default=4)
    return parser.parse_args()


def main() -> None:
    """Print a table for each judge."""
    options = parse()
    cv2.setNumThreads(1)
    samples = (
        read_samples(options.objects, {options.fold})
        if options.objects
        else read_photos(options.photos)
    )
    photos = [
        cv2.resize(sample.image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for sample in samples
    ]
    masks = {name: chosen(scores(samples)) for name, scores in methods(options)}
    for name in options.judges:
        judge = Judge(options.models / f"{name}.onnx")
        before = judge(photos)
        sure = np.flatnonzero(before.max(axis=1) > SURE)
        classes = before.argmax(axis=1)[sure]
        print(
            f"\n{options.photos.name if options.photos else f'fold {options.fold}'}, "
            f"judge {name}: sure of {len(sure)} of {len(photos)} photos, "
            f"probability {before.max(axis=1)[sure].mean():.3f}\n"
        )
        print("| method | delete | insert | in first five | delete, less the shipped's |")
        print("|---|---|---|---|---|")
        deletions: dict[str, Floats] = {}
        lines = {}
        own_cells = {}
        if options.probe:
            own_cells[PROBED] = chosen(probed(options.models / f"{name}.onnx", photos))
        for method, cells in (masks | own_cells).items():
            deleted = judge([np.where(cells[i], GREY, photos[i]) for i in sure])
            inserted, five = [], []
            for base in range(BASES):
                other = [photos[(i + 37 + 11 * base) % len(photos)] for i in sure]
                mixes = [np.where(cells[i], photos[i], o) for i, o in zip(sure, other, strict=True)]
                given = judge(mixes)
                own = given[np.arange(len(sure)), classes]
                inserted.append(own)
                five.append((given > own[:, None]).sum(axis=1) < 5)
            deletions[method] = deleted[np.arange(len(sure)), classes]
            lines[method] = (deletions[method], np.mean(inserted, axis=0), np.mean(five, axis=0))
        for method, figures in lines.items():
            difference = deletions[method] - deletions[SHIPPED]
            words = [f"{f.mean():.3f} ± {f.std() / len(f) ** 0.5:.3f}" for f in figures]
            words.append(f"{difference.mean():+.3f} ± {difference.std() / len(sure) ** 0.5:.3f}")
            print(f"| {method} | {' | '.join(words)} |", flush=True)


if __name__ == "__main__":
    main()
